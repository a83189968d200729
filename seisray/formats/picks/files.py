"""Files of first breaks, of whatever kind."""

from seisray.formats.picks.first_breaks import FirstBreaks, PickOrigin, read_first_breaks_csv
from seisray.formats.picks.located import LocatedFirstBreaks
from seisray.formats.picks.pck import is_abem_pck, read_pck
from seisray.formats.picks.sgt import read_sgt
from seisray.formats.picks.vs import FORMAT_MARK, read_vs


def read_first_breaks(data: bytes, where: str, origin: PickOrigin | None = None) -> FirstBreaks | LocatedFirstBreaks:
    """Return the first breaks of a CSV, a pyGIMLi .sgt or .pck, an ABEM .pck, or a SeisImager .vs file.

    The kind is told by the suffix of `where`, and if that is none of these, by the first line, as are the two kinds of
    .pck. origin: from where times count; None = as the format has it: first sample in a CSV, shot in the others.
    Raises PicksError where the file is not of its kind.
    """
    kind = where.rpartition(".")[2].lower()
    if kind not in ("csv", "sgt", "pck", "vs"):
        kind = _kind(data)
    if kind == "csv":
        return read_first_breaks_csv(data, where, origin or "first-sample")
    if kind == "vs":
        return read_vs(data, where, origin or "shot")
    return (read_pck if is_abem_pck(_first_words(data)) else read_sgt)(data, where, origin or "shot")


def _kind(data: bytes) -> str:
    """Return "vs", "sgt" or, failing these, "csv", by the first row that is not a comment."""
    first = _first_words(data)
    if len(first) == 3 and first[0] == str(FORMAT_MARK):
        return "vs"
    return "sgt" if len(first) == 1 and first[0].isdigit() else "csv"


def _first_words(data: bytes) -> list[str]:
    """Return the words of the first row that is not a comment."""
    rows = (line.split("#")[0].split() for line in data[:4096].decode("latin-1").splitlines())
    return next((words for words in rows if words), [])
