"""First breaks that name their traces by where shot and receiver stand, as refraction programs keep them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seisray.errors import PicksError
from seisray.formats.pairs import Pairs, find_rows, pairs
from seisray.formats.picks.first_breaks import PickOrigin, label
from seisray.gather import Gather

SAME_PLACE_M = 1e-3
"""Positions closer than this in a file are one place: programs write millimetres."""

LONE_TOLERANCE_M = 0.25
"""How near is near where one shot and one receiver leave no spacing to judge by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Hold distinct places: xy (n, 2) in metres; those within tolerance_m of one are nearest to it alone.

    cell: (n,) sorted squares of 2 * tolerance_m a side, in which at most one place lies.
    """

    xy: NDArray[np.float64] = field(repr=False)
    tolerance_m: float
    cell: Pairs = field(repr=False)

    def nearest(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return (n,): the place within the tolerance of each of (n, 2) positions; -1 = none."""
        found = np.full(len(xy), -1, dtype=np.int64)
        cell = np.floor(xy / (2 * self.tolerance_m))
        for east in (-1, 0, 1):
            for north in (-1, 0, 1):
                row = find_rows(self.cell, pairs(cell[:, 0] + east, cell[:, 1] + north))
                near = (row >= 0) & (np.hypot(*(xy - self.xy[row]).T) <= self.tolerance_m)
                found[near] = row[near]
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class LocatedFirstBreaks:
    """Hold first breaks by place; time_ms: (n_labels,), ms from `origin`. where: the file they are from.

    pair: (n_labels,), sorted pairs of a row of shots and one of receivers.
    axes: what the file's positions are compared by: "xy", or "x" where they are along a line.
    """

    where: str
    axes: str
    origin: PickOrigin
    shots: Places
    receivers: Places
    pair: Pairs = field(repr=False)
    time_ms: NDArray[np.float64] = field(repr=False)

    @property
    def n_labels(self) -> int:
        """Return the number of first breaks."""
        return len(self.time_ms)

    @property
    def ffids(self) -> None:
        """Return None: places name the traces."""
        return None

    @property
    def matched_by(self) -> str:
        """Return a clause that says how first breaks find their traces, for messages where none did."""
        low, high = self.receivers.xy.min(axis=0), self.receivers.xy.max(axis=0)
        spans = ", ".join(f"{axis} {low[i]:g}..{high[i]:g} m" for i, axis in enumerate(self.axes))
        along = "; distances along an oblique line do not fit its x and y" if self.axes == "x" else ""
        return (
            f"they are matched by position, within {self.receivers.tolerance_m:.3g} m, and the file's "
            f"{len(self.receivers.xy)} receivers at {spans} do not fit those of the survey{along}; give --geometry in "
            "the coordinates of the picks"
        )

    def on(self, gather: Gather) -> Gather:
        """Return the gather with its first breaks, in ms from the first sample; NaN where none is given.

        Each trace takes the first break whose shot and receiver are within the tolerance of its own.
        Raises PicksError where coordinates are not known, or a pick lies outside the record.
        """
        source, receiver = self._positions(gather, "source"), self._positions(gather, "receiver")
        shot, place = self.shots.nearest(source), self.receivers.nearest(receiver)
        row = find_rows(self.pair, pairs(shot, place))
        rows = np.flatnonzero(row >= 0)
        return label(gather, rows, self.time_ms[row[rows]], self.origin, self.where) if rows.size else gather

    def _positions(self, gather: Gather, point: str) -> NDArray[np.float64]:
        columns = [getattr(gather, f"{point}_{axis}_m") for axis in self.axes]
        xy = np.stack([*columns, *[np.zeros(gather.n_traces)] * (2 - len(columns))], axis=1)
        if not np.isfinite(xy).all():
            raise PicksError(
                f"{self.where} names traces by position, but gather {gather.gather_id!r} has no {point} coordinates; "
                "give --geometry, or first breaks as a CSV with ffid and channel"
            )
        return xy


