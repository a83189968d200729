"""The optional solvers, imported when they are first needed: together they cost about 5 s a process."""

import importlib
from typing import Any

from seisray.errors import MissingExtraError


def import_extra(name: str) -> Any:
    """Return the module `name` of the optional extra `synthetic`.

    Raises MissingExtraError where it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"synthetic surveys need {name!r}, which cannot be imported ({error}); pip install 'seisray[synthetic]'"
        ) from error
