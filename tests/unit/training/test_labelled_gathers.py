"""What a picker learns from: sure picks in the place of labels, and gathers labelled by hand before them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pickable import write_survey
from picked import picked_store

from seisray.errors import ConfigError, PicksError
from seisray.formats.picks.first_breaks import first_breaks_csv
from seisray.gather import Gather
from seisray.picking.traces import QUALITY
from seisray.registry import Store
from seisray.training import sure_picks
from seisray.training.labelled_gathers import labelled_gathers
from seisray.training.sure_picks import LEAST_SHARED, moved

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
    found = labelled_gathers(store, ["line"], labels_of=["line-picks"])
    assert late_ms(found.gathers, gathers) == pytest.approx({101: LATE_MS, 102: LATE_MS, 104: LATE_MS}, abs=1e-3)
    assert [one.labelled.sum() for one in found.gathers] == [one.live.sum() for one in found.gathers]
    assert found.origin["labels_of"][0]["n_labels"] == sum(one.labelled.sum() for one in found.gathers)
    assert (
        "33 picks of 44 (probability 0.5 or more, no flag) are labels, on 3 gathers of 4; 1 others"
        in capsys.readouterr().err
    )


def test_the_least_probability_counts_and_flags_count(store: Store, gathers: list[Gather]) -> None:
    found = labelled_gathers(store, ["line"], labels_of=["line-picks"], least_probability=0.7)
    assert [one.ffid for one in found.gathers] == [101, 104]
    flags = pa.table(
        {
            "gather_id": [gather.gather_id for gather in gathers[:1] for _ in range(gather.n_traces)],
            "trace": pa.array(gathers[0].trace, pa.int32()),
            "flag": ["neighbours"] * gathers[0].n_traces,
        }
    )
    quality = store.folder("picks", "line-picks") / QUALITY
    pq.write_table(flags, quality.path, filesystem=quality.filesystem)
    found = labelled_gathers(store, ["line"], labels_of=["line-picks"], least_probability=0.7)
    assert [one.ffid for one in found.gathers] == [104]


def test_gathers_labelled_by_hand_stay_as_they_were_labelled(
    store: Store, gathers: list[Gather], tmp_path: Path
) -> None:
    by_hand = tmp_path / "labels.csv"
    by_hand.write_text("ffid,trace,time_ms\n102,1,33.5\n103,2,35.5\n")
    found = labelled_gathers(store, ["line"], labels=str(by_hand), labels_of=["line-picks"])
    own = {one.ffid: one for one in found.gathers}
    assert sorted(own) == [101, 102, 103, 104]
    assert [own[ffid].labelled.sum() for ffid in (102, 103)] == [1, 1]
    assert own[102].first_break_ms[0] == 33.5
    assert late_ms([own[101]], gathers)[101] == pytest.approx(LATE_MS, abs=1e-3)
    assert set(found.origin) == {"labels", "labels_of"}


def test_picks_are_moved_to_what_labels_by_hand_mark(
    store: Store, gathers: list[Gather], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    by_hand = tmp_path / "labels.csv"
    by_hand.write_text(first_breaks_csv([gathers[1]]))
    found = labelled_gathers(store, ["line"], labels=str(by_hand), labels_of=["line-picks"])
    assert late_ms(found.gathers, gathers) == pytest.approx({101: 0, 102: 0, 104: 0}, abs=0.01)
    assert found.origin["labels_of"][0]["constant_ms"] == pytest.approx(-LATE_MS, abs=0.01)
    assert "moved by -3.00 ms, the median of 11 traces" in capsys.readouterr().err


def test_too_few_labels_by_hand_move_nothing_and_that_is_said(
    store: Store, gathers: list[Gather], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    by_hand = tmp_path / "labels.csv"
    by_hand.write_text("".join(first_breaks_csv([gathers[1]]).splitlines(keepends=True)[:LEAST_SHARED]))
    found = labelled_gathers(store, ["line"], labels=str(by_hand), labels_of=["line-picks"])
    assert late_ms(found.gathers, gathers)[101] == pytest.approx(LATE_MS, abs=0.01)
    assert f"stay where they are: {LEAST_SHARED - 1} traces have both" in capsys.readouterr().err


def test_first_breaks_moved_out_of_the_record_are_left_out_and_counted(gathers: list[Gather]) -> None:
    first, *_ = gathers
    end_ms = first.n_samples * first.sample_interval_us / 1000
    at_ends = first.replace(
        first_break_ms=np.r_[1.0, end_ms - 1.0, np.full(first.n_traces - 2, 20.0)].astype(np.float32)
    )
    for by_ms, lost in ((-2.0, 0), (2.0, 1)):
        (found,), n_lost = moved([at_ends], by_ms)
        assert (np.flatnonzero(np.isnan(found.first_break_ms)).tolist(), n_lost) == ([lost], 1)
    assert moved([at_ends], end_ms) == ([], first.n_traces)


def test_picks_of_one_survey_join_labels_of_another(store: Store, gathers: list[Gather]) -> None:
    write_survey(store, [gather.replace(survey="other") for gather in gathers[:2]], name="other")
    found = labelled_gathers(store, ["other", "line:101-102"], labels_of=["line-picks"])
    assert [(one.survey, one.ffid) for one in found.gathers] == [
        (one, ffid) for one in ("other", "line") for ffid in (101, 102)
    ]
    assert late_ms(found.gathers[:2], gathers) == {101: 0, 102: 0}
    assert late_ms(found.gathers[2:], gathers) == pytest.approx({101: LATE_MS, 102: LATE_MS}, abs=1e-3)


def test_large_surveys_give_some_gathers_from_all_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sure_picks, "MOST_GATHERS", 2)
    found = labelled_gathers(store, ["line"], labels_of=["line-picks"])
    assert [one.ffid for one in found.gathers] == [101, 104]


def test_gathers_of_one_ffid_count_each(gathers: list[Gather], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sure_picks, "MOST_GATHERS", 2)
    store = picked_store(tmp_path / "again", [gather.replace(ffid=101) for gather in gathers])
    found = labelled_gathers(store, ["line"], labels_of=["line-picks"])
    assert [one.gather_id for one in found.gathers] == [gathers[0].gather_id, gathers[3].gather_id]
    by_hand = tmp_path / "labels.csv"
    by_hand.write_text(f"ffid,trace,time_ms,gather_id\n101,1,33.5,{gathers[1].gather_id}\n")
    found = labelled_gathers(store, ["line"], labels=str(by_hand), labels_of=["line-picks"])
    assert {one.gather_id: int(one.labelled.sum()) for one in found.gathers} == {
        gather.gather_id: 1 if gather is gathers[1] else 11 for gather in gathers
    }


def test_what_is_learned_from_tells_runs_apart(store: Store, gathers: list[Gather], tmp_path: Path) -> None:
    other = picked_store(tmp_path / "later", gathers, late_ms=[LATE_MS + 1] * 4, probability=PROBABILITY)
    found = [
        labelled_gathers(one, ["line"], labels_of=["line-picks"]).origin["labels_of"][0]["xxh3"]
        for one in (store, store, other)
    ]
    assert found[0] == found[1] != found[2]


def test_picks_of_two_surveys_are_labels_together(store: Store, gathers: list[Gather], tmp_path: Path) -> None:
    write_survey(store, [gather.replace(survey="other") for gather in gathers], name="other")
    picks = store.folder("picks", "other-picks")
    for file in store.folder("picks", "line-picks").files():
        (picks / file.name).write_bytes(file.read_bytes())
    replace(store.picks("line-picks"), name="other-picks", survey="other").write(picks / "manifest.json")
    both = {"surveys": ["other:101-102", "line:104"], "labels_of": ["line-picks", "other-picks"]}
    found = labelled_gathers(store, **both)
    assert [(one.survey, one.ffid) for one in found.gathers] == [("other", 101), ("other", 102), ("line", 104)]
    assert late_ms(found.gathers, gathers) == pytest.approx({101: LATE_MS, 102: LATE_MS, 104: LATE_MS}, abs=1e-3)
    assert [one["picks"] for one in found.origin["labels_of"]] == ["line-picks", "other-picks"]
    assert len(set(found.digests["labels_of"])) == 2
    by_hand = tmp_path / "hand.csv"
    by_hand.write_text("ffid,trace,time_ms\n101,1,33.5\n")
    with pytest.raises(ConfigError, match="names gathers of one survey, got picks of line, other; give one set"):
        labelled_gathers(store, **both, labels=str(by_hand))


def test_labels_are_of_the_first_survey_and_no_other_one(store: Store, gathers: list[Gather], tmp_path: Path) -> None:
    write_survey(store, [gather.replace(survey="other") for gather in gathers], name="other")
    by_hand = tmp_path / "hand.csv"
    by_hand.write_text("ffid,trace,time_ms\n101,1,33.5\n")
    found = labelled_gathers(store, ["line:101,102", "other:101"], labels=str(by_hand)).gathers
    assert [(one.survey, one.ffid, int(one.labelled.sum())) for one in found] == [
        ("line", 101, 1),
        ("line", 102, gathers[1].labelled.sum()),
        ("other", 101, gathers[0].labelled.sum()),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"surveys": ["other"], "labels_of": ["line-picks"]}, "these are picks of line; expected picks of a survey"),
        ({"least_probability": 0.95, "labels_of": ["line-picks"]}, r"none of 44 looked at has a probability of 0\.95"),
        ({"least_probability": 0.4, "labels_of": ["line-picks"]}, r"expected 0\.5\.\.1"),
        ({"least_probability": 0.6}, "expected --labels-of beside it"),
        ({"surveys": ["line", "other"], "ffids": "101", "labels_of": ["line-picks"]}, "write SURVEY:FFIDS"),
        ({"surveys": ["line:101", "line:102"]}, "named twice"),
        ({"labelled": 2, "labels_of": ["line-picks"]}, "--labelled 2 with --labels-of"),
        ({"surveys": ["line:999"], "labels_of": ["line-picks"]}, "FFID 999 is not in line"),
        ({"labels_of": ["line-picks", "line-picks"]}, "line-picks line-picks: both are of line; name one"),
        ({"surveys": ["line:101"], "labels": "102", "labels_of": ["line-picks"]}, "labels no gather to learn from"),
        ({"labels": "999", "labels_of": ["line-picks"]}, r"999\.csv: FFID 999 is not in line \(1 such"),
    ],
)
def test_what_does_not_go_together_is_refused(
    store: Store, gathers: list[Gather], tmp_path: Path, arguments: dict[str, Any], said: str
) -> None:
    write_survey(store, gathers[:2], name="other")
    if "labels" in arguments:
        by_hand = tmp_path / f"{arguments['labels']}.csv"
        by_hand.write_text(f"ffid,trace,time_ms\n{arguments['labels']},1,33.5\n")
        arguments = arguments | {"labels": str(by_hand)}
    with pytest.raises((ConfigError, PicksError), match=said):
        labelled_gathers(store, **{"surveys": ["line"]} | arguments)


def test_picks_of_a_survey_that_changed_are_refused(store: Store, gathers: list[Gather]) -> None:
    write_survey(store, gathers, fingerprint="other")
    with pytest.raises(PicksError, match="of an earlier survey"):
        labelled_gathers(store, ["line"], labels_of=["line-picks"])
