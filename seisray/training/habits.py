"""Labels of surveys that people picked by different habits, brought onto what one picker marks, a constant each."""

import sys
from collections.abc import Sequence

import numpy as np

from seisray.config import PanelConfig
from seisray.gather import Gather, by_survey
from seisray.models.picker import Picker
from seisray.picking.habit import LEAST_SHARED, MOST_GATHERS, constant, spread_over
from seisray.training.picker import pick_gathers
from seisray.training.sure_picks import moved


def without_habits(
    picker: Picker, gathers: Sequence[Gather], panel: PanelConfig
) -> tuple[list[Gather], dict[str, float]]:
    """Return gathers with the labels of each survey moved onto a picker's picks, and by survey how far they lay, in ms.

    They are moved by one constant a survey, the median of labels less picks of MOST_GATHERS gathers at most; labels
    that leave the record are left out. What is done is told on standard error, in a line for each survey.
    """
    found, habits = list[Gather](), dict[str, float]()
    for survey, own in by_survey(gathers).items():
        some = spread_over(own, MOST_GATHERS)
        picks_ms = pick_gathers(picker, some, panel)
        differences_ms = np.concatenate([one.first_break_ms - at for one, at in zip(some, picks_ms, strict=True)])
        habit_ms, n = constant(differences_ms.tolist())
        if np.isnan(habit_ms):
            said = f"{n} traces have both a label and a pick, expected {LEAST_SHARED}"
            print(f"{survey}: labels stay: {said}", file=sys.stderr)
            found += own
            continue
        kept, n_lost = moved(own, -habit_ms)
        lost = f", {n_lost} leave the record and are left out" if n_lost else ""
        print(f"{survey}: labels are moved by {-habit_ms:+.2f} ms onto the picks of {n} traces{lost}", file=sys.stderr)
        habits[survey] = round(habit_ms, 3)
        found += kept
    return found, habits
