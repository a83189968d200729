"""Shards: Parquet files with one gather a row, samples as one binary value."""

import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seisray.errors import StorageError
from seisray.gather import PER_TRACE, Gather
from seisray.storage import Location

Encoding = Literal["int16", "float32"]

_PER_GATHER = {
    "survey": pa.string(),
    "gather_id": pa.string(),
    "source_file": pa.string(),
    "ffid": pa.int64(),
    "shot_point": pa.int64(),
    "n_traces": pa.int32(),
    "n_samples": pa.int32(),
    "sample_interval_us": pa.float64(),
    "delay_ms": pa.float64(),
    "encoding": pa.string(),
    "samples": pa.large_binary(),
    "scale": pa.list_(pa.float32()),
    "trace_headers": pa.large_binary(),
}
SCHEMA = pa.schema(
    [*_PER_GATHER.items()] + [(name, pa.list_(pa.from_numpy_dtype(dtype))) for name, dtype in PER_TRACE.items()]
)

_NOTES = b"seisray.notes"
MOST_ERROR = 0.99e-4  # of a trace's RMS, with room for the rounding of scales
ROW_GROUP_GATHERS = 8  # one a row group costs twice the time of writing; readers take whole shards
_SMALLEST_PEAK = 32767 * 2 * np.finfo(np.float32).tiny  # below it, scales lose digits


def encode_samples(samples: NDArray[np.float32], encoding: Encoding) -> tuple[Encoding, bytes, NDArray[np.float32]]:
    """Return the encoding used, the samples in C order and scale[n_traces]: amplitude = stored value * scale.

    int16 puts the peak of each trace at 32,767: nothing is clipped. A gather with a trace so spiky that the RMS error
    would exceed MOST_ERROR of its RMS is kept as float32.
    """
    if encoding == "int16":
        peak = np.maximum(samples.max(axis=1), -samples.min(axis=1))
        scale = np.where(peak > 0, np.nextafter(peak / 32767, np.inf, dtype=np.float32), 1).astype(np.float32)
        exact = samples * (1 / scale)[:, None]
        stored = np.rint(exact)
        power = np.einsum("ij,ij->i", exact, exact)
        exact -= stored
        lost = np.einsum("ij,ij->i", exact, exact)
        if (lost <= power * MOST_ERROR**2).all() and (peak[peak > 0] > _SMALLEST_PEAK).all():
            return "int16", stored.astype("<i2").tobytes(), scale
    return "float32", samples.astype("<f4").tobytes(), np.ones(len(samples), dtype=np.float32)


def decode_samples(row: dict[str, Any]) -> NDArray[np.float32]:
    """Return (n_traces, n_samples) amplitudes of a gather row."""
    shape = (row["n_traces"], row["n_samples"])
    if row["encoding"] == "float32":
        return np.frombuffer(row["samples"], dtype="<f4").reshape(shape).astype(np.float32)
    stored = np.frombuffer(row["samples"], dtype="<i2").reshape(shape)
    return stored * np.asarray(row["scale"], dtype=np.float32)[:, None]


def write_shard(
    location: Location, gathers: Iterable[Gather], encoding: Encoding, *, notes: Callable[[], Any] = dict
) -> int:
    """Write gathers as one shard, whole or not at all; return its bytes.

    notes: asked, once all gathers are there, for what JSON can hold and is to be kept beside them.
    """
    table = shard_table(gathers, encoding)
    return write_table(location, [table.replace_schema_metadata({_NOTES: json.dumps(notes())})])


def write_table(location: Location, tables: Sequence[pa.Table]) -> int:
    """Write shard tables one after the other as one Parquet file; return its bytes."""
    sink = io.BytesIO()
    with pq.ParquetWriter(
        sink, tables[0].schema, compression={"trace_headers": "zstd"}, use_dictionary=False, write_statistics=False
    ) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=ROW_GROUP_GATHERS)
    location.write_bytes(sink.getvalue())
    return sink.tell()


def replace_rows(location: Location, table: pa.Table, *, column: str, keep: Collection[Any]) -> None:
    """Write a table beside the shards, or remove it where it is empty.

    keep: values of a column whose rows, where the table is there already, go before the new ones.
    """
    if keep and location.exists():
        earlier = read_table(location)
        table = pa.concat_tables([earlier.filter([value in keep for value in earlier[column].to_pylist()]), table])
    if len(table):
        write_table(location, [table])
    else:
        location.delete()


