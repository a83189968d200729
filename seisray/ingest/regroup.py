"""Gathers whose traces do not lie together: scatter the traces of each range over buckets, then collect each bucket.

Which bucket a trace goes to depends on its key alone, so that all traces of a gather meet in one. Scattered traces lie
in the store, one file a range with one block a bucket: memory stays bounded, and both stages can be resumed.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from seisray import shards
from seisray.errors import FormatError, GatherError
from seisray.formats.segy.gathers import pieces_of
from seisray.gather import Gather, Reject
from seisray.ingest.parts import Notes, Part, blocks_of, range_bytes, rejects_of
from seisray.ingest.settings import Job

MOST_BUCKETS = 2048  # each is a part of each scattered file
LARGEST_BUCKET_BYTES = 1 << 30
_LENGTH_BYTES = 8  # of the index at a scattered file's end


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """What one task collects into one shard: the traces of one bucket out of every scattered file.

    blocks: (file, offset, bytes) of each.
    """

    shard: str
    blocks: tuple[tuple[str, int, int], ...]


def n_buckets(job: Job) -> int:
    """Return into how many buckets the traces go: shards of the size that ranges would give."""
    total = sum(source.bytes for source in job.sources.values() if source.layout)
    return min(max(-(-total // range_bytes(total)), 1), MOST_BUCKETS)


def scatter(part: Part, job: Job) -> tuple[list[int], Notes]:
    """Write the traces of a range bucket by bucket; return where each bucket ends in the file, and notes.

    A file that is already there is not made again.
    """
    place = job.folder / "scattered" / part.shard
    if place.exists():
        return _index(part, job)
    notes = Notes()
    buckets: list[list[Gather]] = [[] for _ in range(job.n_buckets)]
    for source in part.sources:
        blocks = blocks_of(part, source, notes)
        for piece in pieces_of(blocks, part.first_trace, job.reading(source, name="")):
            if isinstance(piece, Reject):
                notes.rejects.append(piece)
            else:
                buckets[zlib.crc32(piece.gather_id.encode()) % len(buckets)].append(piece)
    packed = [_pack(pieces) for pieces in buckets]
    ends = np.cumsum([len(block) for block in packed]).tolist()
    index = json.dumps({"ends": ends, **notes.to_json()}).encode()
    place.write_bytes(b"".join([*packed, index, len(index).to_bytes(_LENGTH_BYTES, "little")]))
    return ends, notes


def _index(part: Part, job: Job) -> tuple[list[int], Notes]:
    place = job.folder / "scattered" / part.shard
    size = place.size()
    length = int.from_bytes(place.read_range(size - _LENGTH_BYTES, _LENGTH_BYTES), "little")
    found = json.loads(place.read_range(size - _LENGTH_BYTES - length, length))
    return found["ends"], Notes.from_json(found)


def _pack(pieces: Sequence[Gather]) -> bytes:
    if not pieces:
        return b""
    sink = pa.BufferOutputStream()
    table = shards.shard_table(pieces, "float32")
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def buckets_of(scattered: Sequence[tuple[Part, list[int]]], job: Job) -> Iterator[Bucket]:
    """Yield what remains to be collected once every range is scattered; ends: of each bucket in each file."""
    for number in range(job.n_buckets):
        blocks = []
        for part, ends in scattered:
            start = ends[number - 1] if number else 0
            if ends[number] > start:
                blocks.append((part.shard, start, ends[number] - start))
        size = sum(length for _, _, length in blocks)
        if size > LARGEST_BUCKET_BYTES:
            raise FormatError(
                f"survey {job.survey!r}: {job.key.name} has so few values that {size >> 20} MiB of traces belong "
                "together; group by something that makes smaller gathers"
            )
        if blocks:
            yield Bucket(shard=f"part-{job.identity}-regrouped-{number:05}.parquet", blocks=tuple(blocks))


def read_bucket(bucket: Bucket, job: Job) -> Iterator[Gather | Reject]:
    """Yield the gathers of a bucket, or why others are none."""
    pieces: dict[str, list[Gather]] = defaultdict(list)
    for file, offset, size in bucket.blocks:
        data = (job.folder / "scattered" / file).read_range(offset, size)
        with pa.ipc.open_stream(data) as reader:
            for row in shards.rows(reader.read_all()):
                piece = shards.gather_of(row)
                pieces[piece.gather_id].append(piece)
    for key, found in sorted(pieces.items()):
        if key in job.broken:
            for piece in found:
                yield from rejects_of(piece, "other traces of this gather cannot be used", job)
            continue
        for group in _one_gather_each(found):
            try:
                whole = Gather.join(group)
            except GatherError as error:
                for piece in group:
                    yield from rejects_of(piece, str(error), job)
                continue
            yield whole.replace(gather_id=f"{job.sources[int(whole.source[0])].name}-{key}")


def _one_gather_each(pieces: list[Gather]) -> list[list[Gather]]:
    """Return pieces of one key as one gather, or as one a file where files hold the same field record and channel."""
    by_source: dict[int, list[Gather]] = defaultdict(list)
    for piece in pieces:
        by_source[int(piece.source[0])].append(piece)
    seen: set[tuple[int, int]] = set()
    for source in by_source.values():
        own = {
            pair for piece in source for pair in zip(piece.field_record.tolist(), piece.channel.tolist(), strict=True)
        }
        if own & seen:
            return [by_source[index] for index in sorted(by_source)]
        seen |= own
    return [pieces]
