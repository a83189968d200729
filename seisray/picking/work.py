"""What is picked, shard by shard: those of a survey in the store, or ranges of field files that were never ingested."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seisray import shards
from seisray.config import config_dict, fingerprint
from seisray.errors import ConfigError, FormatError, GatherError, Seg2Error, SeisrayError, StorageError
from seisray.formats.seg2 import read_seg2
from seisray.gather import Gather, Reject
from seisray.ingest.parts import Notes, Part, plan, read_part, usable
from seisray.ingest.probe import glance
from seisray.ingest.settings import IngestConfig, Job
from seisray.ingest.sources import Source, changed
from seisray.ingest.survey import make_job
from seisray.registry import PickSet, Store, Survey


class Work(Protocol):
    """Say what is picked. It is plain data, and travels to the workers.

    label: for messages. shards: their names. n_traces: in all, None = not known before they are read. identity: what
    changes with the data.
    """

    @property
    def label(self) -> str: ...

    @property
    def shards(self) -> list[str]: ...

    @property
    def n_traces(self) -> int | None: ...

    @property
    def identity(self) -> str: ...

    @property
    def sample_interval_us(self) -> float: ...

    def manifest(self) -> dict[str, Any]:
        """Return what the manifest of the picks says of it."""

    def gathers(self, number: int, left_out: list[Reject]) -> Iterator[Gather]:
        """Yield the gathers of a shard; add those that are none to left_out."""

    def traces(self, number: int) -> tuple[pa.Array, list[NDArray[np.int32]]]:
        """Return the ids of the gathers of a shard, and the numbers of the traces of each."""

    def check_whole(self, n_traces: int, n_left_out: int) -> None:
        """Raise StorageError unless so many traces, picked and left out, are all there are."""


@dataclass(frozen=True, kw_only=True)
class SurveyWork:
    """Pick a survey in the store."""

    store: str
    survey: Survey

    @property
    def label(self) -> str:
        return f"survey {self.survey.survey!r}"

    @property
    def shards(self) -> list[str]:
        return [str(shard["uri"]).rpartition("/")[2] for shard in self.survey.shards]

    @property
    def n_traces(self) -> int:
        return self.survey.n_traces

    @property
    def identity(self) -> str:
        return self.survey.fingerprint

    @property
    def sample_interval_us(self) -> float:
        return self.survey.sample_interval_us

    def manifest(self) -> dict[str, Any]:
        return {"survey": self.survey.survey, "survey_fingerprint": self.identity}

    def gathers(self, number: int, left_out: list[Reject]) -> Iterator[Gather]:
        yield from shards.read_gathers(Store(self.store).shard(self.survey, number))

    def traces(self, number: int) -> tuple[pa.Array, list[NDArray[np.int32]]]:
        known = shards.read_columns(Store(self.store).shard(self.survey, number), ["gather_id", "trace"])
        return known["gather_id"].combine_chunks(), [row["trace"] for row in shards.rows(known)]

    def check_whole(self, n_traces: int, n_left_out: int) -> None:
        if n_traces != self.n_traces:
            raise StorageError(
                f"{self.label} has {self.n_traces} traces by its manifest, its shards {n_traces}; did it change "
                "meanwhile? run seisray verify"
            )


@dataclass(frozen=True, kw_only=True)
class FieldWork:
    """Pick field files as ingest would read them, gather by gather.

    Gathers with dead traces, NaN, or fewer traces than others are picked, and their rows say what is wrong.
    """

    job: Job
    parts: list[Part]
    sample_interval_us: float

    @property
    def label(self) -> str:
        sources = list(self.job.sources.values())
        return sources[0].uri if len(sources) == 1 else f"{sources[0].uri} and {len(sources) - 1} more files"

    @property
    def shards(self) -> list[str]:
        return [part.shard for part in self.parts]

    @property
    def n_traces(self) -> int | None:
        layouts = [source.layout for source in self.job.sources.values()]
        return None if None in layouts else sum(layout.n_traces for layout in layouts if layout)

    @property
    def identity(self) -> str:
        return self.job.identity

    def manifest(self) -> dict[str, Any]:
        sources = [source.record for _, source in sorted(self.job.sources.items())]
        return {"survey": None, "survey_fingerprint": self.identity, "sources": sources}

    @property
    def settings(self) -> dict[str, Any]:
        """Return how the files are read, and divided into shards."""
        ranges = [(part.shard, part.first_trace, part.stop_trace) for part in self.parts]
        return {"read": config_dict(self.job.config), "ranges": fingerprint(ranges)}

    def gathers(self, number: int, left_out: list[Reject]) -> Iterator[Gather]:
        notes = Notes()
        found = read_part(self.parts[number], self.job, notes)
        seen = set[str]()
        for gather in usable(found, self.job, notes, check=Gather.check_no_trace_twice):
            if gather.gather_id in seen:
                raise in_pieces(self.label, gather.gather_id)
            seen.add(gather.gather_id)
            yield gather
        left_out += notes.rejects

    def traces(self, number: int) -> tuple[pa.Array, list[NDArray[np.int32]]]:
        found = {gather.gather_id: gather.trace for gather in self.gathers(number, [])}
        return pa.array(found, pa.string()), list(found.values())

    def check_whole(self, n_traces: int, n_left_out: int) -> None:
        if (other := changed(self.job.sources.values())) is not None:
            raise StorageError(f"{other.uri} changed while it was picked; pick it again with another --out")
        if self.n_traces is not None and n_traces + n_left_out != self.n_traces:
            raise StorageError(
                f"{self.label}: {self.n_traces} traces, {n_traces} of them picked and {n_left_out} left out; did a "
                "file change meanwhile? pick it again with another --out"
            )


def in_pieces(label: str, gather: str) -> FormatError:
    """Return the error that says of a gather that its traces do not lie together."""
    return FormatError(
        f"{label}: gather {gather!r} is in several pieces, which ingest brings together: ingest the files, and pick "
        "the survey"
    )


def field_work(name: str, files: Sequence[str], config: IngestConfig, store: Store) -> FieldWork:
    """Return the work of picking field files; raise where they cannot be read, or their gathers lie in pieces."""
    if config.picks is not None:
        raise ConfigError(f"--picks {config.picks}: picking needs no labels; score the picks with seisray score")
    job = make_job(name, files, store.folder("picks", name), replace(config, allow_incomplete=True))
    seen = glance(job)
    if seen.scattered:
        raise FormatError(f"{seen.scattered}; ingest brings such gathers together: ingest the files, pick the survey")
    job = replace(job, recorded=seen.recorded)
    sources = list(job.sources.values())
    layout = next((source.layout for source in sources if source.layout), None)
    interval_us = layout.sample_interval_us if layout else _seg2_interval_us(sources)
    return FieldWork(job=job, parts=list(plan(sources, job.identity)), sample_interval_us=interval_us)


def _seg2_interval_us(sources: Sequence[Source]) -> float:
    """Return the sampling interval of the first SEG-2 file that can be read; the others are rejected one by one."""
    faults: list[SeisrayError] = []
    for source in sources:
        try:
            gather = read_seg2(source.location.read_bytes(), survey="", source_file=source.uri)
        except (Seg2Error, GatherError) as error:
            faults.append(error)
        else:
            return gather.sample_interval_us
    raise faults[0]


def work_of(picks: PickSet, store: Store) -> Work:
    """Return what a set of picks was made of; raise PicksError or FormatError where that has changed."""
    if picks.survey is not None:
        return SurveyWork(store=str(store), survey=store.survey_of(picks))
    read = picks.settings["read"]
    settings: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}
    files = [source["uri"] for source in picks.sources]
    work = field_work(picks.name, files, IngestConfig(**settings), store)
    if work.identity != picks.survey_fingerprint:
        raise FormatError(f"picks {picks.name!r}: {work.label} changed since it was picked; pick with another --out")
    return work
