"""A survey in a store with picks of it, made without Ray."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pickable import write_survey

from seisray.gather import Gather
from seisray.picking.parts import PICK_SCHEMA
from seisray.registry import PickSet, Store

PickedSurvey = Callable[[Sequence[Gather]], Store]


@pytest.fixture
def picked_survey(tmp_path: Path) -> PickedSurvey:
    """Return a function that puts gathers into a store as survey `line`, two a shard, picked at their first breaks.

    The picks are called `picks`; their parts are in reverse order, and so are the gathers in them.
    """

    def make(gathers: Sequence[Gather]) -> Store:
        store = Store(str(tmp_path / "store"))
        survey = write_survey(store, gathers)
        pairs = [gathers[i : i + 2] for i in range(0, len(gathers), 2)]
        place = store.folder("picks", "picks")
        for i, pair in enumerate(pairs):
            sink = io.BytesIO()
            pq.write_table(pa.concat_tables([pick_rows(gather) for gather in pair[::-1]]), sink)
            (place / f"part-{i}.parquet").write_bytes(sink.getvalue())
        PickSet(
            name="picks",
            survey="line",
            survey_fingerprint=survey.fingerprint,
            model="hand@v1",
            n_traces=survey.n_traces,
            n_picked=0,
            seconds=1.0,
            parts=[{"uri": f"part-{i}.parquet"} for i in reversed(range(len(pairs)))],
        ).write(place / "manifest.json")
        return store

    return make


def pick_rows(gather: Gather) -> pa.Table:
    """Return pick rows that say the first breaks of a gather."""
    same = {"survey": gather.survey, "gather_id": gather.gather_id, "source_file": gather.source_file}
    columns = {name: [value] * gather.n_traces for name, value in same.items()} | {
        "ffid": np.full(gather.n_traces, gather.ffid),
        "trace": gather.trace,
        "pick_ms": gather.first_break_ms.astype(np.float64),
        "probability": np.full(gather.n_traces, 0.9, dtype=np.float32),
        "sigma_ms": np.full(gather.n_traces, 0.5, dtype=np.float32),
        "flag": np.where(gather.live, "ok", "dead").tolist(),
        "model": ["hand@v1"] * gather.n_traces,
    }
    return pa.table(columns, schema=PICK_SCHEMA)
