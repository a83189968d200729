"""What people mark, as a constant told by their labels: here those of the shipped picker's own picks, moved."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pickable import write_survey

from seisray.config import SHIPPED, PickConfig
from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.ingest.settings import IngestConfig
from seisray.picking.decode import Picks, moved_by
from seisray.picking.habit import LEAST_SHARED, constant, spread_over, with_habit
from seisray.picking.picker import GatherPicker, weights_sha256
from seisray.picking.tempo import resampling_of
from seisray.picking.work import SurveyWork, field_work
from seisray.registry import Store

HABIT_MS = 3.0
AS_LEARNED = {"n_traces": 24, "n_samples": 1000, "sample_interval_us": 250.0}  # 60 samples a period


@pytest.fixture(scope="module")
def picked(tmp_path_factory: pytest.TempPathFactory, line_gathers: Callable) -> tuple[Store, list[Gather]]:
    """Return a store with a survey `line`, of which one trace in three is labelled, HABIT_MS after what is picked."""
    store, gathers = Store(str(tmp_path_factory.mktemp("store"))), line_gathers(4, **AS_LEARNED)
    write_survey(store, gathers)
    card = store.model(SHIPPED)
    work = SurveyWork(store=str(store), survey=store.survey("line"))
    how = {"sample_interval_us": 250.0, "resampling": resampling_of(card, work)}
    picker = GatherPicker(store, card, sha256=weights_sha256(store, card), **how)
    found = []
    for gather in gathers:
        rows, _ = picker.rows(gather)
        ok = (rows["flag"].to_numpy() == "ok") & (np.arange(gather.n_traces) % 3 == 0)
        assert ok.sum() >= 4
        found.append(gather.replace(first_break_ms=np.where(ok, rows["pick_ms"].to_numpy() + HABIT_MS, np.nan)))
    write_survey(store, found, fingerprint="labelled")
    write_survey(store, [one.replace(first_break_ms=np.full(24, np.nan)) for one in gathers], name="bare")
    return store, found


def habit_ms(store: Store, config: PickConfig, of: str = "line") -> float:
    work = SurveyWork(store=str(store), survey=store.survey(of))
    return with_habit(store, store.model(SHIPPED), work, config).habit_ms


def test_labels_of_a_survey_tell_by_how_much_picks_are_moved(
    picked: tuple[Store, list[Gather]], capsys: pytest.CaptureFixture
) -> None:
    store, gathers = picked
    assert habit_ms(store, PickConfig(habit="line")) == pytest.approx(HABIT_MS, abs=2e-3)
    assert habit_ms(store, PickConfig(habit="line"), of="bare") == pytest.approx(HABIT_MS, abs=2e-3)
    n = sum(int(one.labelled.sum()) for one in gathers)
    assert f"picks are moved by +3.00 ms, the median by which labels of line lie from {n} of them" in (
        capsys.readouterr().err
    )


def test_windows_of_the_survey_that_is_picked_do_not_hide_labels(picked: tuple[Store, list[Gather]]) -> None:
    config = PickConfig(habit="line", latest_ms=1.0)
    assert habit_ms(picked[0], config) == pytest.approx(HABIT_MS, abs=2e-3)


def test_a_csv_labels_the_survey_that_is_picked(picked: tuple[Store, list[Gather]], tmp_path: Path) -> None:
    store, gathers = picked
    file = tmp_path / "labels.csv"
    rows = [
        f"{one.ffid},{trace},{time_ms - 1:.4f}"
        for one in gathers[:2]
        for trace, time_ms in zip(one.trace, one.first_break_ms, strict=True)
        if np.isfinite(time_ms)
    ]
    file.write_text("\n".join(["ffid,trace,time_ms", *rows, ""]))
    assert habit_ms(store, PickConfig(habit=str(file)), of="bare") == pytest.approx(HABIT_MS - 1, abs=2e-3)
    file.write_text("\n".join(["ffid,trace,time_ms", *rows[: LEAST_SHARED - 1], ""]))
    with pytest.raises(ConfigError, match=f"{LEAST_SHARED - 1} traces have both a label and a pick .* or give --habit"):
        habit_ms(store, PickConfig(habit=str(file)), of="bare")


def test_a_csv_needs_a_survey(picked: tuple[Store, list[Gather]], tmp_path: Path, write_segy: Callable) -> None:
    store, gathers = picked
    (tmp_path / "labels.csv").write_text("ffid,trace,time_ms\n101,1,20\n")
    work = field_work("day1", [str(write_segy(tmp_path / "day1.sgy", gathers))], IngestConfig(), store)
    config = PickConfig(habit=str(tmp_path / "labels.csv"))
    with pytest.raises(ConfigError, match="a CSV names gathers of a survey; ingest the files, or give --habit-ms"):
        with_habit(store, store.model(SHIPPED), work, config)
    assert with_habit(store, store.model(SHIPPED), work, PickConfig(habit="line")).habit_ms == pytest.approx(
        3, abs=0.01
    )


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"habit": "bare"}, "--habit bare: this survey has no labels"),
        ({"habit": "nobody"}, "--habit nobody: neither a survey in .* nor a CSV file"),
        ({"habit": "line", "habit_ms": 1.0}, "leave out --habit-ms"),
    ],
)
def test_what_tells_no_habit_is_said(picked: tuple[Store, list[Gather]], config: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        habit_ms(picked[0], PickConfig(**config))


@pytest.mark.parametrize("config", [{"habit": "line"}, {"habit_ms": 1.0}])
def test_a_peak_has_no_habit(config: dict) -> None:
    with pytest.raises(ConfigError, match="event is 'peak', expected learned where picks are moved by a habit"):
        PickConfig(event="peak", **config)


def test_rows_are_moved_by_the_constant(picked: tuple[Store, list[Gather]]) -> None:
    store, (gather, *_) = picked
    card = store.model(SHIPPED)
    how = {"sha256": weights_sha256(store, card), "sample_interval_us": 250.0}
    plain, moved = (
        GatherPicker(store, card, config=PickConfig(habit_ms=ms), **how).rows(gather)[0] for ms in (0.0, -1.25)
    )
    assert np.isfinite(plain["pick_ms"].to_numpy()).sum() > 4
    np.testing.assert_allclose(moved["pick_ms"].to_numpy(), plain["pick_ms"].to_numpy() - 1.25)
    assert moved["probability"].equals(plain["probability"])


def test_picks_that_leave_the_record_are_none() -> None:
    picks = Picks(
        pick_ms=np.array([1.0, 50.0, 99.0, np.nan]),
        probability=np.full(4, 0.9, np.float32),
        sigma_ms=np.array([1, 1, 1, np.nan], np.float32),
        flag=np.array(["ok", "ok", "ok", "low_probability"]),
    )
    early, late = moved_by(picks, -2.0, 99.0), moved_by(picks, 2.0, 99.0)
    np.testing.assert_array_equal(early.pick_ms, [np.nan, 48, 97, np.nan])
    assert early.flag.tolist() == ["outside_window", "ok", "ok", "low_probability"]
    np.testing.assert_array_equal(late.pick_ms, [3, 52, np.nan, np.nan])
    np.testing.assert_array_equal(late.sigma_ms, [1, 1, np.nan, np.nan])


def test_the_constant_is_the_median_of_traces_that_have_both() -> None:
    enough = [1.0, 2.0, 9.0, np.nan] * 3
    assert constant(enough) == (2.0, 9)
    assert np.isnan(constant(enough[: 4 * LEAST_SHARED // 4])[0])


def test_values_are_taken_from_first_to_last() -> None:
    assert spread_over(range(10), 4) == [0, 3, 6, 9]
    assert spread_over([5, 7], 4) == [5, 7]
    assert spread_over([], 4) == []
