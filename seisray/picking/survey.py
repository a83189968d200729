"""`seisray pick`: a whole survey through an actor pool, one part of picks for each shard."""

import io
import json
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray

from seisray import shards
from seisray.config import BodyConfig, PanelConfig
from seisray.errors import ConfigError, ExistsError, StorageError
from seisray.gather import Gather
from seisray.models.picker import Picker
from seisray.models.unet import channels_last
from seisray.picking.decode import decode
from seisray.picking.tiling import gather_logits
from seisray.progress import Progress
from seisray.registry import Model, PickSet, Store, Survey
from seisray.session import connect, free_cores
from seisray.storage import Location
from seisray.tasks import answer, result_of
from seisray.weights import load_weights

PICK_SCHEMA = pa.schema(
    {
        "survey": pa.string(),
        "gather_id": pa.string(),
        "source_file": pa.string(),
        "ffid": pa.int64(),
        "trace": pa.int32(),
        "pick_ms": pa.float64(),
        "probability": pa.float32(),
        "sigma_ms": pa.float32(),
        "flag": pa.string(),
        "model": pa.string(),
    }
)


def pick_survey(
    survey: str, *, model: str, out: str, store: str, workers: int | None = None, resume: bool = False
) -> PickSet:
    """Pick every trace of a survey and publish the picks; return their manifest.

    model: a picker, name or name@version. workers: actors at most, by default one a core. resume: keep the parts that
    an interrupted run of the same picker over the same survey left.
    """
    place = Store(store)
    manifest, card = place.survey(survey), place.model(model)
    if card.kind != "picker":
        raise ConfigError(
            f"model {card.ref} is a {card.kind}; make a picker of it with seisray finetune --from {model}"
        )
    if card.sample_interval_us != manifest.sample_interval_us:
        raise ConfigError(
            f"picker {card.ref} learned from traces at {card.sample_interval_us:g} us, survey {survey!r} is sampled at "
            f"{manifest.sample_interval_us:g} us; fine-tune it on some of its gathers first"
        )
    folder = place.folder("picks", out)
    if (folder / "manifest.json").exists():
        raise ExistsError(f"picks {out!r} already exist in {place}; choose another --out")
    identity = {"survey": manifest.fingerprint, "model": card.ref}
    mark = folder / "run.json"
    if not (resume and mark.exists() and json.loads(mark.read_bytes()) == identity):
        folder.delete()
        mark.write_bytes(json.dumps(identity).encode())
    connect()
    started_s = time.monotonic()
    results = _run(place, manifest, card, folder, workers or free_cores())
    picks = PickSet(
        name=out,
        survey=survey,
        survey_fingerprint=manifest.fingerprint,
        model=card.ref,
        n_traces=sum(result["n_traces"] for result in results),
        n_picked=sum(result["n_picked"] for result in results),
        seconds=round(time.monotonic() - started_s, 3),
        parts=[{key: result[key] for key in ("uri", "n_traces", "bytes")} for result in results],
    )
    picks.write(folder / "manifest.json")
    return picks


def _run(store: Store, survey: Survey, card: Model, folder: Location, workers: int) -> list[dict[str, Any]]:
    dataset = ray.data.range(len(survey.shards), override_num_blocks=len(survey.shards)).map(
        ShardPicker,  # type: ignore[arg-type]
        fn_constructor_args=(str(store), survey, card, folder),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(min(workers, len(survey.shards)), 1)),
        num_cpus=1,
        num_gpus=1 if ray.cluster_resources().get("GPU") else 0,
    )
    results: list[dict[str, Any]] = []
    traces, started_s = 0, time.monotonic()
    with Progress("pick", survey.n_traces, "traces") as progress:
        for row in dataset.iter_rows():
            result = result_of(row["answer"])
            results.append(result)
            traces += result["n_traces"]
            progress.update(traces, traces_per_s=traces / (time.monotonic() - started_s))
    return sorted(results, key=lambda result: str(result["uri"]))


class ShardPicker:
    """Hold one picker in one worker, and turn shards into parts of picks."""

    def __init__(self, store: str, survey: Survey, card: Model, folder: Location) -> None:
        self._store, self._survey, self._card, self._folder = Store(store), survey, card, folder
        self._picker, panel = load_picker(self._store, card)
        self._gain, self._window = panel.gain, panel.samples
        self._device = "cuda" if ray.get_gpu_ids() else "cpu"
        self._picker.to(self._device)
        channels_last(self._picker)

    def __call__(self, row: dict[str, int]) -> dict[str, str]:
        """Pick one shard, by its number, unless its part is there; return counts for `result_of`."""
        return {"answer": answer(lambda: self._pick(row["id"]))}

    def _pick(self, number: int) -> dict[str, Any]:
        shard = self._store.shard(self._survey, number)
        part = self._folder / shard.name
        if not part.exists():
            tables = [self.pick_gather(gather) for gather in shards.read_gathers(shard)]
            sink = io.BytesIO()
            pq.write_table(pa.concat_tables(tables), sink, compression="zstd")
            part.write_bytes(sink.getvalue())
        table = read_part(part)
        return {
            "uri": part.name,
            "n_traces": len(table),
            "n_picked": int(np.isfinite(table["pick_ms"].to_numpy()).sum()),
            "bytes": part.size(),
        }

    def pick_gather(self, gather: Gather) -> pa.Table:
        """Return the pick rows of a gather, one a trace."""
        logits = gather_logits(self._picker, gather.samples, gain=self._gain, window=self._window, device=self._device)
        picks = decode(logits, gather.live, gather.sample_interval_us)
        same = {"survey": gather.survey, "gather_id": gather.gather_id, "source_file": gather.source_file}
        columns = {name: [value] * gather.n_traces for name, value in same.items()} | {
            "ffid": np.full(gather.n_traces, gather.ffid),
            "trace": gather.trace,
            "pick_ms": picks.pick_ms,
            "probability": picks.probability,
            "sigma_ms": picks.sigma_ms,
            "flag": picks.flag.tolist(),
            "model": [self._card.ref] * gather.n_traces,
        }
        return pa.table(columns, schema=PICK_SCHEMA)


def load_picker(store: Store, card: Model) -> tuple[Picker, PanelConfig]:
    """Return a picker ready to pick, and the panels it learned from."""
    weights = load_weights(store, card, "picker")
    try:
        picker = Picker(BodyConfig(channels=tuple(card.config["body"]["channels"])))
        picker.load_state_dict(weights)
        return picker.eval(), PanelConfig(**card.config["panel"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise StorageError(f"model {card.ref}: its card and its weights disagree: {error}; train it again") from error


def read_part(location: Location) -> pa.Table:
    """Return the pick rows of one part."""
    return shards.read_table(location, schema=PICK_SCHEMA)


def read_picks(store: Store, picks: PickSet) -> pa.Table:
    """Return all pick rows of a set."""
    folder = store.folder("picks", picks.name)
    return pa.concat_tables([read_part(folder / part["uri"]) for part in picks.parts])
