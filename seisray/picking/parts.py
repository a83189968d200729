"""Parts: the pick rows of one shard in one file, whose name says which shard, which run, and what is in it.

A file of a name never has other content: what a worker writes late, or a second time, changes nothing.
"""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from seisray import shards
from seisray.errors import StorageError
from seisray.gather import Reject
from seisray.registry import PickSet, Store
from seisray.storage import Location

PICK_SCHEMA = pa.schema(
    {
        "survey": pa.string(),
        "gather_id": pa.string(),
        "source_file": pa.string(),
        "ffid": pa.int64(),
        "trace": pa.int32(),
        "pick_ms": pa.float64(),
        "probability": pa.float32(),
        "sigma_ms": pa.float32(),
        "flag": pa.string(),
        "model": pa.string(),
    }
)
_REJECTS, _OF = b"seisray.rejects", b"seisray.of"
_NAME_DIGITS = 16  # of the content's hash that a name shows


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What a manifest says of a part.

    shard: name of the shard picked. uri: relative to the set. flags: traces under each flag. n_rejects: gathers that
    could not be picked, with a reason in the part; n_left_out: traces of those that have no rows at all, since their
    field file does not give a gather. xxh3: of the file.
    """

    shard: str
    uri: str
    n_gathers: int
    n_traces: int
    n_picked: int
    flags: dict[str, int]
    n_rejects: int
    n_left_out: int
    bytes: int
    xxh3: str


def write_part(
    folder: Location,
    shard: str,
    run: str,
    tables: Iterable[pa.Table],
    *,
    failed: Sequence[Reject] = (),
    left_out: Sequence[Reject] = (),
) -> Part:
    """Write the pick rows of a shard as a run's part, whole or not at all; return what a manifest says of it.

    failed: gathers whose rows say that they could not be picked. left_out: those without rows.
    """
    table = pa.concat_tables([PICK_SCHEMA.empty_table(), *tables]).combine_chunks()
    told = {"failed": [asdict(one) for one in failed], "left_out": [asdict(one) for one in left_out]}
    table = table.replace_schema_metadata({_REJECTS: json.dumps(told), _OF: f"{shard} {run}"})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    data = sink.getvalue()
    part = _described(data, table, shard, run)
    (folder / part.uri).write_bytes(data)
    return part


def kept_part(folder: Location, name: str, shard: str, run: str) -> Part | None:
    """Return what a manifest says of a part that is there; None where it is not what its name says, or was renamed."""
    data = (folder / name).read_bytes()
    if part_name(shard, run, xxhash.xxh3_128_hexdigest(data)) != name:
        return None
    table = pq.read_table(io.BytesIO(data))
    return _described(data, table, shard, run) if is_of(table.schema, shard, run) else None


def is_of(schema: pa.Schema, shard: str, run: str) -> bool:
    """Return whether a part says of itself that it is of this shard and run; by its name alone any could be.

    Those that earlier versions wrote say nothing, and are believed.
    """
    return (schema.metadata or {}).get(_OF, own := f"{shard} {run}".encode()) == own


def all_there(folder: Location, picks: PickSet) -> bool:
    """Return whether every part that a manifest names is in its folder."""
    there = {file.name for file in folder.files()}
    return all(part["uri"] in there for part in picks.parts)


def _described(data: bytes, table: pa.Table, shard: str, run: str) -> Part:
    digest = xxhash.xxh3_128_hexdigest(data)
    flags = table["flag"].value_counts().to_pylist()
    failed, left_out = _rejects_in(table)
    return Part(
        shard=shard,
        uri=part_name(shard, run, digest),
        n_gathers=pc.count_distinct(table["gather_id"]).as_py(),
        n_traces=len(table),
        n_picked=count_picked(table),
        flags={one["values"]: one["counts"] for one in sorted(flags, key=lambda one: str(one["values"]))},
        n_rejects=len(failed) + len(left_out),
        n_left_out=sum(one.n_traces for one in left_out),
        bytes=len(data),
        xxh3=digest,
    )


def count_picked(table: pa.Table) -> int:
    """Return how many rows have a pick."""
    return int(np.isfinite(table["pick_ms"].to_numpy()).sum())


def part_name(shard: str, run: str, digest: str) -> str:
    """Return what the part of a shard is called, by its run and the hash of its content."""
    return f"{PurePosixPath(shard).stem}.{run}.{digest[:_NAME_DIGITS]}.parquet"


def parts_there(folder: Location, run: str) -> dict[str, str]:
    """Return the parts of a run that are there, by the stem of their shard."""
    found: dict[str, str] = {}
    for file in folder.files():
        stem, *rest = file.name.rsplit(".", 3)
        if len(rest) == 3 and rest[0] == run and rest[2] == "parquet":
            found.setdefault(stem, file.name)
    return found


def read_part(location: Location) -> pa.Table:
    """Return the pick rows of one part."""
    return shards.read_table(location, schema=PICK_SCHEMA)


def read_picks(store: Store, picks: PickSet) -> pa.Table:
    """Return all pick rows of a set."""
    folder = store.folder("picks", picks.name)
    return pa.concat_tables([read_part(folder / part["uri"]) for part in picks.parts])


def read_part_rejects(location: Location) -> list[Reject]:
    """Return the gathers that could not be picked in a part, and why."""
    failed, left_out = _rejects_in(shards.read_table(location, columns=[]))
    return failed + left_out


def _rejects_in(table: pa.Table) -> tuple[list[Reject], list[Reject]]:
    """Return the gathers whose rows say that they failed, and those without rows."""
    told = (table.schema.metadata or {}).get(_REJECTS, b"{}")
    try:
        found = json.loads(told)
        failed, left_out = ([Reject(**one) for one in found.get(name, ())] for name in ("failed", "left_out"))
    except (ValueError, TypeError, AttributeError) as error:
        raise StorageError(f"what a part says of its rejects is damaged: {error}; pick it again") from error
    return failed, left_out
