"""What came of the parts of an ingest, and what must hold between them before there is a survey."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import xxhash

from seisray.config import config_dict
from seisray.errors import FormatError, PicksError, StorageError
from seisray.gather import Reject
from seisray.ingest.parts import GatherLine, Notes
from seisray.ingest.settings import Job
from seisray.registry import Survey

USUAL_SHARE = 0.9
Shards = Mapping[str, Notes]
"""What came of each shard, by its name."""


def comes_twice(shards: Shards) -> str | None:
    """Return a gather that is in more than one piece."""
    counts = Counter(line.gather_id for notes in shards.values() for line in notes.gathers)
    return next((gather_id for gather_id, count in counts.items() if count > 1), None)


def complete_traces(shards: Shards, job: Job) -> dict[int, int]:
    """Return the traces that a gather of a source must have, for sources where nearly all gathers have as many.

    Only where others have fewer: a file cut at a trace, or traces lost in it.
    """
    if job.config.allow_incomplete or not job.key.of_shots:
        return {}
    sizes: dict[int, Counter[int]] = defaultdict(Counter)
    for notes in shards.values():
        for line in notes.gathers:
            sizes[line.source][line.n_traces] += 1
    found = {}
    for source, counts in sizes.items():
        usual, often = counts.most_common(1)[0]
        total = counts.total()
        clear = often >= USUAL_SHARE * total or (total >= 3 and often == total - 1)
        if job.sources[source].layout and clear and usual == max(counts) and often < total:
            found[source] = usual
    return found


def manifest(
    shards: Shards, sizes: Mapping[str, int], scattered: Sequence[Notes], job: Job, before: Survey | None = None
) -> Survey:
    """Return the manifest of what was ingested; raise FormatError where the gathers do not make one survey.

    scattered: what was noted of ranges whose traces were regrouped. sizes: bytes of each shard. before: the survey to
    which files were appended.
    """
    faults = [notes.label_fault for _, notes in sorted(shards.items()) if notes.label_fault]
    if faults:
        raise PicksError(faults[0])
    gathers = [line for notes in shards.values() for line in notes.gathers]
    rejects = rejects_of(shards, scattered)
    if not gathers:
        reason = rejects[0].reason if rejects else "no traces"
        raise FormatError(f"survey {job.survey!r}: no usable gather in {len(job.sources)} files; the first: {reason}")
    intervals = {line.sample_interval_us for line in gathers} | ({before.sample_interval_us} if before else set())
    if len(intervals) > 1:
        raise FormatError(
            f"survey {job.survey!r}: sample intervals {sorted(intervals)} us; ingest each as a survey of its own"
        )
    _check_nothing_lost(gathers, rejects, job)
    n_labelled = sum(line.n_labelled for line in gathers)
    unused = _unused_labels(gathers, rejects, n_labelled, job, before)
    return Survey(
        survey=job.survey,
        n_gathers=len(gathers),
        n_traces=sum(line.n_traces for line in gathers),
        n_live=sum(line.n_live for line in gathers),
        n_labelled=n_labelled,
        n_samples=max(line.n_samples for line in gathers),
        sample_interval_us=intervals.pop(),
        encoding=job.config.encoding,
        fingerprint=job.identity,
        rejects=len(rejects),
        unused_labels=unused,
        headers={key: f"{field.byte}:{field.format}" for key, field in job.mapping.items()},
        settings=config_dict(job.config),
        sources=_sources([*shards.values(), *scattered], job),
        shards=[
            {
                "uri": f"shards/{shard}",
                "n_gathers": len(notes.gathers),
                "n_traces": sum(line.n_traces for line in notes.gathers),
                "ffids": [line.ffid for line in notes.gathers],
                "bytes": sizes[shard],
            }
            for shard, notes in sorted(shards.items())
            if notes.gathers
        ],
    )


def remarks(shards: Shards) -> Iterator[str]:
    """Yield what a user should know of a survey that is sound but may not be what was meant."""
    gathers = [line for notes in shards.values() for line in notes.gathers]
    again = [ffid for ffid, count in Counter(line.ffid for line in gathers).items() if count > 1]
    if again:
        yield (
            f"{len(again)} FFIDs, such as {again[0]}, are on several gathers: labels and picks by FFID cannot tell "
            "these apart"
        )
    lengths = sorted({line.n_samples for line in gathers})
    if len(lengths) > 1:
        yield f"gathers have {', '.join(map(str, lengths))} samples a trace"


def rejects_of(shards: Shards, scattered: Sequence[Notes]) -> list[Reject]:
    """Return everything that was left out, in the order of the files."""
    found = [reject for notes in [*shards.values(), *scattered] for reject in notes.rejects]
    return sorted(found, key=lambda reject: (reject.source_file, reject.first_byte))


def _sources(all_notes: Iterable[Notes], job: Job) -> list[dict[str, object]]:
    hashes: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for notes in all_notes:
        for source, first_trace, digest in notes.hashes:
            hashes[source].append((first_trace, digest))
    return [
        source.record
        | {"xxh3": xxhash.xxh3_128_hexdigest("".join(digest for _, digest in sorted(hashes[index])).encode())}
        for index, source in sorted(job.sources.items())
    ]


def _check_nothing_lost(gathers: Sequence[GatherLine], rejects: Sequence[Reject], job: Job) -> None:
    """Raise StorageError unless every trace of the SEG-Y files is in a gather or among the rejects."""
    segy = {source.uri: source.layout.n_traces for source in job.sources.values() if source.layout}
    kept = sum(line.n_traces for line in gathers if job.sources[line.source].layout)
    left = sum(reject.n_traces for reject in rejects if reject.source_file in segy)
    if kept + left != sum(segy.values()):
        raise StorageError(
            f"survey {job.survey!r}: the files hold {sum(segy.values())} traces, the shards {kept} and the rejects "
            f"{left}; did a file change meanwhile? ingest it again"
        )


def _unused_labels(
    gathers: Sequence[GatherLine], rejects: Sequence[Reject], n_labelled: int, job: Job, before: Survey | None
) -> int:
    """Return how many first breaks fit no trace; raise PicksError where that can only be a mistake."""
    labels = job.labels
    if labels is None:
        return 0
    if labels.ffids is not None and job.key.of_shots:
        counts = Counter(line.ffid for line in gathers)
        shared = sorted(ffid for ffid in labels.ffids if counts[ffid] > 1)
        if shared:
            raise PicksError(
                f"{job.config.picks}: FFID {shared[0]} is on {counts[shared[0]]} gathers, so its first breaks fit more "
                "than one; ingest files that number their shots alike as surveys of their own"
            )
        others = {ffid for shard in (before.shards if before else []) for ffid in shard["ffids"]}
        unknown = sorted(labels.ffids - counts.keys() - {reject.ffid for reject in rejects} - others)
        if unknown:
            raise PicksError(
                f"{job.config.picks}: {len(unknown)} FFIDs are not in the survey, the first is {unknown[0]}; "
                f"the survey has {min(counts)}..{max(counts)}"
            )
    if not n_labelled and labels.n_labels:
        raise PicksError(
            f"{job.config.picks}: none of its {labels.n_labels} first breaks fits a trace of the survey; "
            f"{labels.matched_by}"
        )
    return max(labels.n_labels - n_labelled, 0)  # a first break may fit several traces at one place
