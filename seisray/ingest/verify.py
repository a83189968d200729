"""Proof that a survey in the store is what its field files hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray import shards
from seisray.errors import FormatError
from seisray.formats.seg2 import read_seg2
from seisray.formats.segy.file import SegyLayout
from seisray.formats.segy.gathers import read_range
from seisray.formats.segy.samples import decode_samples
from seisray.gather import Gather
from seisray.ingest.derived import verify_derived
from seisray.ingest.file_headers import read_file_headers
from seisray.ingest.rejects import read_rejects
from seisray.progress import Progress
from seisray.registry import Store, Survey
from seisray.storage import Location, locate
from seisray.tasks import spread

WINDOW_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What was proved. worst_rms_error: of any trace, as a share of its RMS; 0 where every sample is exact."""

    n_gathers: int
    n_traces: int
    n_exact: int
    n_rejected: int
    worst_rms_error: float


def verify(name: str, *, store: str) -> Verified:
    """Read a survey and its field files again, and prove every trace equal; return what was proved.

    Samples of float32 gathers must be equal bit for bit, those of int16 within half a step of the trace's scale; trace
    headers byte for byte. Every trace of the SEG-Y files must be in one gather, or among the rejects.
    Raises FormatError where something differs, naming the first trace that does. Of a survey made from another all but
    the samples is compared with that one, and the samples with what was written.
    """
    place = Store(store)
    survey = place.survey(name)
    if survey.made_from:
        n_traces = verify_derived(survey, store=place)
        return Verified(
            n_gathers=survey.n_gathers, n_traces=n_traces, n_exact=n_traces, n_rejected=0, worst_rms_error=0.0
        )
    folder = place.folder("surveys", name)
    for source in survey.sources:
        size = locate(source["uri"]).size()
        if size != source["bytes"]:
            raise FormatError(f"{source['uri']} has {size} bytes, {source['bytes']} when it was ingested; it changed")
    layouts = {source: kept.layout for source, kept in read_file_headers(folder).items()}
    shared = (survey, folder, layouts)
    found: list[dict[str, Any]] = []
    with Progress("verify", len(survey.shards), "shards") as progress:
        for _, result in spread([shard["uri"] for shard in survey.shards], _verify_shard, shared):
            found.append(result)
            progress.advance(traces=sum(one["n_traces"] for one in found))
    rejects = read_rejects(folder)
    _check_each_once(found, layouts, {s["uri"]: s["index"] for s in survey.sources}, rejects, survey)
    n_traces = sum(one["n_traces"] for one in found)
    if (len(rejects), n_traces) != (survey.rejects, survey.n_traces):
        raise FormatError(
            f"survey {name!r} holds {n_traces} traces and {len(rejects)} rejects, its manifest says {survey.n_traces} "
            f"and {survey.rejects}; ingest it again"
        )
    return Verified(
        n_gathers=survey.n_gathers,
        n_traces=n_traces,
        n_exact=sum(one["n_exact"] for one in found),
        n_rejected=sum(reject.n_traces for reject in rejects),
        worst_rms_error=max(one["worst_rms_error"] for one in found),
    )


def _verify_shard(uri: str, shared: tuple[Survey, Location, dict[int, SegyLayout]]) -> dict[str, Any]:
    survey, folder, layouts = shared
    n_exact = n_traces = 0
    worst = 0.0
    traces: list[tuple[int, int, int]] = []
    for row in shards.read_shard(folder / uri):
        gather = shards.gather_of(row)
        step = None if row["encoding"] == "float32" else row["scale"]
        for source in np.unique(gather.source):
            rows = np.flatnonzero(gather.source == source)
            record = next(entry for entry in survey.sources if entry["index"] == source)
            samples, headers = _original(gather, rows, record["uri"], layouts.get(int(source)))
            where = f"{uri}, gather {gather.gather_id!r}"
            if headers is not None and gather.trace_headers.shape[1]:  # joined from files whose headers differ in size
                _compare(gather.trace_headers[rows] == headers, "trace header", where, gather, rows)
            if step is None:
                _compare(
                    gather.samples[rows].view(np.uint32) == samples.view(np.uint32), "samples", where, gather, rows
                )
                n_exact += len(rows)
            else:
                error = np.abs(gather.samples[rows].astype(np.float64) - samples)
                _compare(error <= 0.505 * step[rows, None], "samples", where, gather, rows)
                power = np.square(samples, dtype=np.float64).mean(axis=1)
                rms = np.sqrt(np.square(error).mean(axis=1) / np.where(power > 0, power, 1))
                worst = max(worst, float(rms.max()))
            traces += _runs(int(source), gather.source_trace[rows])
        n_traces += gather.n_traces
    return {"n_traces": n_traces, "n_exact": n_exact, "worst_rms_error": worst, "runs": traces}


