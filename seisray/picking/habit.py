"""What of a wavelet people mark, as a constant: how far their labels lie from the picks of the same traces."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seisray.config import PickConfig
from seisray.errors import ConfigError, PicksError
from seisray.formats.picks.corrected import ByHand, GatherFirstBreaks, labelled_by, read_corrected_csv
from seisray.gather import Gather, spread_over
from seisray.picking.picker import GatherPicker, weights_sha256
from seisray.picking.polarity import with_polarity
from seisray.picking.tempo import resampling_of
from seisray.picking.work import SurveyWork, Work
from seisray.registry import Model, Store, Survey
from seisray.shards import read_columns, read_gather, rows
from seisray.storage import locate
from seisray.stream import check_labels

LEAST_SHARED = 8  # traces by which labels can be told from picks
MOST_GATHERS = 64  # that a constant is told from
MOST_SHARDS = 256  # that are looked through for labels
MOST_MS = 100.0  # labels farther off count from elsewhere, or are of other shots
NEAR_MS, LEAST_NEAR = 2.0, 0.5  # labels of one event: so many of them lie so near their constant


@dataclass(frozen=True, kw_only=True, slots=True)
class Habit:
    """Say how labels lie from picks: their median, NaN where fewer than LEAST_SHARED traces have both.

    n: traces that have both. near: share of them within NEAR_MS of the median.
    """

    ms: float
    n: int
    near: float

    def said(self, labels: str) -> str:
        """Return what to tell of it, with a doubt where labels follow no constant."""
        line = f"the median by which labels of {labels} lie from {self.n} of them; {self.near:.0%} of these lie within "
        line += f"{NEAR_MS:g} ms of it"
        return line if self.near >= LEAST_NEAR else f"{line}: are they of these shots, and all of one event?"


def habit_of(differences_ms: Sequence[float]) -> Habit:
    """Return what labels less picks tell, NaN = one of the two is missing."""
    shared = np.array(differences_ms)[np.isfinite(differences_ms)]
    if len(shared) < LEAST_SHARED:
        return Habit(ms=np.nan, n=len(shared), near=np.nan)
    median_ms = float(np.median(shared))
    return Habit(ms=median_ms, n=len(shared), near=float(np.mean(np.abs(shared - median_ms) <= NEAR_MS)))


def told_by(picker: GatherPicker, gathers: Iterable[Gather]) -> Habit:
    """Return how the labels of gathers lie from a picker's picks without a flag; gathers that fail are told of."""
    differences_ms: list[float] = []
    for gather in gathers:
        found, failure = picker.rows(gather)
        if failure:
            print(f"gather {gather.gather_id!r}, whose labels tell a habit, is left out: {failure}", file=sys.stderr)
        pick_ms = np.where(found["flag"].to_numpy() == "ok", found["pick_ms"].to_numpy(), np.nan)
        differences_ms += (gather.first_break_ms - pick_ms).tolist()
    return habit_of(differences_ms)


def check_habit(habit: Habit, where: str) -> None:
    """Raise ConfigError where labels lie too far from picks for a habit; where: whose they are."""
    if abs(habit.ms) > MOST_MS:
        raise ConfigError(
            f"{where}: labels lie {habit.ms:+.0f} ms from picks, expected {MOST_MS:g} ms at most; do they count from "
            "the first sample, and are they of these shots?"
        )


