"""Files of first breaks, of whatever kind."""

from seisray.formats.picks.first_breaks import FirstBreaks, PickOrigin, read_first_breaks_csv
from seisray.formats.picks.located import LocatedFirstBreaks
from seisray.formats.picks.sgt import read_sgt
from seisray.formats.picks.vs import FORMAT_MARK, read_vs


def read_first_breaks(data: bytes, where: str, origin: PickOrigin | None = None) -> FirstBreaks | LocatedFirstBreaks:
    """Return the first breaks of a CSV, a pyGIMLi .sgt or .pck, or a SeisImager .vs file.

    The kind is told by the suffix of `where`, and if that is none of these, by the first line. origin: from where times
    count; None = as the format has it: the first sample in a CSV, the shot in the others.
    Raises PicksError where the file is not of its kind.
    """
    kind = where.rpartition(".")[2].lower()
    if kind not in ("csv", "sgt", "pck", "vs"):
        kind = _kind(data)
    if kind == "csv":
        return read_first_breaks_csv(data, where, origin or "first-sample")
    return (read_vs if kind == "vs" else read_sgt)(data, where, origin or "shot")


def _kind(data: bytes) -> str:
    """Return "vs", "sgt" or, failing these, "csv", by the first row that is not a comment."""
    rows = (line.split(b"#")[0].split() for line in data[:4096].splitlines())
    first = next((words for words in rows if words), [])
    if len(first) == 3 and first[0] == str(FORMAT_MARK).encode():
        return "vs"
    return "sgt" if len(first) == 1 and first[0].isdigit() else "csv"
