"""Field files to a survey: Ray Data tasks read trace-aligned byte ranges, and write one shard each."""

import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

from seisray import shards
from seisray.config import fingerprint
from seisray.errors import ConfigError, ExistsError, FormatError, StorageError
from seisray.formats.geometry import read_geometry
from seisray.formats.picks.files import read_first_breaks
from seisray.formats.segy.headers import header_mapping
from seisray.formats.segy.key import gather_key
from seisray.ingest import regroup, tally
from seisray.ingest.file_headers import write_file_headers
from seisray.ingest.parts import Notes, Part, plan, read_part, write_shard
from seisray.ingest.probe import glance
from seisray.ingest.regroup import Bucket
from seisray.ingest.rejects import write_rejects
from seisray.ingest.settings import IngestConfig, Job
from seisray.ingest.sources import changed, describe, field_files
from seisray.progress import Progress
from seisray.registry import Store, Survey
from seisray.storage import Location, locate
from seisray.tasks import spread

Work = TypeVar("Work", Part, Bucket)
OF_FIELD_FILES = ("picks", "pick_origin", "pick_unit", "geometry", "allow_incomplete")
"""Settings that files appended to a survey may have of their own."""


def ingest(
    name: str,
    files: Sequence[str],
    *,
    store: str,
    config: IngestConfig | None = None,
    replace: bool = False,
    resume: bool = False,
    append: bool = False,
) -> Survey:
    """Turn field files into a survey in the store; return its manifest.

    files: SEG-Y or SEG-2 files, or folders of them, local or s3://. replace: rebuild an existing survey; append: add
    the files to it, read as its others were; resume: keep what an interrupted ingest of the same files with the same
    settings left. Raises ExistsError, NotFoundError, FormatError or ConfigError; the survey then is as it was before.
    """
    if replace and append:
        raise ConfigError("--replace rebuilds a survey, --append adds to it; give one of them")
    place = Store(store)
    folder = place.folder("surveys", name)
    exists = (folder / "manifest.json").exists()
    before = place.survey(name) if append else None
    if before and before.made_from:
        made = before.made_from["survey"]
        raise ConfigError(f"survey {name!r} was made from {made!r}; append to that one, and make it again")
    if before and resume and {file.uri for file in field_files(files)} <= {source["uri"] for source in before.sources}:
        return before
    job = make_job(name, files, folder, config or IngestConfig(), before)
    if exists and resume and not append and place.survey(name).fingerprint == job.identity:
        return place.survey(name)
    if exists and not (replace or append):
        raise ExistsError(
            f"survey {name!r} already exists in {place}; pass --replace to rebuild it, --append to add to it"
        )
    place.check_writable()
    try:
        if not resume:
            (folder / "scattered").delete()
        found, scattered = _shards(job, resume)
        sizes = {shard: (folder / "shards" / shard).size() for shard, notes in found.items() if notes.gathers}
        survey = tally.manifest(found, sizes, scattered, job, before)
        survey = _joined(before, survey) if before else survey
    except (FormatError, ConfigError):  # nothing to go on with; after other errors --resume finds what is done
        if not (exists and place.survey(name).fingerprint == job.identity):
            _discard(folder, job.identity)
        raise
    for remark in tally.remarks(found):
        print(remark, file=sys.stderr)
    if (other := changed(job.sources.values())) is not None:
        raise StorageError(f"{other.uri} changed while it was read; ingest it again")
    known = before.sources if before else []
    write_rejects(folder, tally.rejects_of(found, scattered), keep={source["uri"] for source in known})
    write_file_headers(folder, job, keep={source["index"] for source in known})
    survey.write(folder / "manifest.json")
    keep = {shard["uri"] for shard in survey.shards}
    for old in (folder / "shards").files():  # what an earlier survey of this name left, or gathers in pieces
        if f"shards/{old.name}" not in keep:
            old.delete()
    (folder / "scattered").delete()
    return survey


def make_job(
    name: str, files: Sequence[str], folder: Location, config: IngestConfig, before: Survey | None = None
) -> Job:
    """Return what tasks need to read field files; raise where these are not there, or do not go together."""
    config = _inherited(config, before) if before else config
    mapping = header_mapping(config.header)
    key = gather_key(config.group_by, mapping)
    known = before.sources if before else []
    sources = describe(
        field_files(files), config.read_as, first_index=len(known), taken=[source["name"] for source in known]
    )
    twice = {source.uri for source in sources} & {source["uri"] for source in known}
    if twice:
        raise ExistsError(f"{min(twice)} is already in survey {name!r}; append only files that are not")
    for source in sources:
        if source.layout is None and key.name != "ffid":
            raise ConfigError(f"{source.uri} is SEG-2, a gather a file; --group-by {key.name} is for SEG-Y")
        for field in (*mapping.values(), *key.fields) if source.layout else ():
            field.check_within(source.layout.header_bytes if source.layout else 0, source.uri)
    intervals = {source.layout.sample_interval_us for source in sources if source.layout}
    if before:
        intervals.add(before.sample_interval_us)
    if len(intervals) > 1:
        raise FormatError(
            f"survey {name!r}: sample intervals {sorted(intervals)} us; ingest each as a survey of its own"
        )
    tables = [hashlib.sha256(locate(uri).read_bytes()).hexdigest() for uri in (config.picks, *config.geometry) if uri]
    records = [source.record for source in sources]
    chain = before.fingerprint if before else None
    return Job(
        survey=name,
        folder=folder,
        identity=fingerprint([name, records, tables, asdict(config), shards.SCHEMA.to_string(), chain]),
        config=config,
        mapping=mapping,
        key=key,
        sources={source.index: source for source in sources},
        labels=read_first_breaks(locate(config.picks).read_bytes(), config.picks, config.pick_origin)
        if config.picks
        else None,
        geometry=read_geometry([(locate(uri).read_bytes(), uri) for uri in config.geometry])
        if config.geometry
        else None,
    )


