"""Shots and stations that stand out, each with a figure and the reason in words."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seisray.picking.quality.delays import Shift
from seisray.picking.quality.robust import Floats, from_neighbours, group_median, spread
from seisray.picking.quality.traces import Group, Traces

LIMIT = 5.0
"""Spreads by which something must differ from its neighbours."""
BLIND_LIMIT = 8.0
"""The same without geometry, where a delay is what lines through neighbours leave over."""
HALVED = 0.5
"""A displacement must explain the picks at least so much better than a delay alone."""
MOSTLY = 0.9
"""Share of dead traces that makes a shot or station dead."""
REVERSED = -0.4
"""Median resemblance with the neighbours below which a station is reversed."""
FEW = 3
"""Traces below which nothing is said of a shot or station; of polarity below two more."""

SCHEMA = pa.schema(
    {
        "kind": pa.string(),
        "ffid": pa.int64(),
        "channel": pa.int32(),
        "x_m": pa.float64(),
        "y_m": pa.float64(),
        "fault": pa.string(),
        "figure": pa.float64(),
        "unit": pa.string(),
        "times_spread": pa.float64(),
        "n_traces": pa.int64(),
        "n_picked": pa.int64(),
        "reason": pa.string(),
    }
)
"""A row a fault. ffid: of a shot; channel: of a station, on the first of its traces; the other is null.
fault: late, early, misplaced, dead, reversed or scattered. times_spread: of the same figure among the others."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Say what is wrong with some shots or stations. which, figure, times_spread: (n_faulty,)."""

    name: str
    unit: str
    which: NDArray[np.intp] = field(repr=False)
    figure: Floats = field(repr=False)
    times_spread: Floats = field(repr=False)
    reasons: list[str] = field(repr=False)


def off_beat(
    term_ms: Floats,
    group: Group,
    n_picked: NDArray[np.intp],
    noise_ms: float,
    step_ms: float,
    *,
    limit: float = LIMIT,
) -> Fault:
    """Return the shots or stations whose delay differs from their neighbours'.

    term_ms: (n,), NaN = unknown. noise_ms: of a pick. step_ms: the sample interval, half of which no spread is below.
    """
    off, times = beside_neighbours(term_ms, group, n_picked, noise_ms, step_ms)
    which = np.flatnonzero((np.abs(times) > limit) & (n_picked >= FEW))
    what = "trigger time" if group.kind == "shot" else "its picks"
    reasons = [
        f"{what} {abs(off[i]):.1f} ms {'late' if off[i] > 0 else 'early'} against neighbouring {group.kind}s, "
        f"{abs(times[i]):.0f} times their spread"
        for i in which
    ]
    return Fault(name="delay", unit="ms", which=which, figure=off[which], times_spread=times[which], reasons=reasons)


def beside_neighbours(
    values: Floats, group: Group, n_picked: NDArray[np.intp], noise: float, step: float
) -> tuple[Floats, Floats]:
    """Return (n,): values less their neighbours' median, and the same in spreads of it; 0 where there is none."""
    off = np.full(len(group), np.nan)
    known = group.order[np.isfinite(values[group.order])]
    off[known] = from_neighbours(values[known], np.zeros(len(known), dtype=np.intp))
    off = np.nan_to_num(off)
    scale = np.sqrt(max(spread(off[known]), step / 2) ** 2 + noise**2 / np.maximum(n_picked, 1))
    return off, off / scale


