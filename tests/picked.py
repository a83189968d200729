"""A store with a survey and picks on it, without Ray, a picker or field files."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seisray.gather import Gather
from seisray.picking.parts import PICK_SCHEMA
from seisray.registry import Model, PickSet, Store, Survey
from seisray.shards import write_shard

MODEL = "picker@v1"


def picked_store(
    folder: Path,
    gathers: Sequence[Gather],
    *,
    late_ms: Sequence[float] | None = None,
    probability: Sequence[float] | None = None,
    shard_gathers: int = 2,
) -> Store:
    """Return a store with survey "line" and picks "line-picks": the first breaks, `late_ms` late in each gather.

    probability: of all picks of each gather, by default 0.9; below 0.5 they are flagged.
    """
    store = Store(str(folder))
    shards, parts = [], []
    for start in range(0, len(gathers), shard_gathers):
        chunk = gathers[start : start + shard_gathers]
        name = f"part-{start:05}.parquet"
        n_bytes = write_shard(store.folder("surveys", "line") / "shards" / name, chunk, "int16")
        ffids = [gather.ffid for gather in chunk]
        n_traces = sum(gather.n_traces for gather in chunk)
        shards.append(
            {"uri": f"shards/{name}", "n_gathers": len(chunk), "n_traces": n_traces, "ffids": ffids, "bytes": n_bytes}
        )
        rows = []
        for place, gather in enumerate(chunk, start):
            sure = probability[place] if probability else 0.9
            late = late_ms[place] if late_ms else 0.0
            rows += [
                {
                    "survey": "line",
                    "gather_id": gather.gather_id,
                    "source_file": gather.source_file,
                    "ffid": gather.ffid,
                    "trace": int(gather.trace[i]),
                    "pick_ms": float(gather.first_break_ms[i]) + late if gather.live[i] else float("nan"),
                    "probability": sure if gather.live[i] else 0.0,
                    "sigma_ms": 0.5,
                    "flag": ("ok" if sure >= 0.5 else "low_probability") if gather.live[i] else "dead",
                    "model": MODEL,
                }
                for i in range(gather.n_traces)
            ]
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, schema=PICK_SCHEMA), sink)
        (store.folder("picks", "line-picks") / name).write_bytes(sink.getvalue())
        parts.append({"uri": name, "n_traces": n_traces, "bytes": sink.tell()})
    n_traces = sum(gather.n_traces for gather in gathers)
    Survey(
        survey="line",
        n_gathers=len(gathers),
        n_traces=n_traces,
        n_live=int(sum(gather.live.sum() for gather in gathers)),
        n_labelled=int(sum(gather.labelled.sum() for gather in gathers)),
        n_samples=gathers[0].n_samples,
        sample_interval_us=gathers[0].sample_interval_us,
        encoding="int16",
        fingerprint="abc",
        rejects=0,
        unused_labels=0,
        settings={"group_by": "ffid"},
        headers={},
        sources=[],
        shards=shards,
    ).write(store.folder("surveys", "line") / "manifest.json")
    Model(
        name="picker",
        version="v1",
        kind="picker",
        config={},
        surveys={},
        sample_interval_us=gathers[0].sample_interval_us,
        parent=None,
        metrics={"loss": 1.0},
        details={"history": [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}]},
    ).write(store.folder("models", "picker", "v1") / "model.json")
    PickSet(
        name="line-picks",
        survey="line",
        survey_fingerprint="abc",
        model=MODEL,
        n_traces=n_traces,
        n_picked=int(sum(np.isfinite(gather.first_break_ms).sum() for gather in gathers)),
        seconds=2.0,
        parts=parts,
    ).write(store.folder("picks", "line-picks") / "manifest.json")
    return store
