"""Field files to a survey: Ray Data tasks read trace-aligned byte ranges, and write one shard each."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seisray import errors, shards
from seisray.config import fingerprint
from seisray.errors import ExistsError, FormatError, GatherError, SeisrayError
from seisray.field_files import Part, describe, field_files, plan, read_part
from seisray.formats.headers import header_mapping
from seisray.formats.tables import FirstBreaks, Geometry, PickOrigin, read_first_breaks, read_geometry
from seisray.gather import Gather
from seisray.progress import Progress
from seisray.registry import Store, Survey
from seisray.session import connect
from seisray.storage import Location, locate


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestConfig:
    """Settings of `seisray ingest`.

    header: places in SEG-Y trace headers that differ from the standard, as name=byte[:format].
    picks: CSV with ffid, trace, time_ms; pick_origin: from where its times count.
    geometry: CSV with kind, number, x_m, y_m[, z_m] for surveys whose headers have none.
    encoding: int16 with a scale a trace, or exact float32.
    """

    header: tuple[str, ...] = ()
    picks: str | None = None
    pick_origin: PickOrigin = "first-sample"
    geometry: str | None = None
    encoding: shards.Encoding = "int16"


def ingest(
    name: str,
    files: Sequence[str],
    *,
    store: str,
    config: IngestConfig | None = None,
    replace: bool = False,
    resume: bool = False,
) -> Survey:
    """Turn field files into a survey in the store; return its manifest.

    files: SEG-Y or SEG-2 files, or folders of them, local or s3://. replace: rebuild an existing survey; resume: keep
    the shards that an interrupted ingest of the same files with the same settings left.
    Raises ExistsError, NotFoundError, FormatError or ConfigError; the store then is as it was before.
    """
    config = config or IngestConfig()
    place = Store(store)
    folder = place.folder("surveys", name)
    if (folder / "manifest.json").exists() and not replace:
        raise ExistsError(f"survey {name!r} already exists in {place}; pass --replace to rebuild it")
    sources = field_files(files)
    mapping = header_mapping(config.header)
    labels = _table(config.picks, lambda data, where: read_first_breaks(data, where, config.pick_origin))
    geometry = _table(config.geometry, read_geometry)
    described = [describe(source) for source in sources]
    tables = [hashlib.sha256(locate(uri).read_bytes()).hexdigest() for uri in (config.picks, config.geometry) if uri]
    identity = fingerprint([name, described, tables, asdict(config), shards.SCHEMA.to_string()])
    parts = list(plan(sources, identity))
    place.check_writable()
    done = {file.name for file in (folder / "shards").files()} if resume else set()
    try:
        results = _run(parts, folder, name, config, mapping, labels, geometry, done)
        manifest = _manifest(name, identity, config, mapping, described, results, labels)
    except (SeisrayError, KeyboardInterrupt):
        if not resume and not _published(folder, identity):
            _discard(folder, identity)
        raise
    rejects = [reject for result in results for reject in result["rejects"]]
    (folder / "rejects.parquet").delete()  # of an earlier survey of this name
    if rejects:
        _write_rejects(folder / "rejects.parquet", rejects)
    manifest.write(folder / "manifest.json")
    keep = {shard["uri"] for shard in manifest.shards}
    for old in (folder / "shards").files():  # what an earlier survey of this name left
        if f"shards/{old.name}" not in keep:
            old.delete()
    return manifest


def _table(uri: str | None, read: Callable[[bytes, str], Any]) -> Any:
    return None if uri is None else read(locate(uri).read_bytes(), uri)


def _run(
    parts: Sequence[Part],
    folder: Location,
    survey: str,
    config: IngestConfig,
    mapping: Any,
    labels: FirstBreaks | None,
    geometry: Geometry | None,
    done: set[str],
) -> list[dict[str, Any]]:
    """Run the tasks under Ray Data; return what each says of its shard, in the order of the plan."""
    import ray

    connect()
    shared = ray.put((folder, survey, config.encoding, mapping, labels, geometry))
    names = ray.put(list(parts))

    def work(row: dict[str, int]) -> dict[str, str]:
        part: Part = ray.get(names)[row["id"]]
        try:
            return {"result": json.dumps(_ingest_part(part, *ray.get(shared), keep=part.shard in done))}
        except SeisrayError as error:  # a fault of the file: the driver raises it as it is
            return {"result": json.dumps({"error": type(error).__name__, "message": str(error)})}

    results: list[dict[str, Any]] = []
    tasks = ray.data.range(len(parts), override_num_blocks=len(parts)).map(work)
    with Progress("ingest", len(parts), "ranges") as progress:
        gathers = rejects = 0
        for row in tasks.iter_rows():
            result = json.loads(row["result"])
            if "error" in result:
                raise getattr(errors, result["error"])(result["message"])
            results.append(result)
            gathers += len(result["gathers"])
            rejects += len(result["rejects"])
            progress.advance(gathers=gathers, rejects=rejects)
    return sorted(results, key=lambda result: str(result["shard"]))


def _ingest_part(
    part: Part,
    folder: Location,
    survey: str,
    encoding: shards.Encoding,
    mapping: Any,
    labels: FirstBreaks | None,
    geometry: Geometry | None,
    keep: bool,
) -> dict[str, Any]:
    location = folder / "shards" / part.shard
    rejects: list[dict[str, Any]] = []
    gathers: list[Gather] = []
    if keep:
        gathers = list(shards.read_gathers(location))
        rejects = shards.read_rejects(location)
    else:
        for source, found in read_part(part, survey, mapping):
            if isinstance(found, GatherError):
                rejects.append({"source_file": source.uri, "reason": str(found)})
                continue
            gather = geometry.on(found) if geometry else found
            gathers.append(labels.on(gather) if labels else gather)
        if gathers:
            shards.write_shard(location, gathers, encoding, rejects=rejects)
    return {
        "shard": part.shard,
        "bytes": location.size() if gathers else 0,
        "gathers": [(g.gather_id, g.ffid, g.n_traces, g.n_samples, g.sample_interval_us) for g in gathers],
        "n_live": sum(int(g.live.sum()) for g in gathers),
        "n_labelled": sum(int(g.labelled.sum()) for g in gathers),
        "rejects": rejects,
    }


def _manifest(
    name: str,
    identity: str,
    config: IngestConfig,
    mapping: Any,
    sources: list[dict[str, Any]],
    results: list[dict[str, Any]],
    labels: FirstBreaks | None,
) -> Survey:
    """Return the manifest; raise FormatError where the gathers do not make one survey."""
    gathers = [gather for result in results for gather in result["gathers"]]
    if not gathers:
        reason = next((reject["reason"] for result in results for reject in result["rejects"]), "no traces")
        raise FormatError(f"survey {name!r}: no usable gather in {len(sources)} files; the first: {reason}")
    twice = [gather_id for gather_id, count in Counter(g[0] for g in gathers).items() if count > 1]
    if twice:
        raise FormatError(
            f"survey {name!r}: gather {twice[0]!r} occurs {Counter(g[0] for g in gathers)[twice[0]]} times; the traces "
            "of an FFID must lie together in one file, and files need different names"
        )
    intervals = {gather[4] for gather in gathers}
    if len(intervals) > 1:
        raise FormatError(
            f"survey {name!r}: sample intervals {sorted(intervals)} us; ingest each as a survey of its own"
        )
    if labels:
        shared = [
            ffid for ffid, count in Counter(g[1] for g in gathers).items() if count > 1 and ffid in labels.by_ffid
        ]
        if shared:
            raise FormatError(
                f"{config.picks}: FFID {shared[0]} is in several field files, so its first breaks fit more than one "
                "gather; ingest the files as surveys of their own"
            )
        unknown = sorted(set(labels.by_ffid) - {gather[1] for gather in gathers})
        if unknown:
            raise FormatError(
                f"{config.picks}: {len(unknown)} FFIDs are not in the survey, the first is {unknown[0]}; "
                f"the survey has {min(g[1] for g in gathers)}..{max(g[1] for g in gathers)}"
            )
    return Survey(
        survey=name,
        n_gathers=len(gathers),
        n_traces=sum(gather[2] for gather in gathers),
        n_live=sum(result["n_live"] for result in results),
        n_labelled=sum(result["n_labelled"] for result in results),
        n_samples=max(gather[3] for gather in gathers),
        sample_interval_us=intervals.pop(),
        encoding=config.encoding,
        fingerprint=identity,
        rejects=sum(len(result["rejects"]) for result in results),
        headers={key: f"{field.byte}:{field.format}" for key, field in mapping.items()},
        sources=sources,
        shards=[
            {
                "uri": f"shards/{result['shard']}",
                "n_gathers": len(result["gathers"]),
                "n_traces": sum(gather[2] for gather in result["gathers"]),
                "ffids": [gather[1] for gather in result["gathers"]],
                "bytes": result["bytes"],
            }
            for result in results
            if result["gathers"]
        ],
    )


def _write_rejects(location: Location, rejects: list[dict[str, Any]]) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rejects), sink)
    location.write_bytes(sink.getvalue().to_pybytes())


def _published(folder: Location, identity: str) -> bool:
    """Return whether the shards of an ingest belong to the survey that readers see."""
    manifest = folder / "manifest.json"
    return manifest.exists() and Survey.read(manifest).fingerprint == identity


def _discard(folder: Location, identity: str) -> None:
    """Remove the shards of an ingest that failed, and the survey's folder if nothing else is in it."""
    for file in (folder / "shards").files():
        if file.name.startswith(f"part-{identity}-"):
            file.delete()
    if not folder.files(recursive=True):
        folder.delete()
