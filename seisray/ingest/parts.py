"""Parts of field files: what one task reads, and the shard it becomes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from seisray import shards
from seisray.errors import FormatError, GatherError, PicksError, Seg2Error
from seisray.formats.seg2 import read_seg2
from seisray.formats.segy.gathers import gathers_starting_in, read_range
from seisray.gather import Gather, Reject
from seisray.ingest.settings import Job
from seisray.ingest.sources import Source

SMALLEST_RANGE_BYTES, LARGEST_RANGE_BYTES = 4 << 20, 64 << 20
SHARDS_WANTED = 8
MOST_REPEATS = 8  # of a shot number


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What one task reads into one shard: a range of traces of a SEG-Y file, or some files whole."""

    shard: str
    sources: tuple[Source, ...]
    first_trace: int = 0
    stop_trace: int | None = None


def plan(sources: Sequence[Source], identity: str) -> Iterator[Part]:
    """Yield parts of 4 to 64 MiB, with shard names that any run of the same ingest gives again.

    Large SEG-Y files are divided at traces, small files taken together; no part holds files of both formats.
    """
    wanted = range_bytes(sum(source.bytes for source in sources))
    small: list[Source] = []
    for source in sources:
        if small and (sum(one.bytes for one in small) + source.bytes > wanted or _differ(small[0], source)):
            yield _whole_files(small, identity)
            small = []
        layout = source.layout
        if layout is None or source.bytes <= wanted:
            small.append(source)
            continue
        step = max(wanted // layout.trace_bytes, 1)
        for number, first in enumerate(range(0, layout.n_traces, step)):
            yield Part(
                shard=f"part-{identity}-{source.index:05}-{number:05}.parquet",
                sources=(source,),
                first_trace=first,
                stop_trace=min(first + step, layout.n_traces),
            )
    if small:
        yield _whole_files(small, identity)


def _differ(one: Source, other: Source) -> bool:
    return (one.layout is None) != (other.layout is None)


def _whole_files(sources: Sequence[Source], identity: str) -> Part:
    return Part(shard=f"part-{identity}-{sources[0].index:05}.parquet", sources=tuple(sources))


def range_bytes(total_bytes: int) -> int:
    """Return how many bytes one task takes of files of so many bytes."""
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

    hashes: (source, first trace, xxh3 of the bytes). label_fault: why first breaks do not fit a gather, or "".
    """

    gathers: list[GatherLine] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    hashes: list[tuple[int, int, str]] = field(default_factory=list)
    label_fault: str = ""

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
            label_fault=found["label_fault"],
        )


def read_part(part: Part, job: Job, notes: Notes) -> Iterator[Gather | Reject]:
    """Yield the gathers of a part, and why others are none."""
    for source in part.sources:
        if source.layout is None:
            data = source.location.read_bytes()
            notes.hashes.append((source.index, 0, xxhash.xxh3_64_hexdigest(data)))
            yield _record(data, source, job)
            continue
        blocks = blocks_of(part, source, notes)
        reading = job.reading(source, name=source.name)
        yield from gathers_starting_in(blocks, part.first_trace, source.location.read_array, reading)


def blocks_of(part: Part, source: Source, notes: Notes) -> NDArray[np.uint8]:
    """Return the traces of a SEG-Y source that are a part's, and note their hash."""
    assert source.layout is not None
    stop = source.layout.n_traces if part.stop_trace is None else part.stop_trace
    blocks = read_range(source.location.read_array, source.layout, part.first_trace, stop)
    notes.hashes.append((source.index, part.first_trace, xxhash.xxh3_64_hexdigest(blocks.data)))
    return blocks


def _record(data: bytes, source: Source, job: Job) -> Gather | Reject:
    try:
        gather = read_seg2(data, survey=job.survey, source_file=source.uri, name=source.name)
    except (GatherError, Seg2Error) as error:  # each record is a file of its own: the others can be used
        return Reject(
            gather_id=source.name, source_file=source.uri, first_byte=0, ffid=None, n_traces=0, reason=str(error)
        )
    return gather.replace(source=np.full(gather.n_traces, source.index))


def usable(
    found: Iterable[Gather | Reject],
    job: Job,
    notes: Notes,
    *,
    check: Callable[[Gather], None] = Gather.check_usable,
) -> Iterator[Gather]:
    """Yield the gathers that can be used, with labels and geometry; put the rest into notes.

    check: raises GatherError on those that cannot.
    """
    for one in found:
        if isinstance(one, Reject):
            notes.rejects.append(one)
            continue
        try:
            check(one)
            shots = _shots_apart(one) if job.key.of_shots else [one]
        except GatherError as error:
            notes.rejects += rejects_of(one, str(error), job)
            continue
        for gather in shots:
            try:
                gather = _finished(gather, job, notes)
            except GatherError as error:
                notes.rejects += rejects_of(gather, str(error), job)
                continue
            notes.gathers.append(_line(gather))
            yield gather


def _shots_apart(gather: Gather) -> list[Gather]:
    """Return a shot gather, or the several that it is where channels come again: the k-th of each to the k-th gather.

    So comes a shot that was fired again under its number. Channels that are all the same were not recorded, and tell
    nothing. Raises GatherError where so many shots have one number that it is none.
    """
    if (np.diff(gather.channel) > 0).all():  # so come most gathers
        return [gather]
    pairs = np.stack([gather.field_record, gather.channel], axis=1)
    _, which, counts = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    if len(counts) == 1 or counts.max() == 1:
        return [gather]
    record, channel = pairs[np.argmax(counts[which])]
    twice = f"field record {record}, channel {channel} occurs {counts.max()} times among {gather.n_traces} traces"
    if counts.max() > MOST_REPEATS:
        raise GatherError(
            f"{twice}, which are many shots; say with --group-by or --header what tells shots apart (seisray inspect "
            "finds out)"
        )
    if (counts == counts.max()).sum() < len(counts) / 2:  # a few traces, not a shot
        raise GatherError(f"{twice}; channel numbers must tell the traces of a shot apart (--header channel=byte)")
    order = np.argsort(which, kind="stable")
    occurrence = np.empty(gather.n_traces, dtype=np.intp)
    occurrence[order] = np.arange(gather.n_traces) - np.repeat(np.cumsum([0, *counts[:-1]]), counts)
    shots = [gather.take(np.flatnonzero(occurrence == k)) for k in range(counts.max())]
    return [
        shot.replace(
            trace=np.arange(1, shot.n_traces + 1),
            gather_id=f"{gather.gather_id}@{shot.source_trace[0]}" if k else gather.gather_id,
        )
        for k, shot in enumerate(shots)
    ]


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


def rejects_of(gather: Gather, reason: str, job: Job) -> list[Reject]:
    """Return a gather as what is left out of each of its field files."""
    found = []
    for index in np.unique(gather.source):
        source, rows = job.sources[int(index)], np.flatnonzero(gather.source == index)
        first = int(gather.source_trace[rows].min()) - 1
        found.append(
            Reject(
                gather_id=gather.gather_id,
                source_file=source.uri,
                first_byte=source.layout.offset(first) if source.layout else 0,
                ffid=int(gather.field_record[rows[0]]),
                n_traces=len(rows),
                reason=reason,
            )
        )
    return found


def _finished(gather: Gather, job: Job, notes: Notes) -> Gather:
    """Return a gather with labels and geometry, sorted; raise GatherError where it lacks traces."""
    expected = job.complete_traces.get(int(gather.source[0]), 0)
    if gather.n_traces < expected:
        raise GatherError(
            f"{gather.n_traces} traces, the other gathers of the file have {expected}; pass --allow-incomplete to "
            "take it as it is"
        )
    gather = job.geometry.on(gather) if job.geometry else gather
    if job.labels:
        try:
            gather = job.labels.on(gather)
        except PicksError as error:  # of a piece of a gather this means nothing: the survey as a whole judges
            notes.label_fault = notes.label_fault or str(error)
    if job.config.sort_by == "file":
        return gather
    key = _sort_key(gather, job)
    return gather if (np.diff(key) >= 0).all() else gather.take(np.argsort(key, kind="stable"))


def _sort_key(gather: Gather, job: Job) -> NDArray[Any]:
    if job.config.sort_by == "channel":
        return gather.channel
    away = np.hypot(gather.receiver_x_m - gather.source_x_m, gather.receiver_y_m - gather.source_y_m)
    offset_m = np.where(np.isnan(gather.offset_m), away, gather.offset_m)
    if np.isnan(offset_m).any():
        raise FormatError(
            f"gather {gather.gather_id!r} of {gather.source_file} has neither offsets nor coordinates to sort by; give "
            "--geometry, or sort by channel"
        )
    return offset_m


def write_shard(shard: str, read: Callable[[Notes], Iterable[Gather | Reject]], job: Job) -> Notes:
    """Write the gathers that `read` finds and that can be used as a shard; return what came of it."""
    notes = Notes()
    location = job.folder / "shards" / shard
    shards.write_shard(location, usable(read(notes), job, notes), job.config.encoding, notes=notes.to_json)
    return notes
