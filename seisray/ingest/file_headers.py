"""The file headers of a survey's SEG-Y files, kept for the way back."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import pyarrow as pa

from seisray import shards
from seisray.formats.segy_file import SegyLayout
from seisray.ingest.settings import Job
from seisray.ingest.sources import CONNECTIONS, Source
from seisray.storage import Location

SCHEMA = pa.schema({"source": pa.int32(), "layout": pa.string(), "header": pa.large_binary()})


def write_file_headers(folder: Location, job: Job, *, keep: bool) -> None:
    """Write a survey's file_headers.parquet: text, binary and extended headers, and the layout of the traces.

    keep: what it holds already of other sources.
    """
    location = folder / "file_headers.parquet"
    segy = [source for source in job.sources.values() if source.layout]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        rows = list(pool.map(_row, segy))
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    if keep and location.exists():
        earlier = shards.read_table(location)
        table = pa.concat_tables([earlier.filter([s not in job.sources for s in earlier["source"].to_pylist()]), table])
    if len(table):
        shards.write_table(location, [table])
    else:
        location.delete()


def read_file_headers(folder: Location) -> dict[int, tuple[SegyLayout, bytes]]:
    """Return layout and header bytes of each SEG-Y source of a survey, by its index."""
    location = folder / "file_headers.parquet"
    if not location.exists():
        return {}
    rows = shards.read_table(location).to_pylist()
    return {row["source"]: (_layout(row["layout"]), row["header"]) for row in rows}


def _row(source: Source) -> dict[str, object]:
    assert source.layout is not None
    header = source.location.read_range(0, source.layout.data_start)
    return {"source": source.index, "layout": json.dumps(asdict(source.layout)), "header": header}


def _layout(text: str) -> SegyLayout:
    found = json.loads(text)
    return SegyLayout(**found | {"revision": tuple(found["revision"])})
