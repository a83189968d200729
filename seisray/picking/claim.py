"""What makes a run of picking the run it is, and its claim on the name of its picks.

A folder belongs to one identity: what is picked, the weights, and every setting that a pick depends on. Parts of
another identity are never taken over, and never deleted, since they may be hours of somebody's work.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from seisray.config import fingerprint
from seisray.errors import ExistsError, NotFoundError
from seisray.storage import Location


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Say what picks depend on.

    survey: fingerprint of what is picked. model: name@version. weights_sha256: of its weights, since a version may be
    deleted and made anew. settings: of tiling, decoding and the form of the rows.
    """

    survey: str
    model: str
    weights_sha256: str
    settings: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Return 12 hexadecimal digits that change with any of it."""
        return fingerprint(self)


def claim(folder: Location, identity: Identity, *, resume: bool) -> None:
    """Take a folder for a run, or go on with one; raise ExistsError where it is another's, or resume was not asked for.

    Each identity has a mark of its own name, written before it is looked for others': of two runs that begin at once,
    at least one sees the other.
    """
    own = folder / f"run-{identity.digest}.json"
    files = folder.files()
    begun = own.uri in {file.uri for file in files}
    _refuse_others(files, own, identity)
    if begun and not resume:
        raise ExistsError(
            f"picks {folder.name!r} were begun with {identity.model} and not finished; pass --resume to go on, or "
            "choose another --out"
        )
    if begun:
        return
    own.write_bytes((json.dumps(asdict(identity), indent=1) + "\n").encode())
    try:
        _refuse_others(folder.files(), own, identity)
    except ExistsError:
        own.delete()
        raise


def _refuse_others(files: list[Location], own: Location, identity: Identity) -> None:
    others = [file for file in files if file.name.startswith("run") and file.uri != own.uri]
    if others:
        name = own.uri.rsplit("/", 2)[1]
        raise ExistsError(
            f"picks {name!r} were begun with {_difference(others[0], identity)} and not finished; go on as they were "
            "begun, with --resume, or choose another --out"
        )
    parts = [file for file in files if file.name.startswith("part-")]
    if parts and own.uri not in {file.uri for file in files}:
        raise ExistsError(f"{parts[0]} is of a run that is not known; choose another --out, or delete the folder")


def _difference(mark: Location, identity: Identity) -> str:
    """Return what another run has that this one has not."""
    try:
        found: dict[str, Any] = json.loads(mark.read_bytes())
        theirs, ours = (_flat(one) for one in (dict(found), asdict(identity)))
    except (ValueError, TypeError, NotFoundError):  # gone again: its run has seen ours
        return "something else"
    if theirs.get("model") != ours["model"]:
        return f"model {theirs.get('model')}, not {ours['model']},"
    if theirs.get("weights_sha256") != ours["weights_sha256"]:
        return f"other weights of {ours['model']}"
    if theirs.get("survey") != ours["survey"]:
        return "other data"
    other = sorted(name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name))
    return f"another {', '.join(other) or 'identity'}"


def _flat(one: dict[str, Any]) -> dict[str, Any]:
    settings = one.pop("settings", {})
    return one | settings | settings.get("pick", {}) | {"pick": None}