def misplaced(shift: Shift, group: Group, n_picked: NDArray[np.intp], noise_ms: float) -> Fault:
    """Return the shots or stations whose picks lie better where these do not stand."""
    sides = [beside_neighbours(axis, group, n_picked, 0, 1e-3) for axis in shift.moved_m.T]
    times = np.max([np.abs(side[1]) for side in sides], axis=0)
    better = (shift.misfit_ms[:, 1] < HALVED * shift.misfit_ms[:, 0]) & (shift.misfit_ms[:, 0] > 2 * noise_ms)
    open_ = ~np.isfinite(shift.moved_m).all(axis=1)
    which = np.flatnonzero((times > LIMIT) & better & ~open_ & (n_picked >= FEW + 2))
    moved = np.stack([side[0] for side in sides], axis=1)[which]
    reasons = [
        f"its picks fit {np.hypot(dx, dy):.1f} m away ({dx:+.1f} m in x, {dy:+.1f} m in y): misfit "
        f"{shift.misfit_ms[i, 1]:.1f} in place of {shift.misfit_ms[i, 0]:.1f} ms"
        for i, (dx, dy) in zip(which, moved, strict=True)
    ]
    figure = np.hypot(moved[:, 0], moved[:, 1])
    return Fault(name="misplaced", unit="m", which=which, figure=figure, times_spread=times[which], reasons=reasons)


def dead(traces: Traces, group: Group, n_traces: NDArray[np.intp]) -> Fault:
    """Return the shots or stations of which nearly all traces are dead."""
    share = group.count(~traces.live) / np.maximum(n_traces, 1)
    which = np.flatnonzero((share >= MOSTLY) & (n_traces >= FEW))
    reasons = [f"{share[i]:.0%} of {n_traces[i]} traces are dead" for i in which]
    unknown = np.full(len(which), np.nan)
    return Fault(name="dead", unit="share", which=which, figure=share[which], times_spread=unknown, reasons=reasons)


def reversed_polarity(traces: Traces, group: Group, alike: NDArray[np.floating]) -> Fault:
    """Return the stations whose first arrivals are mostly those of their neighbours upside down.

    alike: (n_traces,) resemblances, NaN = unknown.
    """
    middle = group_median(alike.astype(np.float64), group.of, len(group))
    n = group.count(np.isfinite(alike))
    which = np.flatnonzero((middle < REVERSED) & (n >= FEW + 2))
    reasons = [f"first arrivals resemble those of neighbouring traces upside down ({middle[i]:+.2f})" for i in which]
    unknown = np.full(len(which), np.nan)
    return Fault(
        name="reversed", unit="correlation", which=which, figure=middle[which], times_spread=unknown, reasons=reasons
    )


def scattered(odd: NDArray[np.bool_], group: Group, n_picked: NDArray[np.intp]) -> Fault:
    """Return the shots or stations of which more than half of the picks are flagged inconsistent or outlier."""
    share = group.count(odd) / np.maximum(n_picked, 1)
    which = np.flatnonzero((share > 0.5) & (n_picked >= FEW + 2))
    reasons = [f"{share[i]:.0%} of {n_picked[i]} picks disagree with their neighbours" for i in which]
    unknown = np.full(len(which), np.nan)
    return Fault(
        name="scattered", unit="share", which=which, figure=share[which], times_spread=unknown, reasons=reasons
    )


def suspects_table(
    group: Group, faults: list[Fault], *, ffid: NDArray[np.int64], channel: NDArray[np.int32], picked: NDArray[np.bool_]
) -> pa.Table:
    """Return the faults of shots or stations as rows of SCHEMA. ffid, channel, picked: (n_traces,)."""
    n_traces, n_picked = group.count(np.ones(len(group.of), dtype=bool)), group.count(picked)
    parts = []
    for fault in faults:
        at, n = fault.which, len(fault.which)
        first = group.first[at]
        name = fault.name
        names = np.where(fault.figure > 0, "late", "early") if name == "delay" else np.full(n, name)
        shot = group.kind == "shot"
        columns = {
            "kind": [group.kind] * n,
            "ffid": ffid[first] if shot else pa.nulls(n, pa.int64()),
            "channel": pa.nulls(n, pa.int32()) if shot else channel[first],
            "x_m": group.xy_m[at, 0],
            "y_m": group.xy_m[at, 1],
            "fault": names.tolist(),
            "figure": fault.figure,
            "unit": [fault.unit] * n,
            "times_spread": np.abs(fault.times_spread),
            "n_traces": n_traces[at],
            "n_picked": n_picked[at],
            "reason": fault.reasons,
        }
        parts.append(pa.table(columns, schema=SCHEMA))
    return pa.concat_tables(parts) if parts else SCHEMA.empty_table()
