"""A store with a survey and picks on it, without Ray, a picker or field files."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pickable import write_survey

from seisray.gather import Gather
from seisray.picking.parts import PICK_SCHEMA
from seisray.registry import Model, PickSet, Store

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
    survey = write_survey(store, gathers, shard_gathers=shard_gathers, encoding="int16")
    parts = []
    for start in range(0, len(gathers), shard_gathers):
        chunk = gathers[start : start + shard_gathers]
        name = f"part-{start:05}.parquet"
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
        parts.append({"uri": name, "n_traces": len(rows), "bytes": sink.tell()})
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
        survey_fingerprint=survey.fingerprint,
        model=MODEL,
        n_traces=survey.n_traces,
        n_picked=int(sum(np.isfinite(gather.first_break_ms).sum() for gather in gathers)),
        seconds=2.0,
        parts=parts,
    ).write(store.folder("picks", "line-picks") / "manifest.json")
    return store
