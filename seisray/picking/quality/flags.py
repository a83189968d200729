"""A flag for each trace: how its pick sits among its neighbours, in the moveout, and beside its reciprocal."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seisray.picking.quality import suspects as faults_of
from seisray.picking.quality.delays import Delays, decompose, find_shifts
from seisray.picking.quality.reciprocity import difference, find_reciprocals
from seisray.picking.quality.robust import Floats, from_line, from_neighbours, group_median, spread
from seisray.picking.quality.suspects import Fault, suspects_table
from seisray.picking.quality.traces import FLAGS, Group, Traces, group_traces

LIMIT = 6.0
"""Spreads by which a pick must differ."""
LEAST_SAMPLES = 2.0
"""Samples by which it must differ at least."""
CODE = {name: code for code, name in enumerate(FLAGS)}


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Hold what was found; all but suspects (n_traces,), ms, NaN = could not be said.

    expected_ms: of moveout and delays. residual_ms: pick less that. neighbour_ms: pick less what its neighbours in the
    gather suggest. across_ms: the same of neighbouring shots at the same station. reciprocal_ms: pick less the pick
    with shot and receiver swapped, both less what is expected of them. flag: index into FLAGS.
    """

    flag: NDArray[np.int8] = field(repr=False)
    expected_ms: Floats = field(repr=False)
    residual_ms: Floats = field(repr=False)
    neighbour_ms: Floats = field(repr=False)
    across_ms: Floats = field(repr=False)
    reciprocal_ms: Floats = field(repr=False)
    suspects: pa.Table = field(repr=False)


def judge(traces: Traces, ffid: NDArray[np.int64], polarity: NDArray[np.floating] | None = None) -> Judgement:
    """Return what can be said of the picks of a survey. ffid, polarity: (n_traces,); None = not looked at."""
    shots, stations = group_traces(traces, "shot"), group_traces(traces, "station")
    found = _with_moveout(traces, shots, stations) if traces.has_offsets else _without(traces, shots, stations)
    off = found.off(traces)
    flag = _flags(traces, off)
    tables = []
    for group, faults in ((shots, found.shot_faults), (stations, found.station_faults)):
        n_picked = group.count(traces.picked)
        more = [faults_of.dead(traces, group, group.count(np.ones(len(traces), dtype=bool)))]
        if polarity is not None and group.kind == "station":
            more.append(faults_of.reversed_polarity(traces, group, polarity))
        more.append(faults_of.scattered(off.outlier | off.inconsistent, group, n_picked))
        tables.append(suspects_table(group, [*faults, *more], ffid=ffid, channel=traces.channel, picked=traces.picked))
    return Judgement(
        flag=flag,
        expected_ms=traces.pick_ms - found.residual_ms,
        residual_ms=found.residual_ms,
        neighbour_ms=found.neighbour_ms,
        across_ms=found.across_ms,
        reciprocal_ms=found.reciprocal_ms,
        suspects=pa.concat_tables(tables),
    )


@dataclass(frozen=True, kw_only=True)
class _Off:
    """Say which picks are off. outlier, inconsistent: (n_traces,)."""

    outlier: NDArray[np.bool_]
    inconsistent: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class _Found:
    residual_ms: Floats
    neighbour_ms: Floats
    across_ms: Floats
    reciprocal_ms: Floats
    shot_faults: list[Fault]
    station_faults: list[Fault]
    neighbour_doubt_ms: Floats | float = 0.0
    across_doubt_ms: Floats | float = 0.0

    def off(self, traces: Traces) -> _Off:
        """Return which picks disagree: in the gather and across shots, where both can be said, or with the moveout."""
        beside, across, model, back = (
            _beyond(values, traces, doubt)
            for values, doubt in (
                (self.neighbour_ms, self.neighbour_doubt_ms),
                (self.across_ms, self.across_doubt_ms),
                (self.residual_ms, 0.0),
                (self.reciprocal_ms, 0.0),
            )
        )
        beside_known, across_known = np.isfinite(self.neighbour_ms), np.isfinite(self.across_ms)
        odd = np.where(
            beside_known & across_known, beside & across, beside | across | (~beside_known & ~across_known & model)
        )
        odd |= back & (beside | across | model)
        odd |= model & across  # a run of neighbours that are wrong together
        return _Off(outlier=odd & model, inconsistent=odd & ~model)


def _beyond(values_ms: Floats, traces: Traces, doubt_ms: Floats | float) -> NDArray[np.bool_]:
    """Return where values are beyond LIMIT spreads, that of the survey and the pick's own together, and the doubt."""
    scale = max(spread(values_ms), traces.sample_interval_ms / 4)
    own = np.nan_to_num(np.minimum(traces.sigma_ms, 2 * scale))
    least = LEAST_SAMPLES * traces.sample_interval_ms
    return np.abs(values_ms) > np.maximum(LIMIT * np.hypot(scale, own), least) + doubt_ms


def _flags(traces: Traces, off: _Off) -> NDArray[np.int8]:
    """Return the gravest flag of each trace; the picker's own stays where nothing graver is found."""
    flag = np.where(traces.flag == CODE["no_pick"], CODE["ok"], traces.flag)
    for name, where in (
        ("inconsistent", off.inconsistent),
        ("outlier", off.outlier),
        ("outside_window", np.isfinite(traces.pick_ms) & ~traces.picked),
        ("no_pick", ~np.isfinite(traces.pick_ms)),
        ("dead", ~traces.live),
    ):
        flag = np.where(where, np.maximum(flag, CODE[name]), flag)
    return flag.astype(np.int8)


