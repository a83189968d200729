import subprocess
import sys

import pytest

from seisray.errors import MissingExtraError
from seisray.synthetic.extra import import_extra


def test_missing_module_is_named_with_its_remedy() -> None:
    with pytest.raises(MissingExtraError, match=r"no_such_solver.*pip install 'seisray\[synthetic\]'"):
        import_extra("no_such_solver")


def test_solvers_are_not_imported_before_they_are_needed() -> None:
    code = "import sys, seisray.synthetic.survey; print({'deepwave', 'fteikpy', 'torch', 'ray'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
