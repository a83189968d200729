"""What people mark, as a constant told by their labels: here those of the shipped picker's own picks, moved."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from pickable import write_survey

from seisray.config import SHIPPED, PickConfig
from seisray.errors import ConfigError, PicksError
from seisray.gather import Gather
from seisray.ingest.settings import IngestConfig
from seisray.picking.decode import Picks, moved_by
from seisray.picking.habit import LEAST_SHARED, Habit, habit_of, told_by, with_habit
from seisray.picking.picker import GatherPicker, weights_sha256
from seisray.picking.tempo import resampling_of
from seisray.picking.work import SurveyWork, Work, field_work
from seisray.registry import Store
from seisray.resampling import resample_gather

HABIT_MS = 3.0
AS_LEARNED = {"n_traces": 24, "n_samples": 1000, "sample_interval_us": 250.0}  # 60 samples a period


@pytest.fixture(scope="module")
def picked(tmp_path_factory: pytest.TempPathFactory, line_gathers: Callable) -> tuple[Store, list[Gather]]:
    """Return a store with a survey `line`, of which one trace in two is labelled, HABIT_MS after what is picked."""
    store = Store(str(tmp_path_factory.mktemp("store")))
    gathers = [one.replace(samples=-one.samples) for one in line_gathers(4, **AS_LEARNED)]  # of that it is surer
    write_survey(store, gathers)
    card = store.model(SHIPPED)
    work = SurveyWork(store=str(store), survey=store.survey("line"))
    how = {"sample_interval_us": 250.0, "resampling": resampling_of(card, work)}
    picker = GatherPicker(store, card, sha256=weights_sha256(store, card), **how)
    found = []
    for gather in gathers:
        rows, _ = picker.rows(gather)
        ok = (rows["flag"].to_numpy() == "ok") & (np.arange(gather.n_traces) % 2 == 0)
        assert ok.sum() >= LEAST_SHARED
        found.append(gather.replace(first_break_ms=np.where(ok, rows["pick_ms"].to_numpy() + HABIT_MS, np.nan)))
    write_survey(store, found, fingerprint="labelled")
    write_survey(store, [one.replace(first_break_ms=np.full(24, np.nan)) for one in gathers], name="bare")
    return store, found


def habit_ms(store: Store, config: PickConfig, of: str = "line") -> float:
    return told(store, config, SurveyWork(store=str(store), survey=store.survey(of)))[0].habit_ms


def told(store: Store, config: PickConfig, work: Work) -> tuple[PickConfig, dict[str, str]]:
    card = store.model(SHIPPED)
    return with_habit(store, card, work, config, resampling_of(card, work))


def rows_of(store: Store, gather: Gather, config: PickConfig) -> np.ndarray:
    card = store.model(SHIPPED)
    how = {"sha256": weights_sha256(store, card), "sample_interval_us": 250.0}
    return GatherPicker(store, card, config=config, **how).rows(gather)[0]["pick_ms"].to_numpy()


def test_labels_of_a_survey_tell_by_how_much_picks_are_moved(
    picked: tuple[Store, list[Gather]], capsys: pytest.CaptureFixture
) -> None:
    store, gathers = picked
    assert habit_ms(store, PickConfig(habit="line")) == pytest.approx(HABIT_MS, abs=2e-3)
    assert habit_ms(store, PickConfig(habit="line"), of="bare") == pytest.approx(HABIT_MS, abs=2e-3)
    n = sum(int(one.labelled.sum()) for one in gathers)
    said = f"the median by which labels of line lie from {n} of them; 100% of these lie within 2 ms of it\n"
    assert f"picks are moved by +3.00 ms (--habit-ms), {said}" in capsys.readouterr().err


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
        told(store, config, work)
    found, whose = told(store, PickConfig(habit="line"), work)
    assert found == PickConfig(habit_ms=found.habit_ms), "the same run as with that --habit-ms"
    assert found.habit_ms == pytest.approx(HABIT_MS, abs=2e-3)
    assert whose == {"habit_of": "line"}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"habit": "bare"}, "--habit bare: no gather of the 2 shards looked through has labels"),
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
    plain, moved = (rows_of(store, gather, PickConfig(habit_ms=ms)) for ms in (0.0, -1.25))
    assert np.isfinite(plain).sum() > 4
    np.testing.assert_allclose(moved, plain - 1.25)


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


def test_a_habit_is_the_median_of_traces_that_have_both() -> None:
    enough = [1.0, 2.0, 9.0, np.nan] * 3
    assert habit_of(enough) == Habit(ms=2.0, n=9, near=pytest.approx(2 / 3))
    seven = [1.0] * (LEAST_SHARED - 1)
    assert np.isnan(habit_of([*seven, np.nan]).ms)
    assert habit_of([*seven, 1.0]).ms == 1.0


def test_labels_that_follow_no_constant_are_doubted() -> None:
    assert habit_of([3.0] * 9 + [9.0] * 8).said("few.csv").endswith("53% of these lie within 2 ms of it")
    said = habit_of([float(ms) for ms in range(0, 50, 5)]).said("few.csv")
    assert said.endswith("0% of these lie within 2 ms of it: are they of these shots, and all of one event?")


def test_labels_of_the_survey_beside_a_csv_do_not_count(picked: tuple[Store, list[Gather]], tmp_path: Path) -> None:
    store, (first, *_) = picked
    file = tmp_path / "labels.csv"
    known = np.flatnonzero(np.isfinite(first.first_break_ms))
    rows = [f"{first.ffid},{first.trace[i]},{first.first_break_ms[i] + 5:.4f}" for i in known]
    file.write_text("\n".join(["ffid,trace,time_ms", *rows[: LEAST_SHARED - 1], ""]))
    with pytest.raises(ConfigError, match=f"{LEAST_SHARED - 1} traces have both"):
        habit_ms(store, PickConfig(habit=str(file)))
    file.write_text("\n".join(["ffid,trace,time_ms", *rows, ""]))
    assert habit_ms(store, PickConfig(habit=str(file))) == pytest.approx(HABIT_MS + 5, abs=2e-3)
    file.write_text("ffid,channel,time_ms\n101,9999,20\n")
    with pytest.raises(ConfigError, match="0 traces have both"):
        habit_ms(store, PickConfig(habit=str(file)))


def test_ffids_that_name_several_gathers_or_none_are_told(picked: tuple[Store, list[Gather]], tmp_path: Path) -> None:
    store, gathers = picked
    again = [one.replace(gather_id=f"again-{one.ffid}", source_file="again.sgy") for one in gathers]
    write_survey(store, [*gathers, *again], name="twice", fingerprint="twice")
    file = tmp_path / "labels.csv"
    file.write_text("ffid,trace,time_ms\n102,1,20\n")
    with pytest.raises(PicksError, match=r"FFID 102 names 2 gathers of twice, .* add a column gather_id"):
        habit_ms(store, PickConfig(habit=str(file)), of="twice")
    file.write_text("ffid,trace,time_ms\n7,1,20\n")
    with pytest.raises(PicksError, match="FFID 7 is not in line"):
        habit_ms(store, PickConfig(habit=str(file)))


def test_labels_by_gather_find_their_gather_among_many_of_an_ffid(
    picked: tuple[Store, list[Gather]], tmp_path: Path
) -> None:
    store, (first, *_) = picked
    bare = first.replace(first_break_ms=np.full(24, np.nan))
    write_survey(store, [bare.replace(gather_id=f"g-{i}") for i in range(200)], name="many", fingerprint="many")
    file = tmp_path / "labels.csv"
    known = np.flatnonzero(np.isfinite(first.first_break_ms))
    rows = [f"{first.ffid},{first.trace[i]},{first.first_break_ms[i]:.4f},g-101" for i in known]
    file.write_text("\n".join(["ffid,trace,time_ms,gather_id", *rows, ""]))
    assert habit_ms(store, PickConfig(habit=str(file)), of="many") == pytest.approx(HABIT_MS, abs=2e-3)
    file.write_text("\n".join(["ffid,trace,time_ms,gather_id", *rows, f"{first.ffid},1,20,g-777", ""]))
    with pytest.raises(PicksError, match="many has no gather 'g-777'"):
        habit_ms(store, PickConfig(habit=str(file)), of="many")


def test_a_gather_that_cannot_be_picked_is_told_of_and_left_out(capsys: pytest.CaptureFixture) -> None:
    class Failing:
        def rows(self, gather: str) -> tuple[pa.Table, str | None]:
            flags = pa.table({"flag": ["failed"] * 2, "pick_ms": [np.nan] * 2})
            return flags, "MemoryError: too large"

    broken = SimpleNamespace(gather_id="g-1", first_break_ms=np.array([1.0, 2.0]))
    assert told_by(Failing(), [broken]).n == 0
    assert "gather 'g-1', whose labels tell a habit, is left out: MemoryError: too large" in capsys.readouterr().err


def test_labels_from_elsewhere_are_refused(picked: tuple[Store, list[Gather]]) -> None:
    store, gathers = picked
    far = [one.replace(first_break_ms=one.first_break_ms + np.float32(150), survey="far") for one in gathers]
    write_survey(store, far, name="far", fingerprint="far")
    with pytest.raises(ConfigError, match=r"labels lie \+153 ms from picks, expected 100 ms at most; do they count"):
        habit_ms(store, PickConfig(habit="far"))


def test_a_survey_at_another_interval_tells_the_same(picked: tuple[Store, list[Gather]]) -> None:
    store, gathers = picked
    fine = [resample_gather(one, 2.0).replace(survey="fine") for one in gathers]
    write_survey(store, fine, name="fine", fingerprint="fine")
    assert habit_ms(store, PickConfig(habit="fine")) == pytest.approx(HABIT_MS, abs=0.3)


def test_windows_are_of_what_is_moved(picked: tuple[Store, list[Gather]]) -> None:
    store, (gather, *_) = picked
    plain = np.nanmax(rows_of(store, gather, PickConfig()))
    assert np.nanmax(rows_of(store, gather, PickConfig(habit_ms=2.0))) == pytest.approx(plain + 2)
    config = PickConfig(habit_ms=2.0, latest_ms=plain + 1)  # which the pick itself is before, and is not moved
    assert np.nanmax(rows_of(store, gather, config)) <= plain + 1
