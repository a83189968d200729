"""Shards: Parquet files with one gather a row and a row group, samples as one binary value."""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
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
}
SCHEMA = pa.schema(
    [*_PER_GATHER.items()] + [(name, pa.list_(pa.from_numpy_dtype(dtype))) for name, dtype in PER_TRACE.items()]
)

_REJECTS = b"seisray.rejects"


def encode_samples(samples: NDArray[np.float32], encoding: Encoding) -> tuple[bytes, NDArray[np.float32]]:
    """Return the samples in C order and scale[n_traces]: amplitude = stored value * scale.

    int16 puts the peak of each trace at 32,767: nothing is clipped, and the RMS error is about 4e-5 of the RMS of a
    field trace, 2e-4 of the spikiest.
    """
    if encoding == "float32":
        return samples.astype("<f4").tobytes(), np.ones(len(samples), dtype=np.float32)
    peak = np.abs(samples).max(axis=1)
    scale = np.where(peak > 32767 * np.finfo(np.float32).tiny, peak / 32767, 1).astype(np.float32)
    # the quotient can exceed 32767 by a rounding of the scale
    stored = np.clip(np.rint(samples / scale[:, None]), -32767, 32767)
    return stored.astype("<i2").tobytes(), scale


def decode_samples(row: dict[str, Any]) -> NDArray[np.float32]:
    """Return (n_traces, n_samples) amplitudes of a gather row."""
    shape = (row["n_traces"], row["n_samples"])
    if row["encoding"] == "float32":
        return np.frombuffer(row["samples"], dtype="<f4").reshape(shape).astype(np.float32)
    stored = np.frombuffer(row["samples"], dtype="<i2").reshape(shape)
    return stored * np.asarray(row["scale"], dtype=np.float32)[:, None]


def write_shard(
    location: Location, gathers: Sequence[Gather], encoding: Encoding, *, rejects: Sequence[dict[str, str]] = ()
) -> int:
    """Write gathers as one shard, whole or not at all; return its bytes.

    rejects: what was left out and why, kept beside the schema for an ingest that goes on later.
    """
    rows = []
    for gather in gathers:
        samples, scale = encode_samples(gather.samples, encoding)
        row = {name: getattr(gather, name) for name in [*_PER_GATHER, *PER_TRACE] if hasattr(gather, name)}
        rows.append(row | {"encoding": encoding, "samples": samples, "scale": scale})
    table = pa.Table.from_pylist(rows, schema=SCHEMA.with_metadata({_REJECTS: json.dumps(list(rejects))}))
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=1, compression="none")
    location.write_bytes(sink.getvalue())
    return sink.tell()


def read_rejects(location: Location) -> list[dict[str, str]]:
    """Return what was left out of a shard, and why."""
    metadata = read_table(location, columns=[]).schema.metadata
    found: list[dict[str, str]] = json.loads((metadata or {}).get(_REJECTS, b"[]"))
    return found


def read_shard(location: Location, *, columns: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a shard, all columns or some; raise StorageError where it is no shard."""
    return list(_rows(read_table(location, columns=None if columns is None else list(columns))))


def read_table(location: Location, **options: Any) -> pa.Table:
    """Return a Parquet file, with pyarrow's options; raise StorageError where it is damaged."""
    data = location.read_bytes()
    try:
        return pq.read_table(io.BytesIO(data), **options)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise StorageError(f"{location} is not a readable table: {reason}; delete it and make it again") from error


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches():
        lists = {name: batch[name] for name in batch.schema.names if pa.types.is_list(batch.schema.field(name).type)}
        scalars = batch.select([name for name in batch.schema.names if name not in lists]).to_pylist()
        for i, row in enumerate(scalars):
            # a list column as NumPy is 30 times faster than as Python numbers
            yield row | {name: column[i].values.to_numpy(zero_copy_only=False) for name, column in lists.items()}


def read_gathers(location: Location) -> Iterator[Gather]:
    """Yield the gathers of a shard."""
    for row in read_shard(location):
        known = {name: row[name] for name in ("survey", "gather_id", "source_file", "ffid", "shot_point")}
        timing = {name: row[name] for name in ("sample_interval_us", "delay_ms")}
        yield Gather(**known, **timing, samples=decode_samples(row), **{name: row[name] for name in PER_TRACE})
