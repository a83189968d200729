"""Picks as labels: a picker learns a site from those of its picks that it is sure of (pseudo-labels, Lee 2013)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xxhash

from seisray import shards
from seisray.errors import ConfigError, PicksError
from seisray.formats.picks.corrected import ByHand, labelled_by
from seisray.gather import Gather
from seisray.picking.habit import LEAST_SHARED, habit_of
from seisray.picking.traces import PickedShard, picked_shards
from seisray.registry import PickSet, Store, Survey
from seisray.stream import check_labels

MOST_GATHERS = 256  # they are held in memory


@dataclass(frozen=True, kw_only=True, slots=True)
class SureGathers:
    """Hold gathers whose first breaks are sure picks or labels by hand, NaN = neither.

    said: a line on what is used, and what not. origin: the same for a card.
    """

    gathers: list[Gather] = field(repr=False)
    said: str
    origin: dict[str, Any]


def sure_gathers(
    store: Store,
    picks: PickSet,
    *,
    least_probability: float,
    ffids: Sequence[int] | None = None,
    by_hand: ByHand | None = None,
) -> SureGathers:
    """Return gathers of the survey picked, with the picks that have least_probability or more and no flag as labels.

    ffids: of which gathers, by default MOST_GATHERS from all over the survey and those labelled by hand. Gathers
    labelled by hand keep these labels alone, and the picks of all others are moved by the constant by which labels by
    hand differ from picks: what of a wavelet a first break marks, people say. Raises ConfigError where no pick is sure
    or no gather is labelled by hand though labels are given, PicksError where these or FFIDs are of another survey.
    """
    survey = store.survey_of(picks)
    if by_hand:
        check_labels(by_hand, [survey])
    chosen = _choose(survey, ffids, by_hand.ffids if by_hand else frozenset())
    hand, own, differences_ms = list[Gather](), list[Gather](), list[float]()
    n_picked = n_without = n_unused = 0
    for stored, picked in _looked_at(store, survey, picks, chosen):
        sure = (picked.flag == "ok") & (picked.probability >= least_probability) & np.isfinite(picked.pick_ms)
        n_picked += int(np.isfinite(picked.pick_ms).sum())
        gather = stored.replace(first_break_ms=np.where(sure, picked.pick_ms, np.nan).astype(np.float32))
        corrected = labelled_by(by_hand, stored) if by_hand else None
        if corrected is not None:
            hand.append(corrected)
            differences_ms += (corrected.first_break_ms - gather.first_break_ms).tolist()
            continue
        n_unused += int(stored.labelled.any())
        n_without += int(not sure.any())
        own += [gather] if sure.any() else []
    if not own:
        raise ConfigError(
            f"picks {picks.name!r}: none of {n_picked} looked at has a probability of {least_probability:g} or more "
            "and no flag; expected some, pick with --average --smoothness 1, or with another model"
        )
    if by_hand and not hand:
        raise ConfigError(f"{by_hand.where} labels no gather to learn from; add its FFIDs, or leave it out")
    habit = habit_of(differences_ms)
    if np.isnan(habit.ms):
        constant_ms = 0.0
        what_of_picks = f"stay where they are: {habit.n} traces have both, expected {LEAST_SHARED} to tell a constant"
    else:
        constant_ms = habit.ms
        what_of_picks = f"are moved by {habit.ms:+.2f} ms, the median of {habit.n} traces that have both"
    own, n_lost = moved(own, constant_ms)
    n_labels = sum(int(gather.labelled.sum()) for gather in own)
    said = [
        f"{n_labels} picks of {n_picked} (probability {least_probability:g} or more, no flag) are labels, on "
        f"{len(own)} gathers of {survey.n_gathers}",
        f"{n_without} others have no such pick",
    ]
    if by_hand:
        said.append(f"{len(hand)} gathers are labelled by hand, the picks {what_of_picks}")
    if n_unused:
        said.append(f"labels that the survey has of {n_unused} gathers do not count, only those of --labels do")
    if n_lost:
        said.append(f"{n_lost} picks left the record by that and are left out")
    origin = {
        "picks": picks.name,
        "model": picks.model,
        "least_probability": least_probability,
        "n_labels": n_labels,
        "constant_ms": constant_ms,
        "xxh3": _digest([*hand, *own]),
    }
    return SureGathers(gathers=[*hand, *own], said="; ".join(said), origin=origin)


def _looked_at(
    store: Store, survey: Survey, picks: PickSet, chosen: dict[int, dict[int, int]]
) -> Iterator[tuple[Gather, PickedShard]]:
    """Yield the gathers chosen as they are stored, and the picks of each."""
    ffids = sorted({ffid for rows in chosen.values() for ffid in rows.values()})
    for shard in picked_shards(store, picks, ffids=ffids):
        for row in chosen.get(shard.number, {}):
            yield shards.read_gather(store.shard(survey, shard.number), row), shard.of(row)


def moved(gathers: Sequence[Gather], by_ms: float) -> tuple[list[Gather], int]:
    """Return gathers with their first breaks moved, those without any left out, and how many left the record."""
    found, n_lost = [], 0
    for gather in gathers:
        first_break_ms = gather.first_break_ms + np.float32(by_ms)
        end_ms = gather.n_samples * gather.sample_interval_us / 1000
        lost = (first_break_ms < 0) | (first_break_ms > end_ms)
        n_lost += int(lost.sum())
        kept = gather.replace(first_break_ms=np.where(lost, np.nan, first_break_ms).astype(np.float32))
        found += [kept] if kept.labelled.any() else []
    return found, n_lost


def _choose(survey: Survey, ffids: Sequence[int] | None, labelled: frozenset[int]) -> dict[int, dict[int, int]]:
    """Return the FFIDs of gathers to look at, by the number of their shard and their row in it.

    Raises PicksError where an FFID is not in the survey.
    """
    places = [
        (number, row, ffid) for number, shard in enumerate(survey.shards) for row, ffid in enumerate(shard["ffids"])
    ]
    if ffids is None:
        spread = np.linspace(0, len(places) - 1, min(MOST_GATHERS, len(places))).round().astype(int)
        some = {*np.unique(spread).tolist(), *(i for i, (*_, ffid) in enumerate(places) if ffid in labelled)}
        places = [places[i] for i in sorted(some)]
    else:
        absent = sorted(set(ffids) - {ffid for *_, ffid in places})
        if absent:
            raise PicksError(f"FFID {absent[0]} is not in {survey.survey} ({len(absent)} such FFIDs)")
        wanted = set(ffids)
        places = [place for place in places if place[2] in wanted]
    chosen: dict[int, dict[int, int]] = {}
    for number, row, ffid in places:
        chosen.setdefault(number, {})[row] = ffid
    return chosen


def _digest(gathers: Sequence[Gather]) -> str:
    digest = xxhash.xxh3_64()
    for gather in gathers:
        digest.update(gather.gather_id.encode() + gather.first_break_ms.tobytes())
    return digest.hexdigest()
