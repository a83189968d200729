"""The file headers of a survey's SEG-Y files, kept for the way back."""

import json
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import pyarrow as pa

from seisray import shards
from seisray.formats.segy.file import SegyLayout
from seisray.ingest.settings import Job
from seisray.ingest.sources import CONNECTIONS, Source
from seisray.storage import Location

SCHEMA = pa.schema(
    {"source": pa.int32(), "layout": pa.string(), "header": pa.large_binary(), "trailer": pa.large_binary()}
)


def write_file_headers(folder: Location, job: Job, *, keep: Collection[int]) -> None:
    """Write a survey's file_headers.parquet: text, binary and extended headers, and the layout of the traces.

    keep: sources that it holds already.
    """
    location = folder / "file_headers.parquet"
    segy = [source for source in job.sources.values() if source.layout]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        rows = list(pool.map(_row, segy))
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    shards.replace_rows(location, table, column="source", keep=keep)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileHeader:
    """Hold what stands in a SEG-Y file before and after its traces, and how these lie in it."""

    layout: SegyLayout
    header: bytes
    trailer: bytes


def read_file_headers(folder: Location) -> dict[int, FileHeader]:
    """Return what is kept of each SEG-Y source of a survey, by its index."""
    location = folder / "file_headers.parquet"
    if not location.exists():
        return {}
    rows = shards.read_table(location).to_pylist()
    return {
        row["source"]: FileHeader(layout=_layout(row["layout"]), header=row["header"], trailer=row["trailer"])
        for row in rows
    }


def _row(source: Source) -> dict[str, object]:
    assert source.layout is not None
    layout, location = source.layout, source.location
    end = layout.offset(layout.n_traces)
    return {
        "source": source.index,
        "layout": json.dumps(asdict(layout)),
        "header": location.read_range(0, layout.data_start),
        "trailer": location.read_range(end, source.bytes - end),
    }


def _layout(text: str) -> SegyLayout:
    found = json.loads(text)
    return SegyLayout(**found | {"revision": tuple(found["revision"])})
