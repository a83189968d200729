"""Parts of field files: what one task reads, and the shard it becomes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import xxhash

from seisray import shards
from seisray.errors import GatherError
from seisray.formats import segy
from seisray.formats.seg2 import read_seg2
from seisray.gather import Gather, Reject
from seisray.ingest.settings import Job
from seisray.ingest.sources import Source

SMALLEST_RANGE_BYTES, LARGEST_RANGE_BYTES = 4 << 20, 64 << 20
SHARDS_WANTED = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What one task reads into one shard: a range of traces of a SEG-Y file, or some SEG-2 files."""

    shard: str
    sources: tuple[Source, ...]
    first_trace: int = 0
    stop_trace: int = 0


def plan(sources: Sequence[Source], identity: str) -> Iterator[Part]:
    """Yield parts of 4 to 64 MiB, aligned to traces, with shard names that any run of the same ingest gives again."""
    for source in sources:
        layout = source.layout
        if layout is None:
            continue
        step = max(range_bytes(source.bytes) // layout.trace_bytes, 1)
        for number, first in enumerate(range(0, layout.n_traces, step)):
            yield Part(
                shard=f"part-{identity}-{source.index:05}-{number:05}.parquet",
                sources=(source,),
                first_trace=first,
                stop_trace=min(first + step, layout.n_traces),
            )
    seg2 = [source for source in sources if source.layout is None]
    size = seg2[0].bytes if seg2 else 0
    each = max(min(LARGEST_RANGE_BYTES // max(size, 1), -(-len(seg2) // SHARDS_WANTED)), 1)
    for number, first in enumerate(range(0, len(seg2), each)):
        yield Part(shard=f"part-{identity}-seg2-{number:05}.parquet", sources=tuple(seg2[first : first + each]))


def range_bytes(total_bytes: int) -> int:
    """Return how many bytes one task of a file takes."""
    return min(max(total_bytes // SHARDS_WANTED, SMALLEST_RANGE_BYTES), LARGEST_RANGE_BYTES)


@dataclass(frozen=True, kw_only=True, slots=True)
class GatherLine:
    """What the survey as a whole needs to know of a gather."""

    gather_id: str
    ffid: int
    n_traces: int
    n_samples: int
    sample_interval_us: float
    source: int
    n_live: int
    n_labelled: int


@dataclass(slots=True)
class Notes:
    """What came of a part, kept in its shard: gathers, those left out, and a hash of what was read of each source.

    hashes: (source, first trace, xxh3 of the bytes).
    """

    gathers: list[GatherLine] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    hashes: list[tuple[int, int, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Notes":
        """Return what to_json gave."""
        return cls(
            gathers=[GatherLine(**line) for line in found["gathers"]],
            rejects=[Reject(**reject) for reject in found["rejects"]],
            hashes=[tuple(entry) for entry in found["hashes"]],
        )


def read_part(part: Part, job: Job) -> Iterator[Gather | Reject | tuple[int, int, str]]:
    """Yield the gathers of a part, why others are none, and a hash of what was read of each source."""
    for source in part.sources:
        if source.layout is None:
            data = source.location.read_bytes()
            yield source.index, 0, xxhash.xxh3_64_hexdigest(data)
            yield _record(data, source, job)
            continue
        read_at = source.location.read_range
        blocks = segy.read_range(read_at, source.layout, part.first_trace, part.stop_trace)
        yield source.index, part.first_trace, xxhash.xxh3_64_hexdigest(blocks.data)
        yield from segy.gathers_starting_in(blocks, part.first_trace, read_at, job.reading(source, name=source.name))


def _record(data: bytes, source: Source, job: Job) -> Gather | Reject:
    try:
        gather = read_seg2(data, survey=job.survey, source_file=source.uri, name=source.name)
    except GatherError as error:
        return Reject(source_file=source.uri, first_byte=0, ffid=None, n_traces=0, reason=str(error))
    return gather.replace(source=np.full(gather.n_traces, source.index))


def usable(found: Iterable[Gather | Reject | tuple[int, int, str]], job: Job, notes: Notes) -> Iterator[Gather]:
    """Yield the gathers that can be used, with labels and geometry; put the rest into notes."""
    for one in found:
        if isinstance(one, tuple):
            notes.hashes.append(one)
        elif isinstance(one, Reject):
            notes.rejects.append(one)
        else:
            try:
                gather = _finished(one, job)
            except GatherError as error:
                notes.rejects.append(reject_of(one, str(error), job))
                continue
            notes.gathers.append(_line(gather))
            yield gather


def _line(gather: Gather) -> GatherLine:
    return GatherLine(
        gather_id=gather.gather_id,
        ffid=gather.ffid,
        n_traces=gather.n_traces,
        n_samples=gather.n_samples,
        sample_interval_us=gather.sample_interval_us,
        source=int(gather.source[0]),
        n_live=int(gather.live.sum()),
        n_labelled=int(gather.labelled.sum()),
    )


def reject_of(gather: Gather, reason: str, job: Job) -> Reject:
    """Return a gather as one that is left out."""
    layout = job.sources[int(gather.source[0])].layout
    return Reject(
        source_file=gather.source_file,
        first_byte=layout.offset(int(gather.source_trace[0]) - 1) if layout else 0,
        ffid=gather.ffid,
        n_traces=gather.n_traces,
        reason=reason,
    )


def _finished(gather: Gather, job: Job) -> Gather:
    """Return a gather with labels and geometry, sorted; raise GatherError where it is not usable."""
    gather.check_usable()
    expected = job.complete_traces.get(int(gather.source[0]), 0)
    if gather.n_traces < expected:
        raise GatherError(
            f"{gather.n_traces} traces, the other gathers of the file have {expected}; pass --allow-incomplete to "
            "take it as it is"
        )
    gather = job.geometry.on(gather) if job.geometry else gather
    gather = job.labels.on(gather) if job.labels else gather
    if job.config.sort_by == "file":
        return gather
    by = gather.channel if job.config.sort_by == "channel" else gather.offset_m
    return gather.take(np.argsort(by, kind="stable"))


def write_shard(shard: str, found: Iterable[Gather | Reject | tuple[int, int, str]], job: Job) -> Notes:
    """Write the gathers found in a part, those that can be used, as a shard."""
    notes = Notes()
    location = job.folder / "shards" / shard
    shards.write_shard(location, usable(found, job, notes), job.config.encoding, notes=notes.to_json)
    return notes
