"""A look at some traces of the files: what their headers hold, and whether the traces of a gather lie together."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seisray.formats.segy.gathers import filled_in, read_range
from seisray.ingest.settings import Job
from seisray.ingest.sources import CONNECTIONS, Source

WINDOW_BYTES = 1 << 20
FILES = 64  # at most; the first ones, since gathers go on in the next file


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Traces of one key that lie together: where they start, and their field records and channels.

    whole: not cut by the window through which it was seen.
    """

    source: int
    first_trace: int
    key: str
    traces: frozenset[tuple[int, int]]
    whole: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """What a look at the start, the middle and the end of SEG-Y files showed.

    recorded: places and offsets that the trace headers hold. scattered: where a gather is in several pieces, or None
    where every gather seen lies together.
    """

    recorded: frozenset[str]
    scattered: str | None


def glance(job: Job) -> Glance:
    """Return what a look at the files of a job shows."""
    segy = [source for source in job.sources.values() if source.layout][:FILES]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        found = list(pool.map(lambda source: _look(job, source), segy))
    recorded = frozenset(name for _, names in found for name in names)
    return Glance(recorded=recorded, scattered=_scattered(job, segy, [runs for runs, _ in found]))


def _scattered(job: Job, segy: Sequence[Source], found: Sequence[Sequence[Run]]) -> str | None:
    """Return in which file a gather is in several pieces.

    The same key in two files is one gather in pieces only where no field record and channel is in both.
    """
    for source, runs in zip(segy, found, strict=True):
        if again := _comes_back(runs):
            return f"{job.key.name} {again.key} comes back at trace {again.first_trace + 1} of {source.uri}"
    by_key: dict[str, list[Run]] = defaultdict(list)
    for run in (run for runs in found for run in runs if run.whole):
        by_key[run.key].append(run)
    for runs in by_key.values():
        for other in runs[1:]:
            if other.source != runs[0].source and not other.traces & runs[0].traces:
                files = " and ".join(job.sources[run.source].uri for run in (runs[0], other))
                return f"{job.key.name} {other.key} is split over {files}"
    return None


def _comes_back(runs: Sequence[Run]) -> Run | None:
    """Return the first run whose key was left before; the same key in neighbouring windows may be one run."""
    seen: set[str] = set()
    for before, run in zip([None, *runs], runs, strict=False):
        if run.key in seen and (before is None or before.key != run.key):
            return run
        seen.add(run.key)
    return None


def _look(job: Job, source: Source) -> tuple[list[Run], frozenset[str]]:
    """Return the runs that windows into a file show, and which headers are filled in."""
    layout = source.layout
    assert layout is not None
    each = max(WINDOW_BYTES // layout.trace_bytes, 2)
    firsts = sorted({0, max((layout.n_traces - each) // 2, 0), max(layout.n_traces - each, 0)})
    runs: list[Run] = []
    recorded: frozenset[str] = frozenset()
    end = 0
    for first in (max(first, end) for first in firsts):
        end = min(first + each, layout.n_traces)
        if first >= end:
            continue
        blocks = read_range(source.location.read_array, layout, first, end)
        recorded |= filled_in(job.reading(source, name="").headers(blocks))
        runs += _runs(job, source, blocks, first)
    return runs, recorded


def _runs(job: Job, source: Source, blocks: NDArray[np.uint8], first: int) -> Iterator[Run]:
    layout = source.layout
    assert layout is not None
    keys = job.key.read(blocks, layout.byte_order)
    traces = np.stack([job.mapping[name].read(blocks, layout.byte_order) for name in ("ffid", "channel")], axis=1)
    starts = [0, *(np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1), len(keys)]
    for start, stop in pairwise(starts):
        yield Run(
            source=source.index,
            first_trace=first + int(start),
            key="-".join(map(str, keys[start])),
            traces=frozenset(map(tuple, traces[start:stop].tolist())),
            whole=(start > 0 or first == 0) and (stop < len(keys) or first + len(keys) == layout.n_traces),
        )