def locate_first_breaks(
    where: str,
    axes: str,
    origin: PickOrigin,
    shot_m: NDArray[np.float64],
    receiver_m: NDArray[np.float64],
    time_ms: NDArray[np.float64],
) -> LocatedFirstBreaks:
    """Return first breaks by place.

    shot_m, receiver_m: (n, 1 or 2), the positions of each label along `axes`. time_ms: (n,), from `origin`.
    The tolerance is a quarter of the smallest receiver spacing, and for shots of their own spacing if that is less.
    Raises PicksError where there is none, a position is absurd, or shot and receiver are labelled twice.
    """
    if not len(time_ms):
        raise PicksError(f"{where} holds no first breaks; leave it out")
    if max(np.abs(shot_m).max(), np.abs(receiver_m).max()) > 1e8:
        raise PicksError(f"{where}: a position lies beyond 100,000 km; expected metres")
    shots, shot = _distinct(shot_m)
    receivers, receiver = _distinct(receiver_m)
    spacings = [_smallest_spacing_m(receivers), _smallest_spacing_m(shots)]
    tolerance_m = next((spacing / 4 for spacing in spacings if np.isfinite(spacing)), LONE_TOLERANCE_M)
    shot_places, shot_row = _places(shots, min(tolerance_m, spacings[1] / 4))
    receiver_places, receiver_row = _places(receivers, tolerance_m)
    pair, rows, counts = np.unique(pairs(shot_row[shot], receiver_row[receiver]), return_index=True, return_counts=True)
    if (counts > 1).any():
        twice = pair[counts > 1][0]
        at_shot, at_receiver = shot_places.xy[int(twice.real)], receiver_places.xy[int(twice.imag)]
        k = len(axes)
        raise PicksError(
            f"{where}: the first break of the shot at {axes} = {_text(at_shot[:k])} and the receiver at "
            f"{_text(at_receiver[:k])} m is given {counts.max()} times, expected once"
        )
    return LocatedFirstBreaks(
        where=where,
        axes=axes,
        origin=origin,
        shots=shot_places,
        receivers=receiver_places,
        pair=pair,
        time_ms=time_ms[rows],
    )


def _text(position: NDArray[np.float64]) -> str:
    return ", ".join(f"{value:g}" for value in position)


def _distinct(position_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distinct places (n, 2) of positions, to the millimetre, and which of them each position is."""
    xy = np.zeros((len(position_m), 2))
    xy[:, : position_m.shape[1]] = np.round(position_m / SAME_PLACE_M)
    names, which = np.unique(pairs(xy[:, 0], xy[:, 1]), return_inverse=True)
    return SAME_PLACE_M * np.stack([names.real, names.imag], axis=1), which


def _smallest_spacing_m(xy: NDArray[np.float64]) -> float:
    """Return the distance of the two places that are nearest to each other; infinite for one place."""
    if len(xy) < 2:
        return np.inf
    spacing_m = float(np.hypot(*(xy[1:] - xy[:-1]).T).min())
    while True:  # until no two lie in a square of half the spacing a side; each round takes off at least 29 %
        square = np.floor(2 * xy / spacing_m)
        names = pairs(square[:, 0], square[:, 1])
        order = np.argsort(names)
        together = np.flatnonzero(names[order][1:] == names[order][:-1])
        if not together.size:
            break
        spacing_m = float(np.hypot(*(xy[order[together]] - xy[order[together + 1]]).T).min())
    for east in range(3):  # nearer pairs can only lie in squares that are at most two apart
        for north in range(-2, 3):
            if (east, north) > (0, 0):
                row = find_rows(names[order], pairs(square[:, 0] + east, square[:, 1] + north))
                other = xy[order[row[row >= 0]]]
                spacing_m = min([spacing_m, *np.hypot(*(xy[row >= 0] - other).T).tolist()])
    return spacing_m


def _places(xy: NDArray[np.float64], tolerance_m: float) -> tuple[Places, NDArray[np.int64]]:
    """Return places in the order of their cells, and the row that each place of `xy` has there."""
    cell = np.floor(xy / (2 * tolerance_m))
    names = pairs(cell[:, 0], cell[:, 1])
    order = np.argsort(names)
    row = np.empty(len(xy), dtype=np.int64)
    row[order] = np.arange(len(xy))
    return Places(xy=xy[order], tolerance_m=tolerance_m, cell=names[order]), row
