"""Picks as labels: a picker learns a site from those of its picks that it is sure of (pseudo-labels, Lee 2013)."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.formats.picks.corrected import FirstOf, GatherFirstBreaks, Labels, labelled_by
from seisray.gather import Gather
from seisray.picking.traces import PickedShard, picked_shards
from seisray.registry import PickSet, Store
from seisray.stream import read_labelled

MOST_GATHERS = 256  # they are held in memory
LEAST_SHARED = 8  # traces by which the habit of labels by hand can be told

Places = dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
"""Traces and times from the first sample in ms, by gather."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SureGathers:
    """Hold gathers whose first breaks are sure picks or labels by hand, NaN = neither, and what a card says of them."""

    gathers: list[Gather] = field(repr=False)
    origin: dict[str, Any]


def sure_gathers(
    store: Store,
    picks: PickSet,
    *,
    least_probability: float,
    ffids: Sequence[int] | None = None,
    given: Labels | None = None,
) -> SureGathers:
    """Return gathers of the survey picked, with the picks that have least_probability or more and no flag as labels.

    ffids: of which gathers, by default of MOST_GATHERS all over the survey. given: labels by hand; gathers that have
    such keep these alone, and the picks of all others are moved by the constant by which labels by hand differ from
    picks: what of a wavelet a first break marks, people say. All that is told on stderr. Raises ConfigError where no
    pick is sure.
    """
    survey = store.survey_of(picks)
    every = [ffid for shard in survey.shards for ffid in shard["ffids"]]
    chosen = list(ffids) if ffids else spread_evenly(every, MOST_GATHERS)
    by_hand = given.ffids & set(ffids or every) if given else set()
    sure: Places = {}
    with_picks, n_picked = set(by_hand), 0
    for shard in picked_shards(store, picks, ffids=sorted({*chosen, *by_hand})):
        n_picked += int(np.isfinite(shard.pick_ms).sum())
        for row, (trace, pick_ms) in _sure_rows(shard, least_probability).items():
            sure[shard.gather_id[row]] = (trace, pick_ms)
            with_picks |= {int(shard.ffid[row])} if len(trace) else set()
    n_sure = sum(len(trace) for trace, _ in sure.values())
    if not with_picks:
        raise ConfigError(
            f"picks {picks.name!r}: none of {n_picked} on {len(sure)} gathers has a probability of "
            f"{least_probability:g} and no flag; expected some, lower --least-probability or label a gather by hand"
        )
    own = GatherFirstBreaks(where=f"picks {picks.name!r}", ffids=frozenset(with_picks), by_gather=sure)
    labels: Labels = FirstOf(first=given, second=own) if given else own
    gathers = read_labelled(store, [survey], sorted(with_picks), labels)
    print(
        f"{picks.name}: {n_sure} of {n_picked} picks (probability {least_probability:g} or more, no flag) are labels; "
        f"looked at {len(sure)} of {survey.n_gathers} gathers",
        file=sys.stderr,
    )
    constant_ms = 0.0
    if given:
        constant_ms = habit_ms(gathers, given, sure)
        print(f"{picks.name}: moved by {constant_ms:+.2f} ms to what labels by hand mark", file=sys.stderr)
        gathers = [labelled_by(given, gather) or moved(gather, constant_ms) for gather in gathers]
    origin = {
        "picks": picks.name,
        "model": picks.model,
        "n_labels": n_sure,
        "constant_ms": constant_ms,
        "xxh3": _digest(sure),
    }
    return SureGathers(gathers=gathers, origin=origin)


def spread_evenly(ffids: Sequence[int], n: int) -> list[int]:
    """Return n of the FFIDs, or all if there are no more, evenly spread over them in their order."""
    return [ffids[i] for i in np.unique(np.linspace(0, len(ffids) - 1, min(n, len(ffids))).round().astype(int))]


def habit_ms(gathers: Sequence[Gather], given: Labels, picks: Places) -> float:
    """Return the median of labels by hand less picks over the traces that have both, 0 where these are too few."""
    found: list[float] = []
    for gather in gathers:
        by_hand = labelled_by(given, gather)
        if by_hand is None or gather.gather_id not in picks:
            continue
        label_ms = dict(zip(by_hand.trace.tolist(), by_hand.first_break_ms.tolist(), strict=True))
        found += [label_ms[trace] - pick_ms for trace, pick_ms in zip(*picks[gather.gather_id], strict=True)]
    shared = np.array(found)[np.isfinite(found)]
    return float(np.median(shared)) if len(shared) >= LEAST_SHARED else 0.0


def moved(gather: Gather, by_ms: float) -> Gather:
    """Return a gather with its first breaks moved; those that leave the record are NaN."""
    first_break_ms = gather.first_break_ms + np.float32(by_ms)
    end_ms = gather.n_samples * gather.sample_interval_us / 1000
    inside = (first_break_ms >= 0) & (first_break_ms <= end_ms)
    return gather.replace(first_break_ms=np.where(inside, first_break_ms, np.nan).astype(np.float32))


def _sure_rows(
    shard: PickedShard, least_probability: float
) -> dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return the traces and times of sure picks by the gather's row in its shard, empty where it has none."""
    sure = (shard.flag == "ok") & (shard.probability >= least_probability) & np.isfinite(shard.pick_ms)
    rows = {row: sure & (shard.row == row) for row in np.unique(shard.row).tolist()}
    return {row: (shard.trace[own].astype(np.int64), shard.pick_ms[own]) for row, own in rows.items()}


def _digest(places: Places) -> str:
    digest = xxhash.xxh3_64()
    for gather_id, (trace, time_ms) in sorted(places.items()):
        digest.update(gather_id.encode() + trace.tobytes() + time_ms.tobytes())
    return digest.hexdigest()
