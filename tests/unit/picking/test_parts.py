from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from seisray.gather import Reject
from seisray.picking.parts import (
    PICK_SCHEMA,
    kept_part,
    part_name,
    parts_there,
    read_part,
    read_part_rejects,
    write_part,
)
from seisray.storage import Location, locate

RUN = "0123456789ab"


@pytest.fixture
def folder(tmp_path: Path) -> Location:
    return locate(str(tmp_path / "picks"))


def rows(gather_id: str = "line-1", pick_ms: float = 5.0) -> pa.Table:
    """Return three traces: picked, doubtful, dead."""
    columns = {
        "survey": ["line"] * 3,
        "gather_id": [gather_id] * 3,
        "source_file": ["line.sgy"] * 3,
        "ffid": [1] * 3,
        "trace": [1, 2, 3],
        "pick_ms": [pick_ms, pick_ms, np.nan],
        "probability": [0.9, 0.3, 0.0],
        "sigma_ms": [0.1, 0.1, np.nan],
        "flag": ["ok", "low_probability", "dead"],
        "model": ["p@v1"] * 3,
    }
    return pa.table(columns, schema=PICK_SCHEMA)


def test_a_part_counts_what_is_in_it_and_is_kept_as_it_is(folder: Location) -> None:
    reject = Reject(gather_id="line-2", source_file="line.sgy", first_byte=7, ffid=2, n_traces=4, reason="odd")
    part = write_part(folder, "part-00.parquet", RUN, [rows("a"), rows("b")], left_out=[reject])
    assert (part.n_gathers, part.n_traces, part.n_picked, part.n_rejects, part.n_left_out) == (2, 6, 4, 1, 4)
    assert part.flags == {"dead": 2, "low_probability": 2, "ok": 2}
    assert parts_there(folder, RUN) == {"part-00": part.uri}
    assert kept_part(folder, part.uri, "part-00.parquet", RUN) == part
    assert read_part_rejects(folder / part.uri) == [reject]
    assert str(read_part(folder / part.uri).to_pylist()) == str([*rows("a").to_pylist(), *rows("b").to_pylist()])


def test_the_same_rows_are_the_same_file_and_others_another(folder: Location) -> None:
    names = {write_part(folder, "part-00.parquet", RUN, [rows(pick_ms=ms)]).uri for ms in (5.0, 5.0, 5.001)}
    assert sorted(names) == [file.name for file in folder.files()]
    assert len(names) == 2


def test_parts_of_another_run_are_not_there(folder: Location) -> None:
    write_part(folder, "part-00.parquet", "ba9876543210", [rows()])
    assert parts_there(folder, RUN) == {}


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data + b"x", lambda data: b""])
def test_a_damaged_part_is_not_kept(folder: Location, damage: Callable[[bytes], bytes]) -> None:
    part = write_part(folder, "part-00.parquet", RUN, [rows()])
    file = folder / part.uri
    file.write_bytes(damage(file.read_bytes()))
    assert kept_part(folder, part.uri, "part-00.parquet", RUN) is None


@pytest.mark.parametrize("other", [("part-01.parquet", RUN), ("part-00.parquet", "ba9876543210")])
def test_a_part_of_another_shard_or_run_is_not_kept_whatever_it_is_called(
    folder: Location, other: tuple[str, str]
) -> None:
    part = write_part(folder, *other, [rows()])
    renamed = part_name("part-00.parquet", RUN, part.xxh3)
    (folder / renamed).write_bytes((folder / part.uri).read_bytes())
    assert kept_part(folder, renamed, "part-00.parquet", RUN) is None


def test_a_part_without_gathers_is_a_part(folder: Location) -> None:
    part = write_part(folder, "part-00.parquet", RUN, [])
    assert (part.n_gathers, part.n_traces, part.flags) == (0, 0, {})
    assert kept_part(folder, part.uri, "part-00.parquet", RUN) == part
