"""What a picker learns from: sure picks in the place of labels, and gathers labelled by hand before them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pickable import write_survey
from picked import picked_store

from seisray.errors import ConfigError, PicksError
from seisray.gather import Gather
from seisray.registry import Store
from seisray.training import sure_picks
from seisray.training.labelled_gathers import labelled_gathers
from seisray.training.sure_picks import moved, spread_evenly

LATE_MS = 3.0
PROBABILITY = [0.9, 0.6, 0.4, 0.9]
LineGathers = Callable[..., list[Gather]]


@pytest.fixture
def gathers(line_gathers: LineGathers) -> list[Gather]:
    return line_gathers(4)


@pytest.fixture
def store(gathers: list[Gather], tmp_path: Path) -> Store:
    """Return a store whose survey has labels, and picks LATE_MS after them, those of gather 103 in doubt."""
    return picked_store(tmp_path, gathers, late_ms=[LATE_MS] * 4, probability=PROBABILITY)


def late_ms(found: list[Gather], gathers: list[Gather]) -> dict[int, float]:
    """Return the median of how far the labels of gathers found lie after those of the survey."""
    own = {gather.ffid: gather for gather in gathers}
    return {one.ffid: float(np.nanmedian(one.first_break_ms - own[one.ffid].first_break_ms)) for one in found}


def test_sure_picks_take_the_place_of_labels(
    store: Store, gathers: list[Gather], capsys: pytest.CaptureFixture
) -> None:
    found = labelled_gathers(store, ["line"], labels_of="line-picks", least_probability=0.5)
    assert late_ms(found.gathers, gathers) == pytest.approx({101: LATE_MS, 102: LATE_MS, 104: LATE_MS}, abs=1e-3)
    assert [one.labelled.sum() for one in found.gathers] == [one.live.sum() for one in found.gathers]
    assert found.origin["labels_of"]["n_labels"] == sum(one.labelled.sum() for one in found.gathers)
    assert "33 of 44 picks (probability 0.5 or more, no flag) are labels" in capsys.readouterr().err


def test_the_least_probability_counts_and_flags_count(store: Store) -> None:
    ffids = {
        least: [
            one.ffid
            for one in labelled_gathers(store, ["line"], labels_of="line-picks", least_probability=least).gathers
        ]
        for least in (0.0, 0.7)
    }
    assert ffids == {0.0: [101, 102, 104], 0.7: [101, 104]}  # 103 is flagged, whatever its probability


def test_gathers_labelled_by_hand_stay_as_they_were_labelled(
    store: Store, gathers: list[Gather], tmp_path: Path
) -> None:
    by_hand = tmp_path / "labels.csv"
    by_hand.write_text("ffid,trace,time_ms\n102,1,33.5\n103,2,35.5\n")
    found = labelled_gathers(store, ["line"], labels=str(by_hand), labels_of="line-picks", least_probability=0.5)
    own = {one.ffid: one for one in found.gathers}
    assert list(own) == [101, 102, 103, 104]
    assert [own[ffid].labelled.sum() for ffid in (102, 103)] == [1, 1]
    assert own[102].first_break_ms[0] == 33.5
    assert late_ms([own[101]], gathers)[101] == pytest.approx(LATE_MS, abs=1e-3)
    assert set(found.origin) == {"labels", "labels_of"}


def test_picks_are_moved_to_what_labels_by_hand_mark(
    store: Store, gathers: list[Gather], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    rows = [
        f"102,{trace},{time_ms:.3f}" for trace, time_ms in zip(gathers[1].trace, gathers[1].first_break_ms, strict=True)
    ]
    by_hand = tmp_path / "labels.csv"
    by_hand.write_text("\n".join(["ffid,trace,time_ms", *(row for row in rows if "nan" not in row)]))
    found = labelled_gathers(store, ["line"], labels=str(by_hand), labels_of="line-picks", least_probability=0.5)
    assert late_ms(found.gathers, gathers) == pytest.approx({101: 0, 102: 0, 104: 0}, abs=0.01)
    assert found.origin["labels_of"]["constant_ms"] == pytest.approx(-LATE_MS, abs=0.01)
    assert "moved by -3.00 ms" in capsys.readouterr().err


def test_first_breaks_moved_out_of_the_record_are_left_out(gathers: list[Gather]) -> None:
    first, *_ = gathers
    end_ms = first.n_samples * first.sample_interval_us / 1000
    at_ends = first.replace(
        first_break_ms=np.r_[1.0, end_ms - 1.0, np.full(first.n_traces - 2, 20.0)].astype(np.float32)
    )
    assert np.flatnonzero(np.isnan(moved(at_ends, -2.0).first_break_ms)).tolist() == [0]
    assert np.flatnonzero(np.isnan(moved(at_ends, 2.0).first_break_ms)).tolist() == [1]


def test_picks_of_one_survey_join_labels_of_another(store: Store, gathers: list[Gather]) -> None:
    write_survey(store, [gather.replace(survey="other") for gather in gathers[:2]], name="other")
    found = labelled_gathers(store, ["other", "line:101-102"], labels_of="line-picks", least_probability=0.5)
    assert [(one.survey, one.ffid) for one in found.gathers] == [
        (one, ffid) for one in ("other", "line") for ffid in (101, 102)
    ]
    assert late_ms(found.gathers[:2], gathers) == {101: 0, 102: 0}
    assert late_ms(found.gathers[2:], gathers) == pytest.approx({101: LATE_MS, 102: LATE_MS}, abs=1e-3)


def test_large_surveys_give_some_gathers_from_all_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sure_picks, "MOST_GATHERS", 2)
    found = labelled_gathers(store, ["line"], labels_of="line-picks", least_probability=0.5)
    assert [one.ffid for one in found.gathers] == [101, 104]
    assert spread_evenly(range(10), 4) == [0, 3, 6, 9]
    assert spread_evenly([7, 8], 4) == [7, 8]


def test_what_is_learned_from_tells_runs_apart(store: Store) -> None:
    origins = [
        labelled_gathers(store, ["line"], labels_of="line-picks", least_probability=least).origin["labels_of"]["xxh3"]
        for least in (0.5, 0.55, 0.7)
    ]
    assert origins[0] == origins[1] != origins[2]


def test_picks_that_do_not_fit_are_refused(store: Store, line_gathers: LineGathers) -> None:
    write_survey(store, [gather.replace(survey="other") for gather in line_gathers(2)], name="other")
    with pytest.raises(ConfigError, match="these are picks of line; expected picks of a survey to learn from"):
        labelled_gathers(store, ["other"], labels_of="line-picks")
    with pytest.raises(ConfigError, match=r"none of 44 on 4 gathers has a probability of 0\.95"):
        labelled_gathers(store, ["line"], labels_of="line-picks", least_probability=0.95)
    with pytest.raises(ConfigError, match="write SURVEY:FFIDS"):
        labelled_gathers(store, ["line", "other"], ffids="101", labels_of="line-picks")
    with pytest.raises(PicksError, match="FFID 999"):
        labelled_gathers(store, ["line:999"], labels_of="line-picks")
