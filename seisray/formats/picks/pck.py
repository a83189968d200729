"""First breaks in the .PCK files of ABEM's Terraloc seismographs: text, a row a trace."""

from collections.abc import Iterable

import numpy as np

from seisray.errors import PicksError
from seisray.formats.picks.first_breaks import PickOrigin
from seisray.formats.picks.located import LocatedFirstBreaks, locate_first_breaks
from seisray.formats.picks.number_rows import read_number_rows
from seisray.formats.picks.placed import PlacedPicks

COLUMNS = 6
_NONE = "-1.000000"


def is_abem_pck(words: Iterable[str]) -> bool:
    """Return whether the first row of a file is that of ABEM's .PCK, and not of pyGIMLi's, which is one number."""
    return len(_numbers(list(words))) == COLUMNS


def read_pck(data: bytes, where: str, origin: PickOrigin = "shot") -> LocatedFirstBreaks:
    """Return the first breaks of an ABEM .PCK file: times in s from the shot, by positions of shot and receiver.

    The file: for each trace a row with time, 0, source x, source y, receiver x, receiver y; a negative time is no pick.
    Rows may be numbered, as "7:". Several records may follow each other. Raises PicksError where the file is anything
    else.
    Source: ABEM Terraloc Pro 2, User Manual, appendix C. It says ms; its example is plainly in s, and so are we.
    """
    rows = read_number_rows(data, where)
    words = [_numbers(row) for row in rows.words]
    wrong = next((i for i, row in enumerate(words) if len(row) != COLUMNS), None)
    if wrong is not None:
        raise PicksError(
            f"{where}, line {rows.lines[wrong]}: {len(words[wrong])} values, expected {COLUMNS}: time, 0, source x, "
            "source y, receiver x, receiver y"
        )
    plain = read_number_rows("\n".join(" ".join(row) for row in words).encode(), where)
    found = plain.block(0, len(words), range(COLUMNS)) if words else np.empty((0, COLUMNS))
    found = found[found[:, 0] >= 0]
    along_x = len(found) and np.ptp(found[:, [3, 5]]) == 0
    axes, columns = ("x", 1) if along_x else ("xy", 2)
    source, receiver = found[:, 2 : 2 + columns], found[:, 4 : 4 + columns]
    return locate_first_breaks(where, axes, origin, source, receiver, found[:, 0] * 1e3)


def pck_bytes(picks: PlacedPicks) -> bytes:
    """Return an ABEM .PCK file that read_pck takes: a row a trace in the order given, times to the microsecond.

    Traces without a pick stay, with a negative time. Raises PicksError where a pick is before the shot, which would
    read as none, or coordinates of a trace are not known.
    """
    early = np.flatnonzero(picks.time_ms < 0)
    if early.size:
        raise PicksError(
            f"{picks.where}: a pick is {-picks.time_ms[early[0]]:g} ms before the shot, and a .pck file holds none "
            "below 0; is --pick-origin right? Or export csv"
        )
    places = np.column_stack([picks.source_m[:, :2], picks.receiver_m[:, :2]])
    if not np.isfinite(places).all():
        raise PicksError(f"{picks.where}: traces without coordinates; ingest the survey with --geometry, or export csv")
    rows = picks.picked
    picks.check_named_by_place(picks.source_m[rows, :2], picks.receiver_m[rows, :2])
    lines = []
    for time_ms, place in zip(picks.time_ms.tolist(), (np.round(places, 3) + 0.0).tolist(), strict=True):
        time = _NONE if time_ms != time_ms else f"{time_ms / 1e3:.6f}"
        lines.append(" ".join([f"{time:>12} 0", *(f"{value:12.3f}" for value in place)]))
    return ("\n".join(lines) + "\n").encode()


def _numbers(row: list[str]) -> list[str]:
    """Return the values of a row without its number."""
    return row[1:] if row and row[0].endswith(":") else row
