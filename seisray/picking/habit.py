"""What of a wavelet people mark, as a constant: how far their labels lie from the picks of the same traces."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from seisray.config import PickConfig
from seisray.errors import ConfigError
from seisray.formats.picks.corrected import read_corrected_csv
from seisray.gather import Gather
from seisray.picking.picker import GatherPicker, weights_sha256
from seisray.picking.score import labels_of
from seisray.picking.tempo import resampling_of
from seisray.picking.work import SurveyWork, Work
from seisray.registry import Model, Store
from seisray.storage import locate
from seisray.stream import read_labelled

LEAST_SHARED = 8  # traces by which labels can be told from picks
MOST_GATHERS = 64  # that a constant is told from

T = TypeVar("T")


def constant(differences_ms: Sequence[float]) -> tuple[float, int]:
    """Return the median of labels less picks, NaN = one of the two is missing, and of how many it is.

    It is NaN where fewer than LEAST_SHARED traces have both.
    """
    shared = np.array(differences_ms)[np.isfinite(differences_ms)]
    return float(np.median(shared)) if len(shared) >= LEAST_SHARED else np.nan, len(shared)


def spread_over(values: Sequence[T], most: int) -> list[T]:
    """Return so many values at most, spread evenly from the first to the last."""
    return [values[i] for i in np.linspace(0, len(values) - 1, min(len(values), most)).round().astype(int)]


def with_habit(store: Store, card: Model, work: Work, config: PickConfig) -> PickConfig:
    """Return settings with habit_ms as the labels in config.habit tell it; as they are where it names none.

    Raises ConfigError where these cannot tell.
    """
    if not config.habit:
        return config
    if config.habit_ms:
        raise ConfigError(f"--habit {config.habit} tells by how much picks are moved; leave out --habit-ms")
    gathers, own = _labelled(store, work, config.habit)
    how = PickConfig(engine=config.engine, smoothness=config.smoothness, average=config.average)
    picker = GatherPicker(
        store,
        card,
        sha256=weights_sha256(store, card),
        config=how,
        sample_interval_us=own.sample_interval_us,
        resampling=resampling_of(card, own),
    )
    differences_ms: list[float] = []
    for gather in gathers:
        rows, _ = picker.rows(gather)
        pick_ms = np.where(rows["flag"].to_numpy() == "ok", rows["pick_ms"].to_numpy(), np.nan)
        differences_ms += (gather.first_break_ms - pick_ms).tolist()
    habit_ms, n = constant(differences_ms)
    if np.isnan(habit_ms):
        raise ConfigError(
            f"--habit {config.habit}: {n} traces have both a label and a pick without a flag, expected {LEAST_SHARED} "
            "or more; label another gather, or give --habit-ms"
        )
    said = f"the median by which labels of {config.habit} lie from {n} of them"
    print(f"picks are moved by {habit_ms:+.2f} ms, {said}", file=sys.stderr)
    return replace(config, habit_ms=round(habit_ms, 3))


def _labelled(store: Store, work: Work, labels: str) -> tuple[list[Gather], SurveyWork]:
    """Return MOST_GATHERS labelled gathers at most, and their survey.

    labels: a survey, or a CSV of the one that is picked.
    """
    if labels in store.names("surveys"):
        own = SurveyWork(store=str(store), survey=store.survey(labels))
        labelled = sorted(set(labels_of(store, labels)["ffid"].to_pylist()))
        if not labelled:
            raise ConfigError(f"--habit {labels}: this survey has no labels; name one that has, or a CSV")
        return read_labelled(store, [own.survey], spread_over(labelled, MOST_GATHERS)), own
    if not locate(labels).exists():
        raise ConfigError(f"--habit {labels}: neither a survey in {store} nor a CSV file")
    if not isinstance(work, SurveyWork):
        raise ConfigError(f"--habit {labels}: a CSV names gathers of a survey; ingest the files, or give --habit-ms")
    given = read_corrected_csv(locate(labels).read_bytes(), labels)
    return read_labelled(store, [work.survey], spread_over(sorted(given.ffids), MOST_GATHERS), given), work
