"""The desk: who comes first, what counts as a label, and what outlasts a session."""

import dataclasses
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from picked import picked_store
from PIL import Image

from seisray.errors import ExistsError, NotFoundError, PicksError
from seisray.formats.picks.corrected import read_corrected_csv
from seisray.registry import Store
from seisray.review.desk import GAINS, Desk
from seisray.storage import locate

OPEN = {"trace": [1, 2], "time_ms": [20.5, 30.25]}


@pytest.fixture
def store(line_gathers: Callable, tmp_path: Path) -> Store:
    """Return a store with three gathers, the second of them the least sure, the first next."""
    return picked_store(tmp_path / "store", line_gathers(3), probability=[0.6, 0.2, 0.9])


def desk_on(store: Store, **options: object) -> Desk:
    return Desk("line-picks", store=str(store), **options)


def own(desk: Desk, place: int) -> dict[str, list]:
    pairs = desk.gather(place)["own"]
    return {"trace": [trace for trace, _ in pairs], "time_ms": [time_ms for _, time_ms in pairs]}


def test_the_least_sure_gather_comes_first(store: Store) -> None:
    desk = desk_on(store)
    assert [desk.gather(place)["ffid"] for place in range(len(desk))] == [102, 101, 103]


def test_only_the_gathers_asked_for_are_reviewed(store: Store) -> None:
    desk = desk_on(store, ffids=[103])
    assert [len(desk), desk.gather(0)["ffid"]] == [1, 103]


def test_a_picture_has_a_row_a_sample_and_equal_columns_a_trace_with_peaks_black(
    line_gathers: Callable, tmp_path: Path
) -> None:
    gather = line_gathers(1)[0]
    gather.samples[5] = 0
    gather.samples[5, 77] = 1e5
    desk = desk_on(picked_store(tmp_path, [gather]))
    pixels = np.asarray(Image.open(BytesIO(desk.picture(0, len(GAINS) - 1))))
    assert pixels.shape == (gather.n_samples, 24 * gather.n_traces)
    assert (pixels[77, 24 * 5 : 24 * 6] == 0).all()
    assert np.isin(pixels[:, 24 * 2 : 24 * 3], (127, 128)).all()  # dead


def test_a_draft_is_kept_and_is_no_label(store: Store) -> None:
    assert desk_on(store).save(0, OPEN, done=False)["status"] == "draft"
    again = desk_on(store)
    assert again.gather(0)["picks"] == [[1, 20.5], [2, 30.25]]
    assert again.gather(0)["status"] == "draft"
    assert not again.verdicts.labels.exists()
    assert again.first() == 0


def test_looking_at_a_gather_leaves_nothing(store: Store) -> None:
    desk = desk_on(store)
    assert desk.save(0, own(desk, 0), done=False)["status"] == "open"
    assert desk.verdicts.counts == {"draft": 0, "accepted": 0, "corrected": 0}


def test_the_picks_of_the_picker_are_accepted_and_others_corrected(store: Store) -> None:
    desk = desk_on(store)
    assert desk.save(0, own(desk, 0), done=True)["status"] == "accepted"
    assert desk.save(1, OPEN, done=True)["status"] == "corrected"


def test_labels_hold_the_finished_gathers_and_no_others(store: Store) -> None:
    desk = desk_on(store)
    desk.save(0, OPEN, done=True)
    desk.save(1, OPEN, done=False)
    assert desk.verdicts.labels.read_bytes() == b"ffid,trace,time_ms\n102,1,20.500\n102,2,30.250\n"


def test_a_gather_that_is_changed_again_is_no_label_until_it_is_finished(store: Store) -> None:
    desk = desk_on(store)
    desk.save(0, OPEN, done=True)
    state = desk.save(0, {"trace": [1], "time_ms": [1.0]}, done=False)
    assert (state["status"], state["n_labels"]) == ("draft", 0)
    assert desk.verdicts.labels.read_bytes() == b"ffid,trace,time_ms\n"


def test_a_verdict_can_be_withdrawn(store: Store) -> None:
    desk = desk_on(store)
    desk.save(0, OPEN, done=True)
    assert desk.withdraw(0)["n_labels"] == 0
    assert desk.gather(0)["picks"] == desk.gather(0)["own"]
    assert desk_on(store).gather(0)["status"] == "open"


