"""Labels of surveys that people picked by different habits, brought onto what one picker marks, a constant each."""

import sys
from collections.abc import Mapping, Sequence

import numpy as np

from seisray.config import SHIPPED, PickConfig
from seisray.errors import ConfigError
from seisray.gather import Gather, by_survey, spread_over
from seisray.picking.habit import LEAST_SHARED, MOST_GATHERS, check_habit, told_by
from seisray.picking.picker import GatherPicker, weights_sha256
from seisray.picking.polarity import MOST_SHOWN, polarity_of
from seisray.registry import Model, Store
from seisray.training.sure_picks import moved


def check_source(card: Model | None, source: str) -> None:
    """Raise ConfigError unless labels can be brought onto the picks of what a picker starts from."""
    if card is None or card.kind != "picker":
        raise ConfigError(
            f"--from {source} with --habits: labels are brought onto the picks of the source; expected a picker, such "
            f"as {SHIPPED}"
        )


def habits_ms(store: Store, card: Model, gathers: Sequence[Gather]) -> dict[str, float]:
    """Return by survey how far labels of gathers lie from a picker's picks, the median of MOST_GATHERS at most.

    gathers: in the picker's tempo. Surveys of too few labels are 0; what is found is told on standard error.
    """
    found: dict[str, float] = {}
    for survey, own in by_survey(gathers).items():
        picker = GatherPicker(
            store,
            card,
            sha256=weights_sha256(store, card),
            config=PickConfig(polarity=polarity_of(store, card, spread_over(own, MOST_SHOWN), survey)),
            sample_interval_us=own[0].sample_interval_us,
        )
        habit = told_by(picker, spread_over(own, MOST_GATHERS))
        check_habit(habit, f"{survey}, --habits")
        if np.isnan(habit.ms):
            found[survey] = 0.0
            said = f"labels stay: {habit.n} traces have both a label and a pick, expected {LEAST_SHARED}"
        else:
            found[survey] = round(habit.ms, 3)
            said = f"labels are moved by {-habit.ms:+.2f} ms onto picks, less {habit.said(survey)}"
        print(f"{survey}: {said}", file=sys.stderr)
    return found


def without_habits(gathers: Sequence[Gather], habits: Mapping[str, float]) -> list[Gather]:
    """Return gathers with their labels moved onto a picker's picks, those without any left out.

    Labels that leave the record, as of an onset before its first sample, are left out, and told on standard error.
    Raises ConfigError where none is left.
    """
    found = []
    for survey, own in by_survey(gathers).items():
        kept, n_lost = moved(own, -habits.get(survey, 0.0))
        found += kept
        if n_lost:
            print(f"{survey}: {n_lost} labels leave the record where they are moved, and are left out", file=sys.stderr)
    if gathers and not found:
        raise ConfigError("--habits: all labels leave their records where they are moved; leave it out")
    return found
