"""Picks beside what the survey knows of each trace."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from picked import picked_store

from seisray.errors import PicksError
from seisray.picking.suspicion import gather_suspicions
from seisray.picking.traces import picked_shards
from seisray.registry import Store
from seisray.shards import read_columns, read_gather, read_shard, write_shard
from seisray.storage import Location, locate


@pytest.fixture
def store(line_gathers: Callable, tmp_path: Path) -> Store:
    return picked_store(tmp_path, line_gathers(5), late_ms=[1.0] * 5, probability=[0.9, 0.4, 0.9, 0.9, 0.9])


def part_of(store: Store) -> Location:
    return store.folder("picks", "line-picks") / "part-00000.parquet"


def rewrite(location: Location, table: pa.Table) -> None:
    pq.write_table(table, location.path)


def test_each_trace_has_its_own_pick_whatever_the_order_of_the_part(store: Store) -> None:
    table = pq.read_table(part_of(store).path)
    rewrite(part_of(store), table.take(np.random.default_rng(0).permutation(len(table))))
    for shard in picked_shards(store, store.picks("line-picks")):
        known = np.isfinite(shard.first_break_ms)
        np.testing.assert_allclose(shard.pick_ms[known] - shard.first_break_ms[known], 1.0, atol=1e-4)
        assert shard.flag[~shard.live].tolist() == ["dead"] * len(shard.gather_id)


def test_a_live_trace_without_a_row_is_flagged_missing(store: Store) -> None:
    rewrite(part_of(store), pq.read_table(part_of(store).path).slice(1))
    shard = next(picked_shards(store, store.picks("line-picks")))
    assert (shard.flag[0], shard.flagged[0], np.isnan(shard.pick_ms[0])) == ("missing", True, True)


def test_a_trace_that_was_picked_twice_is_refused(store: Store) -> None:
    table = pq.read_table(part_of(store).path)
    rewrite(part_of(store), pa.concat_tables([table, table.slice(0, 1)]))
    with pytest.raises(PicksError, match="1 traces twice"):
        next(picked_shards(store, store.picks("line-picks")))


def test_picks_of_a_survey_that_changed_are_refused(store: Store) -> None:
    earlier = dataclasses.replace(store.picks("line-picks"), survey_fingerprint="earlier")
    with pytest.raises(PicksError, match="earlier survey"):
        next(picked_shards(store, earlier))


def test_flags_of_the_quality_table_count_where_the_picker_was_sure(store: Store) -> None:
    found = {"gather_id": ["line-101", "line-102"], "trace": [1, 1], "flag": ["inconsistent", "inconsistent"]}
    encoded = {
        name: pa.array(column).dictionary_encode() if name != "trace" else column for name, column in found.items()
    }
    rewrite(store.folder("picks", "line-picks") / "quality.parquet", pa.table(encoded))
    shard = next(picked_shards(store, store.picks("line-picks")))
    assert [shard.of(0).flag[0], shard.of(1).flag[0]] == ["inconsistent", "low_probability"]


def test_suspicion_grows_with_doubt_and_with_inconsistent_picks(store: Store) -> None:
    found = {"gather_id": ["line-105"] * 3, "trace": [1, 2, 4], "flag": ["inconsistent"] * 3}
    rewrite(store.folder("picks", "line-picks") / "quality.parquet", pa.table(found))
    shards = picked_shards(store, store.picks("line-picks"))
    suspicion = {one.ffid: one for shard in shards for one in gather_suspicions(shard)}
    order = sorted(suspicion, key=lambda ffid: -suspicion[ffid].suspicion)
    assert order[:2] == [102, 105]
    assert (suspicion[105].n_inconsistent, suspicion[105].n_flagged, suspicion[102].n_flagged) == (3, 3, 11)


def test_one_gather_is_read_from_any_row_of_a_shard(line_gathers: Callable, tmp_path: Path) -> None:
    gathers = line_gathers(19)  # three row groups
    location = locate(str(tmp_path / "part.parquet"))
    write_shard(location, gathers, "float32")
    for row in (0, 7, 8, 18):
        read = read_gather(location, row)
        assert read.ffid == gathers[row].ffid
        np.testing.assert_array_equal(read.samples, gathers[row].samples)
        np.testing.assert_array_equal(read.first_break_ms, gathers[row].first_break_ms)
    with pytest.raises(OSError, match="holds 19 gathers, and none at 19"):
        read_gather(location, 19)


def test_columns_are_read_without_the_samples(line_gathers: Callable, tmp_path: Path) -> None:
    location = locate(str(tmp_path / "part.parquet"))
    write_shard(location, line_gathers(3), "int16")
    assert read_columns(location, ["ffid", "trace"]).column_names == ["ffid", "trace"]
    assert read_columns(location, ["ffid"])["ffid"].to_pylist() == [row["ffid"] for row in read_shard(location)]