def test_what_two_sessions_save_at_the_same_time_is_all_kept(store: Store) -> None:
    first, second = desk_on(store), desk_on(store)
    for desk, place in ((first, 0), (second, 1), (first, 2)):
        desk.save(place, own(desk, place), done=True)
    assert second.state()["accepted"] == 2, "as of its own last look"
    second.withdraw(0)
    assert desk_on(store).state()["accepted"] == 2
    lines = second.verdicts.labels.read_bytes().decode().splitlines()[1:]
    assert {line.split(",")[0] for line in lines} == {"101", "103"}


def test_a_session_goes_on_at_the_first_gather_without_a_verdict(store: Store) -> None:
    desk_on(store).save(0, OPEN, done=True)
    again = desk_on(store)
    assert again.first() == 1
    again.save(1, OPEN, done=True)
    assert again.verdicts.n_labels == 4


def test_the_picks_themselves_do_not_change(store: Store) -> None:
    parts = [part for part in store.folder("picks", "line-picks").files() if part.name.startswith("part")]
    before = [part.read_bytes() for part in parts]
    desk_on(store).save(0, OPEN, done=True)
    assert [part.read_bytes() for part in parts] == before


def test_labels_go_where_out_says_and_overwrite_nobodys_file(store: Store, tmp_path: Path) -> None:
    other = tmp_path / "mine.csv"
    desk_on(store, labels=locate(str(other))).save(0, OPEN, done=True)
    assert desk_on(store, labels=locate(str(other))).verdicts.n_labels == 2
    (tmp_path / "picks.csv").write_text("ffid,trace,time_ms\n1,1,1\n")
    with pytest.raises(ExistsError, match="another --out"):
        desk_on(store, labels=locate(str(tmp_path / "picks.csv")))


def test_where_ffids_are_shared_labels_name_the_gather(line_gathers: Callable, tmp_path: Path) -> None:
    one, two = line_gathers(2)
    two = dataclasses.replace(two, ffid=one.ffid)
    desk = desk_on(picked_store(tmp_path, [one, two], probability=[0.9, 0.3]))
    desk.save(0, OPEN, done=True)
    labels = read_corrected_csv(desk.verdicts.labels.read_bytes(), "labels.csv")
    assert np.isfinite(labels.on(two).first_break_ms[:2]).all()
    np.testing.assert_array_equal(labels.on(one).first_break_ms, one.first_break_ms)


@pytest.mark.parametrize(
    "picks",
    [
        {"trace": [1], "time_ms": []},
        {"trace": [1, 1], "time_ms": [1.0, 2.0]},
        {"trace": [99], "time_ms": [1.0]},
        {"trace": [1], "time_ms": [1e9]},
        {"trace": [1], "time_ms": [float("nan")]},
        {"trace": ["1"], "time_ms": [1.0]},
        {"trace": [1.5], "time_ms": [1.0]},
        {},
    ],
)
def test_what_are_no_picks_of_the_gather_is_refused(store: Store, picks: dict) -> None:
    desk = desk_on(store)
    with pytest.raises(PicksError):
        desk.save(0, picks, done=True)
    assert desk.verdicts.n_labels == 0


def test_a_pick_may_lie_in_the_last_interval_of_the_record_and_no_later(store: Store) -> None:
    desk = desk_on(store)
    assert desk.save(0, {"trace": [1], "time_ms": [127.9]}, done=True)["status"] == "corrected"
    with pytest.raises(PicksError, match=r"FFID 102, trace 2: 128.1 ms lies outside the record \(0..128 ms\)"):
        desk.save(0, {"trace": [1, 2], "time_ms": [20.5, 128.1]}, done=True)


def test_gathers_that_are_not_there_are_named(store: Store) -> None:
    desk = desk_on(store)
    with pytest.raises(NotFoundError, match="there are 3"):
        desk.gather(3)
    with pytest.raises(NotFoundError, match="FFID 7"):
        desk.find(7)


def test_a_damaged_record_is_named_and_kept(store: Store) -> None:
    record = store.folder("picks", "line-picks") / "review.json"
    record.write_bytes(b"{")
    with pytest.raises(OSError, match=r"review\.json is damaged"):
        desk_on(store)
    assert record.read_bytes() == b"{"