def shard_table(gathers: Iterable[Gather], encoding: Encoding) -> pa.Table:
    """Return gathers as rows of a shard, encoded one by one as they come."""
    scalars: dict[str, list[Any]] = {name: [] for name in _PER_GATHER}
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in ("scale", *PER_TRACE)}
    for gather in gathers:
        used, samples, scale = encode_samples(gather.samples, encoding)
        own = {"encoding": used, "samples": samples, "trace_headers": gather.trace_headers.tobytes()}
        for name in scalars.keys() - {"scale"}:
            scalars[name].append(own[name] if name in own else getattr(gather, name))
        for name, values in columns.items():
            values.append(scale if name == "scale" else getattr(gather, name))
    ends = np.cumsum([0, *scalars["n_traces"]], dtype=np.int32)
    lists = {
        name: pa.ListArray.from_arrays(ends, np.concatenate(values))
        if values
        else pa.array([], SCHEMA.field(name).type)
        for name, values in columns.items()
    }
    arrays = [
        lists[name] if name in lists else pa.array(scalars[name], SCHEMA.field(name).type) for name in SCHEMA.names
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def read_notes(location: Location) -> Any:
    """Return what was kept beside the gathers of a shard."""
    schema = read_table(location, columns=[]).schema
    with damage_named(location):
        return json.loads((schema.metadata or {})[_NOTES])


def read_shard(location: Location, *, columns: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a shard, all columns or some; raise StorageError where it is no shard."""
    return list(rows(read_table(location, columns=None if columns is None else list(columns))))


def read_table(location: Location, **options: Any) -> pa.Table:
    """Return a Parquet file, with pyarrow's options; raise StorageError where it is damaged."""
    data = location.read_bytes()
    with damage_named(location):
        return pq.read_table(io.BytesIO(data), **options)


@contextmanager
def damage_named(location: Location) -> Iterator[None]:
    """Turn what Arrow says of a damaged table into an error that names it."""
    try:
        yield
    except (pa.ArrowException, OSError, KeyError, IndexError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise StorageError(f"{location} is not a readable table: {reason}; delete it and make it again") from error


def rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a shard's table, lists as arrays."""
    for batch in table.to_batches():
        lists = {name: batch[name] for name in batch.schema.names if pa.types.is_list(batch.schema.field(name).type)}
        scalars = batch.select([name for name in batch.schema.names if name not in lists]).to_pylist()
        for i, row in enumerate(scalars):
            # a list column as NumPy is 30 times faster than as Python numbers
            yield row | {name: column[i].values.to_numpy(zero_copy_only=False) for name, column in lists.items()}


def read_gathers(location: Location) -> Iterator[Gather]:
    """Yield the gathers of a shard."""
    for row in read_shard(location):
        yield gather_of(row)


def read_columns(location: Location, columns: Sequence[str]) -> pa.Table:
    """Return some columns of a shard, and read no others: geometry and labels come without the samples."""
    with damage_named(location):
        return pq.read_table(location.path, filesystem=location.filesystem, columns=list(columns))


def read_gather(location: Location, row: int) -> Gather:
    """Return one gather of a shard, by its row; only the row group that holds it is read."""
    with damage_named(location), location.filesystem.open_input_file(location.path) as source:
        file = pq.ParquetFile(source)
        ends = np.cumsum([file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)])
        group = int(np.searchsorted(ends, row, side="right"))
        table = file.read_row_group(group) if row >= 0 and group < len(ends) else None
    if table is None:
        raise StorageError(
            f"{location} holds {ends[-1] if len(ends) else 0} gathers, and none at {row}; was the survey made again "
            "since? pick it again"
        )
    return gather_of(next(rows(table.slice(row - (ends[group] - table.num_rows), 1))))


def gather_of(row: dict[str, Any]) -> Gather:
    """Return the gather that a whole row holds."""
    known = {name: row[name] for name in ("survey", "gather_id", "source_file", "ffid", "shot_point")}
    timing = {name: row[name] for name in ("sample_interval_us", "delay_ms")}
    headers = np.frombuffer(row["trace_headers"], dtype=np.uint8).reshape(row["n_traces"], -1)
    columns = {name: row[name] for name in PER_TRACE}
    return Gather(**known, **timing, samples=decode_samples(row), trace_headers=headers, **columns)