def _original(
    gather: Gather, rows: NDArray[np.intp], uri: str, layout: SegyLayout | None
) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
    """Return samples and headers of some traces as their field file has them; a SEG-2 file has no such headers."""
    location = locate(uri)
    if layout is None:
        record = read_seg2(location.read_bytes(), survey=gather.survey, source_file=uri)
        return record.samples[gather.source_trace[rows] - 1], None
    numbers = gather.source_trace[rows] - 1
    order = np.argsort(numbers)
    blocks = np.empty((len(rows), layout.trace_bytes), dtype=np.uint8)
    at = 0
    while at < len(order):  # neighbours in one read, also across gaps that cost less than a read of their own
        first = numbers[order[at]]
        end = at + int(np.searchsorted(numbers[order[at:]], first + max(WINDOW_BYTES // layout.trace_bytes, 1)))
        last = numbers[order[end - 1]]
        window = read_range(location.read_array, layout, int(first), int(last) + 1)
        blocks[order[at:end]] = window[numbers[order[at:end]] - first]
        at = end
    return decode_samples(blocks, layout), blocks[:, : layout.header_bytes]


def _compare(same: NDArray[np.bool_], what: str, where: str, gather: Gather, rows: NDArray[np.intp]) -> None:
    if not same.all():
        row = rows[np.flatnonzero(~same.all(axis=1))[0]]
        raise FormatError(
            f"{where}: the {what} of trace {gather.trace[row]} differ from trace {gather.source_trace[row]} of "
            f"{gather.source_file}; did the file or the shard change? ingest it again with --replace"
        )


def _runs(source: int, numbers: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Return (source, first, last) of runs of neighbouring traces."""
    ordered = np.sort(numbers)
    edges = np.flatnonzero(np.diff(ordered) != 1)
    firsts, lasts = ordered[[0, *(edges + 1)]], ordered[[*edges, -1]]
    return [(source, int(first), int(last)) for first, last in zip(firsts, lasts, strict=True)]


def _check_each_once(
    found: Sequence[dict[str, Any]],
    layouts: dict[int, SegyLayout],
    index_of: dict[str, int],
    rejects: Sequence[Any],
    survey: Survey,
) -> None:
    """Raise FormatError unless the gathers hold no trace twice, and with the rejects as many as the files."""
    runs = np.array(sorted(tuple(run) for one in found for run in one["runs"]), dtype=np.int64).reshape(-1, 3)
    overlap = np.flatnonzero((runs[1:, 0] == runs[:-1, 0]) & (runs[1:, 1] <= runs[:-1, 2]))
    if overlap.size:
        source, first, _ = runs[overlap[0] + 1]
        raise FormatError(f"survey {survey.survey!r} holds trace {first} of source {source} twice; ingest it again")
    for source, layout in layouts.items():
        own = runs[runs[:, 0] == source]
        kept = int((own[:, 2] - own[:, 1] + 1).sum())
        left = sum(reject.n_traces for reject in rejects if index_of.get(reject.source_file) == source)
        if kept + left != layout.n_traces:
            raise FormatError(
                f"survey {survey.survey!r}: source {source} holds {layout.n_traces} traces, the gathers {kept} and the "
                f"rejects {left} of them; ingest it again"
            )
