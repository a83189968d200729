"""Surface-consistent delays: pick = moveout at its offset + delay of its shot + delay of its station + residual.

Backfitting with Huber weights, linear in the traces; each round takes the means of what the others leave over. The
moveout carries the constant: half of the shots, and half of the stations, have a delay above 0.
Then, for each shot and each station, delay and displacement together: one that stands elsewhere than its coordinates
say is late on one side and early on the other, by slowness times distance.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seisray.picking.quality.robust import Floats, group_mean, group_median, spread
from seisray.picking.quality.traces import Group, Traces
from seisray.picking.quality.trend import Trend, fit_trend, place_knots

ROUNDS = 12
HUBER = 1.5
SHIFT_ROUNDS = 8
_FIT = 1 << 21  # traces that the moveout is fitted to at most


@dataclass(frozen=True, kw_only=True)
class Delays:
    """Hold the parts of the picks of a survey, in ms.

    shot_ms, station_ms: (n_shots,), (n_stations,), medians 0. residual_ms: (n_traces,), NaN without pick or offset.
    """

    trend: Trend
    shot_ms: Floats = field(repr=False)
    station_ms: Floats = field(repr=False)
    residual_ms: Floats = field(repr=False)


def decompose(traces: Traces, shots: Group, stations: Group) -> Delays:
    """Return moveout and delays of a survey with offsets."""
    used = np.flatnonzero(traces.picked & np.isfinite(traces.offset_m))
    offset, pick = traces.offset_m[used], traces.pick_ms[used]
    shot, station = shots.of[used], stations.of[used]
    some = slice(None, None, max(len(used) // _FIT, 1))
    knots = place_knots(offset)
    trend = _medians(offset[some], pick[some], knots)
    shot_ms, station_ms = np.zeros(len(shots)), np.zeros(len(stations))
    left = pick - trend.at(offset)
    shot_ms = np.nan_to_num(group_median(left, shot, len(shots)))
    left -= shot_ms[shot]
    for _ in range(ROUNDS):
        weight = huber(left, spread(left))
        for own, of in ((station_ms, station), (shot_ms, shot)):
            step = group_mean(left, weight, of, len(own))
            step -= np.median(own + step)
            own += step
            left -= step[of]
        before = trend.at(offset)
        trend = fit_trend(offset[some], (left + before)[some], weight[some], knots)
        left += before - trend.at(offset)
    residual_ms = np.full(len(traces), np.nan)
    residual_ms[used] = left
    return Delays(trend=trend, shot_ms=shot_ms, station_ms=station_ms, residual_ms=residual_ms)


def huber(left: Floats, scale: float) -> Floats:
    """Return weights that are 1 within HUBER times the scale, and fall with the distance beyond it."""
    reach = max(HUBER * scale, 1e-6)
    return np.minimum(1, reach / np.maximum(np.abs(left), reach))


def _medians(offset_m: Floats, time_ms: Floats, knots_m: Floats) -> Trend:
    """Return the trend through the median time around each knot, to start from."""
    cell = np.searchsorted((knots_m[1:] + knots_m[:-1]) / 2, offset_m)
    height = group_median(time_ms, cell, len(knots_m))
    known = np.isfinite(height)
    height = np.interp(knots_m, knots_m[known], height[known])
    return Trend(offset_m=knots_m, time_ms=np.maximum.accumulate(height))


class Shift(NamedTuple):
    """Hold where shots or stations truly stand, as their picks say.

    delay_ms: (n,), beside the displacement. moved_m: (n, 2), NaN where picks of one side only leave it open.
    misfit_ms: (n, 2) mean distances of the picks without and with the displacement.
    """

    delay_ms: Floats
    moved_m: Floats
    misfit_ms: Floats


def find_shifts(traces: Traces, delays: Delays, group: Group) -> Shift:
    """Return delay and displacement of each shot or station, by least absolute deviations."""
    used = np.flatnonzero(np.isfinite(delays.residual_ms))
    of, n = group.of[used], len(group)
    own_ms = delays.shot_ms if group.kind == "shot" else delays.station_ms
    left = delays.residual_ms[used] + own_ms[of]
    sign = 1 if group.kind == "station" else -1
    slowness = delays.trend.slowness_ms_per_m(traces.offset_m[used])
    toward = sign * slowness[:, None] * traces.direction[used]  # ms later for each metre moved along x, y
    scale = max(spread(delays.residual_ms), 1e-3)
    plain = _fit(left, np.ones((len(left), 1)), of, n, scale)
    full = _fit(left, np.column_stack([np.ones(len(left)), toward]), of, n, scale)
    count = np.maximum(np.bincount(of, minlength=n), 1)
    off = [
        np.abs(left - plain[of, 0]),
        np.abs(left - full[of, 0] - toward[:, 0] * full[of, 1] - toward[:, 1] * full[of, 2]),
    ]
    misfit = np.stack([np.bincount(of, one, n) / count for one in off], axis=1)
    moved = np.where(_both_sides(toward, of, n)[:, None], full[:, 1:], np.nan)
    return Shift(delay_ms=full[:, 0], moved_m=moved, misfit_ms=misfit)


def _both_sides(toward: Floats, of: NDArray[np.intp], n: int) -> NDArray[np.bool_]:
    """Return (n,): True where at least a tenth of the picks, and two, lie on the lesser of two opposite sides."""
    axis = np.abs(np.stack([np.bincount(of, np.abs(toward[:, i]), n) for i in (0, 1)], axis=1)).argmax(axis=1)
    along = toward[np.arange(len(of)), axis[of]]
    sides = np.stack([np.bincount(of[side], minlength=n) for side in (along > 0, along < 0)])
    return sides.min(axis=0) >= np.maximum(2, 0.1 * sides.sum(axis=0))


def _fit(left: Floats, terms: Floats, of: NDArray[np.intp], n: int, scale: float) -> Floats:
    """Return (n, n_terms): for each group, what the terms (n_traces, n_terms) are worth in what is left."""
    k = terms.shape[1]
    found = np.zeros((n, k))
    size = np.maximum(np.bincount(of, (terms**2).sum(axis=1), n), 1e-9)
    for _ in range(SHIFT_ROUNDS):
        weight = 1 / np.maximum(np.abs(left - (terms * found[of]).sum(axis=1)), scale)
        weight *= scale
        normal, right = np.empty((n, k, k)), np.empty((n, k))
        for i in range(k):
            right[:, i] = np.bincount(of, weight * terms[:, i] * left, n)
            for j in range(i, k):
                normal[:, i, j] = normal[:, j, i] = np.bincount(of, weight * terms[:, i] * terms[:, j], n)
        normal += 1e-6 * size[:, None, None] * np.eye(k)  # what across a line is not seen stays 0
        found[:] = np.linalg.solve(normal, right[:, :, None])[:, :, 0]
    return found
