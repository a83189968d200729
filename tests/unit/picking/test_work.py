from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pickable import write_survey

from seisray.errors import ConfigError, FormatError, PicksError, Seg2Error, StorageError
from seisray.gather import Gather, Reject
from seisray.ingest import IngestConfig, parts
from seisray.picking.work import FieldWork, SurveyWork, field_work, work_of
from seisray.registry import PickSet, Store

PICKS = {"name": "x", "model": "p@v1", "n_traces": 0, "n_picked": 0, "seconds": 1.0, "parts": []}


@pytest.fixture
def gathers(line_gathers: Callable) -> list[Gather]:
    return line_gathers(6)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


@pytest.fixture
def file(gathers: list[Gather], write_segy: Callable, tmp_path: Path) -> Path:
    return write_segy(tmp_path / "line.sgy", gathers)


def work_on(store: Store, *files: Path, config: IngestConfig | None = None) -> FieldWork:
    return field_work("x", [str(file) for file in files], config or IngestConfig(), store)


def everything(work: FieldWork) -> tuple[list[Gather], list[Reject]]:
    left_out: list[Reject] = []
    return [gather for i in range(len(work.shards)) for gather in work.gathers(i, left_out)], left_out


@pytest.mark.parametrize("range_traces", [5, 12, 17, 1000])
def test_each_gather_of_a_file_is_in_one_shard_however_it_is_divided(
    range_traces: int, file: Path, gathers: list[Gather], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "SMALLEST_RANGE_BYTES", range_traces * (240 + 4 * 128))
    monkeypatch.setattr(parts, "SHARDS_WANTED", 100)
    work = work_on(store, file)
    found, left_out = everything(work)
    assert len(work.shards) == max(-(-72 // range_traces), 1)
    assert ([gather.ffid for gather in found], left_out) == ([gather.ffid for gather in gathers], [])
    for ours, theirs in zip(found, gathers, strict=True):
        np.testing.assert_array_equal(ours.samples, theirs.samples)
    named = [work.traces(i) for i in range(len(work.shards))]
    assert [name for names, _ in named for name in names.to_pylist()] == [gather.gather_id for gather in found]
    work.check_whole(72, 0)


@pytest.mark.parametrize("cut_first", [True, False])
def test_a_seg2_record_that_was_cut_is_left_out_wherever_it_stands(
    cut_first: bool, data_folder: Path, store: Store, tmp_path: Path
) -> None:
    whole = data_folder / "soda_lakes" / "raw" / "Shot_01007.sg2"
    cut = tmp_path / ("Shot_01006.sg2" if cut_first else "Shot_01008.sg2")
    cut.write_bytes(whole.read_bytes()[:-999])
    work = work_on(store, *([cut, whole] if cut_first else [whole, cut]))
    found, left_out = everything(work)
    assert [gather.ffid for gather in found] == [1007]
    assert [reject.reason.endswith("cannot be read as SEG-2; is it cut?") for reject in left_out] == [True]
    assert work.sample_interval_us == 250.0
    with pytest.raises(Seg2Error, match="is it cut"):
        work_on(store, cut)


def test_a_trace_that_was_neither_picked_nor_left_out_is_missed(file: Path, store: Store) -> None:
    with pytest.raises(StorageError, match="72 traces, 70 of them picked and 1 left out"):
        work_on(store, file).check_whole(70, 1)


def test_a_file_that_changes_meanwhile_is_found_out(file: Path, store: Store) -> None:
    work = work_on(store, file)
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    with pytest.raises(StorageError, match="changed while it was picked"):
        work.check_whole(72, 0)


def test_how_files_are_read_and_divided_is_part_of_what_is_picked(
    file: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = work_on(store, file)
    assert work_on(store, file).settings == usual.settings
    by_point = work_on(store, file, config=IngestConfig(group_by="shot_point"))
    monkeypatch.setattr(parts, "SHARDS_WANTED", 3)
    monkeypatch.setattr(parts, "SMALLEST_RANGE_BYTES", 1000)
    assert len({str(one.settings) for one in (usual, by_point, work_on(store, file))}) == 3


def test_a_gather_in_two_pieces_of_a_range_is_left_to_ingest(
    gathers: list[Gather], write_segy: Callable, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seisray.ingest.probe import Glance
    from seisray.picking import work

    monkeypatch.setattr(work, "glance", lambda job: Glance(recorded=frozenset(), scattered=None))  # that saw nothing
    halves = [gather.take(rows) for rows in (np.arange(6), np.arange(6, 12)) for gather in gathers]
    with pytest.raises(FormatError, match="gather 'pieces-101' is in several pieces"):
        everything(work_on(store, write_segy(tmp_path / "pieces.sgy", halves)))


def test_labels_are_not_for_picking(file: Path, store: Store) -> None:
    with pytest.raises(ConfigError, match="picking needs no labels"):
        work_on(store, file, config=IngestConfig(picks="picks.csv"))


def test_what_was_picked_is_found_again_and_changes_are_found_out(
    file: Path, store: Store, gathers: list[Gather]
) -> None:
    work = work_on(store, file)
    picks = PickSet(**PICKS, **work.manifest(), settings=work.settings)
    assert work_of(picks, store) == work
    write_survey(store, gathers)
    survey = SurveyWork(store=str(store), survey=store.survey("line"))
    assert work_of(PickSet(**PICKS, **survey.manifest()), store) == survey
    with pytest.raises(PicksError, match="needs their survey"):
        store.survey_of(picks)
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    with pytest.raises(FormatError, match="changed since it was picked"):
        work_of(picks, store)
