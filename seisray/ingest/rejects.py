"""The table of what was left out of a survey, and why."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

import pyarrow as pa

from seisray import shards
from seisray.gather import Reject
from seisray.storage import Location

SCHEMA = pa.schema(
    {
        "gather_id": pa.string(),
        "source_file": pa.string(),
        "first_byte": pa.int64(),
        "ffid": pa.int64(),
        "n_traces": pa.int32(),
        "reason": pa.string(),
    }
)


def write_rejects(folder: Location, rejects: Sequence[Reject], *, keep: Collection[str]) -> None:
    """Write a survey's rejects.parquet, or remove it where nothing was left out.

    keep: files whose rejects it holds already.
    """
    location = folder / "rejects.parquet"
    table = pa.Table.from_pylist([asdict(reject) for reject in rejects], schema=SCHEMA)
    shards.replace_rows(location, table, column="source_file", keep=keep)


def read_rejects(folder: Location) -> list[Reject]:
    """Return what was left out of a survey."""
    location = folder / "rejects.parquet"
    return [Reject(**row) for row in shards.read_table(location).to_pylist()] if location.exists() else []