def _inherited(config: IngestConfig, before: Survey) -> IngestConfig:
    """Return the settings of a survey for files appended to it; raise ConfigError where others were asked for."""
    default = asdict(IngestConfig())
    asked = {key: value for key, value in asdict(config).items() if key not in OF_FIELD_FILES and value != default[key]}
    for key, value in asked.items():
        theirs = before.settings[key]
        if value != (tuple(theirs) if isinstance(theirs, list) else theirs):
            raise ConfigError(
                f"{key} is {value!r}, but survey {before.survey!r} was made with {theirs!r}; leave it out"
            )
    theirs = {key: value for key, value in before.settings.items() if key not in OF_FIELD_FILES}
    return replace(config, **theirs | {"header": tuple(theirs["header"])})


def _shards(job: Job, resume: bool) -> tuple[dict[str, Notes], list[Notes]]:
    """Make all shards; return what came of each, and of ranges whose traces had to be regrouped."""
    parts = list(plan(list(job.sources.values()), job.identity))
    there = {file.name for file in (job.folder / "shards").files()} if resume else set()
    seen = glance(job)
    job = replace(job, recorded=seen.recorded)
    if (reason := seen.scattered) is None:
        found = _run(parts, _read, job, there)
        if (twice := tally.comes_twice(found)) is None:
            return _without_incomplete(parts, _read, found, job), []
        reason = f"gather {twice} is in several pieces"
    segy = [part for part in parts if part.sources[0].layout]
    if not segy:
        raise FormatError(f"survey {job.survey!r}: {reason}; SEG-2 files hold a gather each")
    print(f"{reason}: its traces are regrouped by {job.key.name}", file=sys.stderr)
    job = replace(job, n_buckets=regroup.n_buckets(job))
    ranges = _scatter(segy, job)
    job = replace(job, broken=frozenset(reject.gather_id for _, notes in ranges for reject in notes.rejects))
    buckets = list(regroup.buckets_of([(part, ends) for part, (ends, _) in zip(segy, ranges, strict=True)], job))
    records = [part for part in parts if part.sources[0].layout is None]
    found = _without_incomplete(buckets, _collect, _run(buckets, _collect, job, there), job)
    found |= _run(records, _read, job, there)
    if twice := tally.comes_twice(found):
        raise FormatError(f"survey {job.survey!r}: gather {twice!r} occurs twice; are two of the files copies?")
    return found, [notes for _, notes in ranges]


def _without_incomplete(
    work: Sequence[Work], do: Callable[[Work, tuple[Job, set[str]]], Any], found: dict[str, Notes], job: Job
) -> dict[str, Notes]:
    """Make those shards again that hold gathers with fewer traces than they must have, and reject these."""
    expected = tally.complete_traces(found, job)
    again = [
        one for one in work if any(line.n_traces < expected.get(line.source, 0) for line in found[one.shard].gathers)
    ]
    return found | _run(again, do, replace(job, complete_traces=expected), set())


def _run(
    work: Sequence[Work], do: Callable[[Work, tuple[Job, set[str]]], Any], job: Job, there: set[str]
) -> dict[str, Notes]:
    """Run tasks that make a shard each; return what came of each, by its shard."""
    found: dict[str, Notes] = {}
    if not work:
        return found
    with Progress("ingest", len(work), "shards") as progress:
        gathers = rejects = 0
        for index, result in spread(work, do, (job, there)):
            notes = Notes.from_json(result)
            found[work[index].shard] = notes
            gathers += len(notes.gathers)
            rejects += len(notes.rejects)
            progress.advance(gathers=gathers, rejects=rejects)
    return found


def _read(part: Part, shared: tuple[Job, set[str]]) -> Any:
    job, there = shared
    if part.shard in there:
        return shards.read_notes(job.folder / "shards" / part.shard)
    return write_shard(part.shard, lambda notes: read_part(part, job, notes), job).to_json()


def _collect(bucket: Bucket, shared: tuple[Job, set[str]]) -> Any:
    job, there = shared
    if bucket.shard in there:
        return shards.read_notes(job.folder / "shards" / bucket.shard)
    return write_shard(bucket.shard, lambda _: regroup.read_bucket(bucket, job), job).to_json()


def _scatter(parts: Sequence[Part], job: Job) -> list[tuple[list[int], Notes]]:
    """Scatter the traces of each range over buckets; return what came of each, in the order of the parts."""
    found: dict[int, tuple[list[int], Notes]] = {}
    with Progress("scatter", len(parts), "ranges") as progress:
        for index, (ends, notes) in spread(parts, _scatter_range, job):
            found[index] = (ends, Notes.from_json(notes))
            progress.advance()
    return [found[index] for index in range(len(parts))]


def _scatter_range(part: Part, job: Job) -> Any:
    ends, notes = regroup.scatter(part, job)
    return ends, notes.to_json()


def _joined(before: Survey, added: Survey) -> Survey:
    """Return the manifest of a survey with files appended to it."""
    counts = ("n_gathers", "n_traces", "n_live", "n_labelled", "rejects", "unused_labels", "sources", "shards")
    sums = {name: getattr(before, name) + getattr(added, name) for name in counts}
    return replace(added, **sums, n_samples=max(before.n_samples, added.n_samples), settings=before.settings)


def _discard(folder: Location, identity: str) -> None:
    """Remove the shards of an ingest that failed, and the survey's folder if nothing else is in it."""
    (folder / "scattered").delete()
    for file in (folder / "shards").files():
        if file.name.startswith(f"part-{identity}-"):
            file.delete()
    if not folder.files(recursive=True):
        folder.delete()
