"""First breaks in the .vs files of SeisImager/2D (Pickwin, Plotrefa)."""

import numpy as np
from numpy.typing import NDArray

from seisray.errors import PicksError
from seisray.formats.picks.first_breaks import PickOrigin
from seisray.formats.picks.located import LocatedFirstBreaks, locate_first_breaks
from seisray.formats.picks.number_rows import read_number_rows
from seisray.formats.picks.placed import PlacedPicks

FORMAT_MARK = 1996


def read_vs(data: bytes, where: str, origin: PickOrigin = "shot") -> LocatedFirstBreaks:
    """Return the first breaks of a .vs file: times in ms from the shot, by positions along the line.

    The file: a row "1996 0 3.0"; a row 0, number of shots, geophone spacing; for each shot a row with its position,
    its number of first breaks and 0, then as many rows with position, time and a code, which is not read (Plotrefa's
    layer); rows of zeros, or nothing. Positions are in the unit of the survey; the file does not say which.
    Raises PicksError where the file is anything else.
    Source: no specification is public. The rows are those that Geosis (later Refrapy) writes for SeisImager and that
    vs2sgt.m (A. Plattner, 2017) and other readers expect, which agree.
    """
    rows = read_number_rows(data, where)
    mark = rows.row(0, "1996, 0, 3.0")
    if mark[0] != FORMAT_MARK:
        raise PicksError(f"{where} starts with {mark[0]:g}, expected {FORMAT_MARK}, the mark of a SeisImager .vs file")
    n_shots = rows.row(1, "0, the number of shots, the geophone spacing")[1]
    if n_shots != int(n_shots) or n_shots < 1:
        raise PicksError(f"{where}, line {rows.lines[1]}: {n_shots:g} shots, expected a whole number above 0")
    blocks: list[NDArray[np.float64]] = []
    at = 2
    while len(blocks) < n_shots:
        shot_m, n, _ = rows.row(at, "the shot's position, its number of first breaks, 0")
        if n != int(n) or n < 0:
            raise PicksError(f"{where}, line {rows.lines[at]}: {n:g} first breaks, expected a whole number")
        found = rows.block(at + 1, int(n), [0, 1])
        odd = [row for row in range(at + 1, at + 1 + int(n)) if len(rows.words[row]) > 3]
        if odd:
            raise PicksError(f"{where}, line {rows.lines[odd[0]]}: more than position, time and code")
        blocks.append(np.column_stack([np.full(int(n), shot_m), found]))
        at += 1 + int(n)
    if any(len(words) > 2 for words in rows.words[at:]):
        raise PicksError(
            f"{where}, line {rows.lines[at]}: more follows than the {n_shots:g} shots that line 2 tells of"
        )
    labels = np.concatenate(blocks)
    return locate_first_breaks(where, "x", origin, labels[:, :1], labels[:, 1:2], labels[:, 2])


def vs_bytes(picks: PlacedPicks) -> bytes:
    """Return a .vs file that read_vs takes: a block a shot, in the order of the survey; times in ms from the shot.

    Positions are along the line, see PlacedPicks.along_line. Traces without a pick are left out; a shot without any
    stays, with none. Raises PicksError where the survey is no line, or a way from shot to receiver is picked twice.
    """
    source, receiver = (np.round(position, 6) + 0.0 for position in picks.along_line())
    rows = picks.picked
    picks.check_named_by_place(source[rows, None], receiver[rows, None])
    stations = np.unique(receiver[np.isfinite(receiver)])
    spacing = float(np.median(np.diff(stations))) if len(stations) > 1 else 0.0
    _, first, which = np.unique(picks.shot, return_index=True, return_inverse=True)
    by_shot = np.argsort(which, kind="stable")
    start = np.searchsorted(which[by_shot], np.arange(len(first) + 1))
    lines: list[str] = []
    known = 0
    for shot in np.argsort(first):
        own = by_shot[start[shot] : start[shot + 1]]
        own = own[rows[own]]
        position = source[first[shot]]
        if not np.isfinite(position):
            continue  # a shot without coordinates and without picks
        known += 1
        lines.append(f"{position:.6f} {len(own)} 0.000000")
        own = own[np.argsort(receiver[own], kind="stable")]
        lines += [f"{receiver[row]:.6f} {picks.time_ms[row]:.6f} 1" for row in own]
    head = [f"{FORMAT_MARK} 0 3.000000", f"0 {known} {spacing:.6f}"]
    return ("\n".join([*head, *lines, "0 0", "0", "0 0"]) + "\n").encode()
