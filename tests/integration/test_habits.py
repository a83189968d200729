"""Labels a constant after the onset: picks that follow them, and a picker that learns the onset of them."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pickable import write_survey

from seisray.api import finetune, pick_survey, score
from seisray.config import SHIPPED, PickConfig, PickerConfig, PickerTrainConfig, TransferConfig
from seisray.gather import Gather
from seisray.picking.parts import read_picks
from seisray.picking.picker import load_picker
from seisray.picking.verify import verify_picks
from seisray.registry import Store
from seisray.stream import read_labelled
from seisray.training.picker import pick_gathers

pytestmark = pytest.mark.usefixtures("ray_session")

HABIT_MS, WRONG_MS = 9.0, 30.0


@pytest.fixture
def store(line_gathers: Callable, tmp_path: Path) -> Store:
    """Return a store with a survey labelled HABIT_MS after the shipped picker's picks, one label WRONG_MS more."""
    store = Store(str(tmp_path))
    gathers = line_gathers(10, n_traces=24, n_samples=1000, sample_interval_us=250.0)
    picks_ms = pick_gathers(load_picker(store, store.model(SHIPPED))[0], gathers, PickerConfig().panel)
    write_survey(store, [late(gather, pick_ms) for gather, pick_ms in zip(gathers, picks_ms, strict=True)])
    return store


def late(gather: Gather, pick_ms: np.ndarray) -> Gather:
    first_break_ms = pick_ms + HABIT_MS
    if gather.ffid == 104:
        first_break_ms[4] += WRONG_MS
    return gather.replace(first_break_ms=first_break_ms.astype(np.float32))


def test_picks_follow_the_labels_and_a_run_goes_on_by_the_constant_it_was_told(store: Store) -> None:
    plain = pick_survey("line", model=SHIPPED, out="plain", store=str(store), workers=1)
    how = {"model": SHIPPED, "out": "moved", "store": str(store), "workers": 1}
    moved = pick_survey("line", config=PickConfig(habit="line"), **how)
    before, after = (read_picks(store, one)["pick_ms"].to_numpy() for one in (plain, moved))
    np.testing.assert_allclose(after, before + HABIT_MS, atol=2e-3)
    assert score("plain", store=str(store)).hit_rate_2ms == 0
    assert score("moved", store=str(store)).hit_rate_2ms > 0.99
    assert moved.settings["habit_of"] == "line"
    assert not verify_picks("moved", store=str(store)).faults
    (store.folder("picks", "moved") / "manifest.json").delete()
    again = pick_survey("line", config=PickConfig(habit_ms=moved.settings["pick"]["habit_ms"]), resume=True, **how)
    assert again.n_kept == moved.n_traces


def test_a_picker_learns_the_onset_of_labels_that_are_late(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    questioned: list[Gather] = []
    monkeypatch.setattr("seisray.training.finetune.question_labels", lambda gathers: questioned.extend(gathers) or [])
    config = PickerConfig(
        habits=True,
        train=PickerTrainConfig(steps=2, batch=2, workers=1),
        transfer=TransferConfig(lr=1e-7),  # what it picks stays where it was
    )
    card = finetune(["line"], source=SHIPPED, model="onset", store=str(store), config=config)
    assert card.details["habits_ms"] == pytest.approx({"line": HABIT_MS}, abs=0.01)
    assert card.metrics["train_hit_rate_2ms"] > 0.98, "of picks moved to the labels"
    pick_survey("line", model="onset", out="picks", store=str(store), workers=1)
    assert score("picks", store=str(store)).median_residual_ms == pytest.approx(-HABIT_MS, abs=0.1)
    suspects = store.folder("models", "onset", "v1") / "suspects.csv"
    (row,) = csv.DictReader(suspects.read_bytes().decode().splitlines())
    assert (row["ffid"], row["trace"]) == ("104", "5")
    assert float(row["label_ms"]) - float(row["pick_ms"]) == pytest.approx(WRONG_MS, abs=0.5)
    (gather,) = read_labelled(store, [store.survey("line")], [104])
    assert float(row["label_ms"]) == pytest.approx(gather.first_break_ms[4], abs=0.01), "as it stands in the survey"
    assert questioned[3].first_break_ms[4] == gather.first_break_ms[4], "a wrong origin is told though it is taken off"
