"""Medians and spreads that a share of wrong picks does not move, over groups and over neighbours in a group."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Groups = NDArray[np.integer]

REACH = 3  # neighbours on either side
LINE_REACH = 4  # the same for lines, which need more of them
CHUNK = 1 << 18  # rows whose neighbours are laid out at a time: memory stays bounded
_MAD_TO_SIGMA = 1.4826
_SAMPLE = 1 << 20  # values that a spread is taken from


def spread(values: Floats) -> float:
    """Return the standard deviation that the median absolute deviation stands for; NaN are left out, 0 of none."""
    known = values[np.isfinite(values)]
    known = known[:: max(len(known) // _SAMPLE, 1)]
    return float(_MAD_TO_SIGMA * np.median(np.abs(known - np.median(known)))) if len(known) else 0.0


def row_median(rows: Floats, *, least: int = 1) -> Floats:
    """Return (n,) medians of (n, k) rows without their NaN; NaN where fewer than `least` are left."""
    ordered = np.sort(rows, axis=1)  # NaN come last
    known = np.isfinite(ordered).sum(axis=1)
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    middle = [
        np.take_along_axis(ordered, np.minimum(at, rows.shape[1] - 1)[:, None], axis=1)[:, 0] for at in (low, high)
    ]
    return np.where(known >= least, (middle[0] + middle[1]) / 2, np.nan)


def group_median(values: Floats, group: Groups, n_groups: int) -> Floats:
    """Return (n_groups,) medians of the values in each group, without NaN; NaN of none."""
    known = np.isfinite(values)
    values, group = values[known], group[known]
    order = np.lexsort((values, group))
    values = values[order]
    count = np.bincount(group, minlength=n_groups)
    first = np.cumsum(count) - count
    found = np.full(n_groups, np.nan)
    some = count > 0
    low, high = first + np.maximum(count - 1, 0) // 2, first + count // 2
    found[some] = (values[low[some]] + values[high[some]]) / 2
    return found


def group_mean(values: Floats, weight: Floats, group: Groups, n_groups: int) -> Floats:
    """Return (n_groups,) weighted means; 0 where a group has no weight."""
    total = np.bincount(group, weight, n_groups)
    return np.bincount(group, weight * values, n_groups) / np.where(total > 0, total, 1)


def from_neighbours(values: Floats, group: Groups) -> Floats:
    """Return each value less the median of its REACH neighbours on either side in its group; NaN with fewer than two.

    values, group: (n,), a group's values together and in order.
    """
    shifts = np.array([shift for shift in range(-REACH, REACH + 1) if shift])
    found = np.full(len(values), np.nan)
    for rows in _chunks(len(values)):
        found[rows] = values[rows] - row_median(_near(values, group, rows, shifts), least=2)
    return found


def from_line(values: Floats, group: Groups) -> tuple[Floats, Floats]:
    """Return each value less the nearest of three lines through its neighbours: those before, after, and on both sides.

    So neither slope nor kink of a moveout counts, and no geometry is needed. With it, by how much the lines differ
    among themselves: where a moveout bends sharply nothing can be told from them. values, group: (n,), a group's values
    together and in order. NaN where no side has three neighbours with a value.
    """
    before, after = np.arange(-LINE_REACH, 0), np.arange(1, LINE_REACH + 1)
    found, doubt = np.full(len(values), np.nan), np.zeros(len(values))
    for rows in _chunks(len(values)):
        sides = [_near(values, group, rows, shifts) for shifts in (before, after)]
        lines = [
            _line_at_0(sides[0], before),
            _line_at_0(sides[1], after),
            _line_at_0(np.concatenate(sides, axis=1), np.concatenate([before, after])),
        ]
        off = values[rows, None] - np.stack(lines, axis=1)
        known = np.isfinite(off)
        nearest = np.argmin(np.where(known, np.abs(off), np.inf), axis=1)
        found[rows] = off[np.arange(len(off)), nearest]
        reach = np.where(known, off, -np.inf).max(axis=1) - np.where(known, off, np.inf).min(axis=1)
        doubt[rows] = np.where(known.any(axis=1), reach, 0)
    return found, doubt


def _chunks(n: int) -> list[slice]:
    return [slice(first, min(first + CHUNK, n)) for first in range(0, n, CHUNK)]


def _near(values: Floats, group: Groups, rows: slice, shifts: NDArray[np.int64]) -> Floats:
    """Return (n_rows, n_shifts): what stands beside each row in its group; NaN beyond it."""
    at = np.arange(rows.start, rows.stop)[:, None] + shifts
    inside = (at >= 0) & (at < len(values))
    at = np.clip(at, 0, max(len(values) - 1, 0))
    return np.where(inside & (group[at] == group[rows, None]), values[at], np.nan)


def _line_at_0(near: Floats, at: NDArray[np.int64]) -> Floats:
    """Return where the line of median slope through (n, k) values at `at` meets 0; NaN with fewer than three."""
    one, other = np.triu_indices(len(at), 1)
    slope = row_median((near[:, other] - near[:, one]) / (at[other] - at[one]))
    return row_median(near - slope[:, None] * at, least=3)
