"""Field files: which there are, what identifies them, and how tasks share their bytes."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seisray.errors import ConfigError, GatherError, NotFoundError
from seisray.formats import segy
from seisray.formats.headers import HeaderField
from seisray.formats.seg2 import SEG2_MAGIC, read_seg2
from seisray.gather import Gather
from seisray.storage import Location, locate

SUFFIXES = (".sgy", ".segy", ".sg2", ".seg2", ".dat")
EDGE_BYTES = 65536
SMALLEST_RANGE_BYTES, LARGEST_RANGE_BYTES = 4 << 20, 64 << 20
SHARDS_WANTED = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What one task reads into one shard: a range of traces of a SEG-Y file, or some SEG-2 files."""

    shard: str
    files: tuple[str, ...]
    layout: segy.SegyLayout | None = None
    first_trace: int = 0
    stop_trace: int = 0


def field_files(files: Sequence[str]) -> list[Location]:
    """Return the field files that names stand for: files as they are, folders as the SEG-Y and SEG-2 files in them.

    Raises NotFoundError where a name stands for nothing.
    """
    found: list[Location] = []
    for uri in files:
        location = locate(uri)
        if not location.is_folder():
            found.append(location)
            continue
        inside = [file for file in location.files(recursive=True) if file.name.lower().endswith(SUFFIXES)]
        if not inside:
            raise NotFoundError(f"folder {location} holds no field files (*{', *'.join(SUFFIXES)})")
        found += inside
    if not found:
        raise NotFoundError("no field files given")
    twice = [uri for uri, count in Counter(map(str, found)).items() if count > 1]
    if twice:
        raise ConfigError(f"{twice[0]} is given {Counter(map(str, found))[twice[0]]} times; name each file once")
    return found


def describe(source: Location) -> dict[str, Any]:
    """Return what identifies a file's content cheaply, however large it is."""
    size = source.size()
    edge = min(EDGE_BYTES, size)
    ends = source.read_range(0, edge) + source.read_range(size - edge, edge)
    return {"uri": source.uri, "bytes": size, "edge_sha256": hashlib.sha256(ends).hexdigest()}


def plan(sources: Sequence[Location], identity: str) -> Iterator[Part]:
    """Yield tasks of 4 to 64 MiB, aligned to traces, with shard names that any run of the same ingest gives again."""
    seg2: list[Location] = []
    for index, source in enumerate(sources):
        size = source.size()
        if source.read_range(0, min(2, size)) in SEG2_MAGIC:
            seg2.append(source)
            continue
        layout = segy.read_layout(source.read_range, size, source.uri)
        wanted = min(max(size // SHARDS_WANTED, SMALLEST_RANGE_BYTES), LARGEST_RANGE_BYTES)
        step = max(wanted // layout.trace_bytes, 1)
        for number, first in enumerate(range(0, layout.n_traces, step)):
            yield Part(
                shard=f"part-{identity}-{index:05}-{number:05}.parquet",
                files=(source.uri,),
                layout=layout,
                first_trace=first,
                stop_trace=min(first + step, layout.n_traces),
            )
    size = seg2[0].size() if seg2 else 0
    each = max(min(LARGEST_RANGE_BYTES // max(size, 1), -(-len(seg2) // SHARDS_WANTED)), 1)
    for number, first in enumerate(range(0, len(seg2), each)):
        files = tuple(file.uri for file in seg2[first : first + each])
        yield Part(shard=f"part-{identity}-seg2-{number:05}.parquet", files=files)


def read_part(
    part: Part, survey: str, mapping: Mapping[str, HeaderField]
) -> Iterator[tuple[Location, Gather | GatherError]]:
    """Yield each gather, or the reason why it is none, with its file."""
    for source in map(locate, part.files):
        if part.layout is None:
            try:
                yield source, read_seg2(source.read_bytes(), survey=survey, source_file=source.uri)
            except GatherError as error:
                yield source, error
            continue
        for found in segy.read_gathers(
            source.read_range,
            part.layout,
            part.first_trace,
            part.stop_trace,
            survey=survey,
            source_file=source.uri,
            mapping=mapping,
        ):
            yield source, found
