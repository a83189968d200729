"""Labels that do not fit their gathers: another origin, another shot, single ones."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from seisray.gather import Gather
from seisray.training.suspects import describe, question_labels, suspect_labels, suspects_csv


@pytest.fixture(scope="module")
def gathers(line_gathers: Callable) -> list[Gather]:
    return list(line_gathers(16, n_traces=24, n_samples=600, sample_interval_us=250.0))


def labelled(gathers: Sequence[Gather], first_break_ms: Sequence[np.ndarray]) -> list[Gather]:
    return [gather.replace(first_break_ms=own) for gather, own in zip(gathers, first_break_ms, strict=True)]


def test_right_labels_raise_no_question(gathers: list[Gather]) -> None:
    assert question_labels(gathers) == []


@pytest.mark.parametrize(("by_ms", "said"), [(-10.0, "ms before the onset"), (25.0, "ms after the onset")])
def test_another_origin_is_noticed(gathers: list[Gather], by_ms: float, said: str) -> None:
    (line,) = question_labels(labelled(gathers, [gather.first_break_ms + by_ms for gather in gathers]))
    assert said in line
    assert abs(float(line.split(" ms ")[0].split()[-1]) - abs(by_ms)) <= 2
    assert line.endswith("are they counted from the first sample?")


@pytest.mark.parametrize("by", [-2, 2])
def test_labels_of_another_shot_are_noticed(gathers: list[Gather], by: int) -> None:
    wrong = labelled(gathers[2:-2], [gathers[i + by].first_break_ms for i in range(2, len(gathers) - 2)])
    (line,) = question_labels(wrong)
    assert f"labels fit the gathers of FFID {by:+d} better than their own" in line


def test_wrong_labels_are_noticed_beside_a_survey_of_right_ones_with_the_same_ffids(gathers: list[Gather]) -> None:
    right = [gather.replace(survey="other") for gather in gathers]
    late = labelled(gathers, [gather.first_break_ms + 25 for gather in gathers])
    (line,) = question_labels([*late, *right])
    assert line.startswith("line: ")
    assert "ms after the onset" in line
    shifted = labelled(gathers[2:], [gather.first_break_ms for gather in gathers[:-2]])
    (line,) = question_labels([*right, *shifted])
    assert line.startswith("line: labels fit the gathers of FFID -2 better")


def test_labels_of_a_survey_picked_by_another_habit_are_not_suspect(gathers: list[Gather]) -> None:
    other = [gather.replace(survey="other", first_break_ms=gather.first_break_ms + 8) for gather in gathers]
    other[2] = other[2].replace(first_break_ms=np.r_[other[2].first_break_ms[0] + 9, other[2].first_break_ms[1:]])
    rng = np.random.default_rng(0)
    picks = [gather.first_break_ms + rng.normal(scale=0.4, size=gather.n_traces) for gather in [*gathers, *gathers]]
    (found,) = suspect_labels([*gathers, *other], picks)
    assert (found.survey, found.ffid, found.trace) == ("other", gathers[2].ffid, 1)


def test_a_handful_of_labels_is_not_judged(gathers: list[Gather]) -> None:
    assert question_labels([gathers[0].replace(first_break_ms=np.r_[50.0, np.full(23, np.nan)])]) == []


def test_single_labels_far_from_the_picks_are_named_the_farthest_first(gathers: list[Gather]) -> None:
    rng = np.random.default_rng(0)
    picks = [gather.first_break_ms + 0.6 + rng.normal(scale=0.4, size=gather.n_traces) for gather in gathers]
    truth = [gather.first_break_ms.copy() for gather in gathers]
    truth[3][5] += 30
    truth[7][0] -= 12
    wrong = labelled(gathers, truth)
    found = suspect_labels(wrong, picks)
    assert [(one.ffid, one.trace) for one in found] == [(104, 6), (108, 1)]
    assert found[0].label_ms == pytest.approx(truth[3][5])
    (said,) = describe(found, wrong)
    assert "2 of 368 labels of line lie far" in said
    assert "(FFID 104: 1, FFID 108: 1)" in said
    rows = suspects_csv(found).decode().splitlines()
    assert rows[0] == "survey,ffid,trace,label_ms,pick_ms"
    assert rows[1].startswith("line,104,6,")


def test_a_few_suspects_of_one_survey_do_not_drown_among_those_of_another(gathers: list[Gather]) -> None:
    rng = np.random.default_rng(0)
    both = [gather.replace(survey=survey) for survey in ("line", "other") for gather in gathers]
    picks = [gather.first_break_ms + rng.normal(scale=0.4, size=gather.n_traces) for gather in both]
    truth = [gather.first_break_ms + 40 * (np.arange(24) % 8 == 7) * (gather.survey == "line") for gather in both]
    truth[20][5] += 30
    wrong = labelled(both, truth)
    line, other = describe(suspect_labels(wrong, picks), wrong)
    assert line.startswith("48 of 368 labels of line lie far")
    assert other.startswith("1 of 368 labels of other lie far")
    assert "(FFID 105: 1)" in other


def test_picks_that_scatter_make_no_label_suspect(gathers: list[Gather]) -> None:
    rng = np.random.default_rng(0)
    picks = [gather.first_break_ms + rng.normal(scale=3, size=gather.n_traces) for gather in gathers]
    assert suspect_labels(gathers, picks) == []
    assert suspect_labels(gathers, [np.full(gather.n_traces, np.nan) for gather in gathers]) == []