def _across_order(of: NDArray[np.intp], shots: Group) -> NDArray[np.intp]:
    """Return the order of traces by station, and from shot to neighbouring shot."""
    place = np.empty(len(shots), dtype=np.intp)
    place[shots.order] = np.arange(len(shots))
    return np.lexsort((place[shots.of], of))


def _with_moveout(traces: Traces, shots: Group, stations: Group) -> _Found:
    """Judge by what is left of the picks when moveout and surface-consistent delays are taken off."""
    delays = decompose(traces, shots, stations)
    residual_ms = delays.residual_ms.copy()
    noise_ms = spread(residual_ms)
    found: dict[str, list[Fault]] = {}
    for group, term_ms in ((shots, delays.shot_ms), (stations, delays.station_ms)):
        n_picked = group.count(np.isfinite(residual_ms))
        shift = find_shifts(traces, delays, group)
        moved = faults_of.misplaced(shift, group, n_picked, noise_ms)
        residual_ms = _moved(residual_ms, traces, delays, group, shift.delay_ms, shift.moved_m, moved.which)
        term_ms = np.where(n_picked > 0, term_ms, np.nan)
        term_ms[moved.which] = shift.delay_ms[moved.which]
        late = faults_of.off_beat(term_ms, group, n_picked, noise_ms, traces.sample_interval_ms)
        found[group.kind] = [late, moved]
    reciprocal = find_reciprocals(traces, shots, stations)
    order = _across_order(stations.of, shots)
    across_ms = np.full(len(traces), np.nan)
    across_ms[order] = from_neighbours(residual_ms[order], stations.of[order])
    return _Found(
        residual_ms=residual_ms,
        neighbour_ms=from_neighbours(residual_ms, traces.gather),
        across_ms=across_ms,
        reciprocal_ms=difference(residual_ms, reciprocal),
        shot_faults=found["shot"],
        station_faults=found["station"],
    )


def _moved(
    residual_ms: Floats,
    traces: Traces,
    delays: Delays,
    group: Group,
    delay_ms: Floats,
    moved_m: Floats,
    which: NDArray[np.intp],
) -> Floats:
    """Return the residuals with some shots or stations where their picks say."""
    rows = np.flatnonzero(np.isin(group.of, which))
    of = group.of[rows]
    own_ms = delays.shot_ms if group.kind == "shot" else delays.station_ms
    away = traces.offset_m[rows, None] * traces.direction[rows] + (
        moved_m[of] if group.kind == "station" else -moved_m[of]
    )
    changed = residual_ms.copy()
    changed[rows] += own_ms[of] - delay_ms[of]
    changed[rows] += delays.trend.at(traces.offset_m[rows]) - delays.trend.at(np.hypot(away[:, 0], away[:, 1]))
    return changed


def _without(traces: Traces, shots: Group, stations: Group) -> _Found:
    """Judge without geometry: by lines through neighbouring traces, and through neighbouring shots of a channel."""
    pick_ms = np.where(traces.picked, traces.pick_ms, np.nan)
    order = _across_order(stations.of, shots)
    across_ms = np.full(len(traces), np.nan)
    across_doubt_ms = np.zeros(len(traces))
    across_ms[order], across_doubt_ms[order] = from_line(pick_ms[order], stations.of[order])
    shot_ms = group_median(_sure(across_ms, across_doubt_ms), shots.of, len(shots))
    neighbour_ms, neighbour_doubt_ms = from_line(pick_ms, traces.gather)
    station_ms = group_median(_sure(neighbour_ms, neighbour_doubt_ms), stations.of, len(stations))
    across_ms -= np.nan_to_num(shot_ms)[shots.of]
    neighbour_ms -= np.nan_to_num(station_ms)[stations.of]
    faults = []
    for term_ms, group, left_ms in ((shot_ms, shots, across_ms), (station_ms, stations, neighbour_ms)):
        inner = term_ms.copy()
        inner[group.order[[0, -1]]] = np.nan  # lines through neighbours on one side alone tell too little
        n_picked = group.count(np.isfinite(left_ms))
        limits = (spread(left_ms), traces.sample_interval_ms)
        faults.append(faults_of.off_beat(inner, group, n_picked, *limits, limit=faults_of.BLIND_LIMIT))
    unknown = np.full(len(traces), np.nan)
    return _Found(
        residual_ms=unknown,
        neighbour_ms=neighbour_ms,
        across_ms=across_ms,
        reciprocal_ms=unknown.copy(),
        shot_faults=[faults[0]],
        station_faults=[faults[1]],
        neighbour_doubt_ms=neighbour_doubt_ms,
        across_doubt_ms=across_doubt_ms,
    )


def _sure(off_ms: Floats, doubt_ms: Floats) -> Floats:
    """Return what lines leave over where these agree as well as they mostly do; NaN elsewhere."""
    known = np.isfinite(off_ms)
    most = 3 * np.median(doubt_ms[known]) if known.any() else 0.0
    return np.where(doubt_ms <= most, off_ms, np.nan)