def with_habit(
    store: Store, card: Model, work: Work, config: PickConfig, resampling: float
) -> tuple[PickConfig, dict[str, str]]:
    """Return settings with habit_ms as the labels in config.habit tell it, and for a manifest whose labels these are.

    config: its polarity, not "auto", and resampling are those of what is picked. Raises ConfigError or PicksError where
    labels cannot tell.
    """
    if not config.habit:
        return config, {}
    if config.habit_ms:
        raise ConfigError(f"--habit {config.habit} tells by how much picks are moved; leave out --habit-ms")
    gathers, own = _labelled(store, work, config.habit)
    # without windows: they are of what is picked, and would hide labels elsewhere
    plain = PickConfig(
        engine=config.engine, smoothness=config.smoothness, average=config.average, polarity=config.polarity
    )
    if own.identity != work.identity:
        resampling = resampling_of(card, own)
        plain = with_polarity(store, card, own, replace(plain, polarity="auto"), resampling)
    picker = GatherPicker(
        store,
        card,
        sha256=weights_sha256(store, card),
        config=plain,
        sample_interval_us=own.sample_interval_us,
        resampling=resampling,
    )
    habit = told_by(picker, gathers)
    if np.isnan(habit.ms):
        raise ConfigError(
            f"--habit {config.habit}: {habit.n} traces have both a label and a pick without a flag, expected "
            f"{LEAST_SHARED} or more; label another gather, or give --habit-ms"
        )
    check_habit(habit, f"--habit {config.habit}")
    print(f"picks are moved by {habit.ms:+.2f} ms (--habit-ms), {habit.said(config.habit)}", file=sys.stderr)
    return replace(config, habit="", habit_ms=round(habit.ms, 3)), {"habit_of": config.habit}


def _labelled(store: Store, work: Work, labels: str) -> tuple[Iterator[Gather], SurveyWork]:
    """Return MOST_GATHERS labelled gathers at most, and their survey.

    labels: a survey, or a CSV of the one that is picked.
    """
    if labels in store.names("surveys"):
        own = SurveyWork(store=str(store), survey=store.survey(labels))
        places = _labelled_places(store, own.survey)
        if not places:
            looked_at = f"of the {min(len(own.survey.shards), MOST_SHARDS)} shards looked through"
            raise ConfigError(f"--habit {labels}: no gather {looked_at} has labels; name a survey that has, or a CSV")
        return _read(store, own.survey, places, None), own
    if not locate(labels).exists():
        raise ConfigError(f"--habit {labels}: neither a survey in {store} nor a CSV file")
    if not isinstance(work, SurveyWork):
        raise ConfigError(f"--habit {labels}: a CSV names gathers of a survey; ingest the files, or give --habit-ms")
    given = read_corrected_csv(locate(labels).read_bytes(), labels)
    check_labels(given, [work.survey])
    return _read(store, work.survey, _named_places(store, work.survey, given), given), work


def _labelled_places(store: Store, survey: Survey) -> list[tuple[int, int]]:
    """Return shard and row of gathers with labels; of a survey of many shards, of MOST_SHARDS spread over it."""
    return [
        (number, i)
        for number in spread_over(range(len(survey.shards)), MOST_SHARDS)
        for i, row in enumerate(rows(read_columns(store.shard(survey, number), ["first_break_ms"])))
        if np.isfinite(row["first_break_ms"]).any()
    ]


def _named_places(store: Store, survey: Survey, labels: ByHand) -> list[tuple[int, int]]:
    """Return shard and row of gathers that labels name; raise PicksError where an FFID names several, or an id none."""
    named = [
        (ffid, (number, row))
        for number, shard in enumerate(survey.shards)
        for row, ffid in enumerate(shard["ffids"])
        if ffid in labels.ffids
    ]
    if isinstance(labels, GatherFirstBreaks):
        ids = {
            number: read_columns(store.shard(survey, number), ["gather_id"])["gather_id"].to_pylist()
            for number in {number for _, (number, _) in named}
        }
        found = {ids[number][row]: (number, row) for _, (number, row) in named}
        if strangers := sorted(labels.by_gather.keys() - found.keys()):
            raise PicksError(f"{labels.where}: {survey.survey} has no gather {strangers[0]!r} ({len(strangers)} such)")
        return [place for gather_id, place in found.items() if gather_id in labels.by_gather]
    (ffid, n), *_ = Counter(ffid for ffid, _ in named).most_common(1)
    if n > 1 and labels.key == "trace":
        raise PicksError(
            f"{labels.where}: FFID {ffid} names {n} gathers of {survey.survey}, so labels by FFID and trace fit none; "
            "add a column gather_id, such as review writes"
        )
    return [place for _, place in named]


def _read(store: Store, survey: Survey, places: Sequence[tuple[int, int]], labels: ByHand | None) -> Iterator[Gather]:
    for number, row in spread_over(places, MOST_GATHERS):
        stored = read_gather(store.shard(survey, number), row)
        gather = labelled_by(labels, stored) if labels else stored
        if gather is not None:
            yield gather
