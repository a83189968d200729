"""Labels of surveys that people picked by different habits, brought onto what one picker marks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisray.config import SHIPPED, PickerConfig
from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.picking.picker import load_picker
from seisray.registry import Store
from seisray.training.finetune import finetune
from seisray.training.label_habits import habits_ms, without_habits
from seisray.training.picker import pick_gathers

AS_LEARNED = {"n_traces": 24, "n_samples": 1000, "sample_interval_us": 250.0}  # 60 samples a period


def turned(gathers: list[Gather]) -> list[Gather]:
    return [one.replace(samples=-one.samples) for one in gathers]


def labelled(gathers: list[Gather], survey: str, late_ms: float, store: Store) -> list[Gather]:
    """Return gathers, the way up that the shipped picker is surer of, labelled so long after what it picks."""
    up = turned(gathers)
    picks_ms = pick_gathers(load_picker(store, store.model(SHIPPED))[0], up, PickerConfig().panel)
    return [
        one.replace(survey=survey, first_break_ms=(at + late_ms).astype(np.float32))
        for one, at in zip(up, picks_ms, strict=True)
    ]


def test_labels_of_each_survey_are_brought_onto_the_picks(
    line_gathers: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    store, gathers = Store(str(tmp_path)), line_gathers(2, **AS_LEARNED)
    early, late = labelled(gathers, "early", -2.0, store), labelled(gathers, "late", 6.0, store)
    habits = habits_ms(store, store.model(SHIPPED), [*late, *early])
    assert habits == pytest.approx({"late": 6.0, "early": -2.0}, abs=1e-3)
    found = without_habits([*late, *early], habits)
    assert [one.survey for one in found] == ["late"] * 2 + ["early"] * 2
    for one, other in zip(found[:2], found[2:], strict=True):
        np.testing.assert_allclose(one.first_break_ms, other.first_break_ms, atol=2e-3)
    assert "late: labels are moved by -6.00 ms onto picks, less the median by which labels of late" in (
        capsys.readouterr().err
    )


def test_the_habit_of_a_survey_that_was_recorded_upside_down_is_the_same(
    line_gathers: Callable, tmp_path: Path
) -> None:
    store = Store(str(tmp_path))
    late = labelled(line_gathers(2, **AS_LEARNED), "late", 6.0, store)
    assert habits_ms(store, store.model(SHIPPED), turned(late)) == pytest.approx({"late": 6.0}, abs=1e-3)


def test_too_few_labels_stay(line_gathers: Callable, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    store = Store(str(tmp_path))
    (gather,) = labelled(line_gathers(1, **AS_LEARNED), "line", 1.0, store)
    few = gather.replace(first_break_ms=np.where(np.arange(24) < 5, gather.first_break_ms, np.nan), survey="few")
    habits = habits_ms(store, store.model(SHIPPED), [few])
    assert habits == {"few": 0.0}
    np.testing.assert_array_equal(without_habits([few], habits)[0].first_break_ms, few.first_break_ms)
    assert "few: labels stay: 4 traces have both a label and a pick, expected 8" in capsys.readouterr().err


def test_labels_from_elsewhere_are_refused(line_gathers: Callable, tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    far = labelled(line_gathers(2, **AS_LEARNED), "far", 120.0, store)
    with pytest.raises(ConfigError, match=r"far, --habits: labels lie \+120 ms from picks, expected 100 ms at most"):
        habits_ms(store, store.model(SHIPPED), far)


def test_labels_that_leave_the_record_are_left_out_and_told(
    line_gathers: Callable, capsys: pytest.CaptureFixture
) -> None:
    (gather,) = line_gathers(1, **AS_LEARNED)
    early = np.sort(gather.first_break_ms[gather.labelled])[3]
    (found,) = without_habits([gather], {"line": float(early)})
    assert found.labelled.sum() == gather.labelled.sum() - 3
    assert "line: 3 labels leave the record where they are moved, and are left out" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="--habits: all labels leave their records"):
        without_habits([gather], {"line": 250.0})
    assert without_habits([], {"line": 250.0}) == [], "nothing is held out"
    assert without_habits([gather], {})[0].labelled.tolist() == gather.labelled.tolist()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"source": "scratch"}, "--from scratch with --habits: .* expected a picker, such as shipped"),
        ({"source": SHIPPED, "labels_of": ["picks"]}, "--habits with --labels-of"),
    ],
)
def test_what_does_not_go_with_habits_is_told_first(tmp_path: Path, more: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        finetune(["line"], model="p", store=str(tmp_path), config=PickerConfig(habits=True), **more)
