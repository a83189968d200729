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
from seisray.training.finetune import source_picker
from seisray.training.habits import without_habits
from seisray.training.picker import pick_gathers

PANEL = PickerConfig().panel
AS_LEARNED = {"n_traces": 24, "n_samples": 1000, "sample_interval_us": 250.0}  # 60 samples a period


def labelled(gathers: list[Gather], survey: str, late_ms: float, store: Store) -> list[Gather]:
    """Return gathers of a survey labelled so long after what the shipped picker picks."""
    picks_ms = pick_gathers(load_picker(store, store.model(SHIPPED))[0], gathers, PANEL)
    return [
        one.replace(survey=survey, first_break_ms=(at + late_ms).astype(np.float32))
        for one, at in zip(gathers, picks_ms, strict=True)
    ]


def test_labels_of_each_survey_are_brought_onto_the_picks(
    line_gathers: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    store = Store(str(tmp_path))
    early, late = (
        labelled(line_gathers(2, **AS_LEARNED), "early", -2.0, store),
        labelled(line_gathers(2, **AS_LEARNED), "late", 6.0, store),
    )
    picker = source_picker(store, SHIPPED)
    found, habits = without_habits(picker, [*late, *early], PANEL)
    assert habits == pytest.approx({"late": 6.0, "early": -2.0}, abs=1e-3)
    assert [one.survey for one in found] == ["late"] * 2 + ["early"] * 2
    for one, other in zip(found[:2], found[2:], strict=True):
        np.testing.assert_allclose(one.first_break_ms, other.first_break_ms, atol=2e-3)
    assert "late: labels are moved by -6.00 ms onto the picks of" in capsys.readouterr().err


def test_too_few_labels_stay_and_labels_that_leave_the_record_are_counted(
    line_gathers: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    store = Store(str(tmp_path))
    (gather,) = labelled(line_gathers(1, **AS_LEARNED), "line", 1.0, store)
    few = gather.replace(first_break_ms=np.where(np.arange(24) < 5, gather.first_break_ms, np.nan), survey="few")
    first_break_ms = gather.first_break_ms.copy()
    first_break_ms[2] = 0.5  # the dead trace, which has no pick
    found, habits = without_habits(
        source_picker(store, SHIPPED), [few, gather.replace(first_break_ms=first_break_ms)], PANEL
    )
    np.testing.assert_array_equal(found[0].first_break_ms, few.first_break_ms)
    assert list(habits) == ["line"]
    assert np.isnan(found[1].first_break_ms[2])
    said = capsys.readouterr().err
    assert "few: labels stay: 4 traces have both a label and a pick, expected 8" in said
    assert "1 leave the record and are left out" in said


def test_only_a_picker_tells_habits(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--from scratch with --habits: .*expected a picker"):
        source_picker(Store(str(tmp_path)), "scratch")
