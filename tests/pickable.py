"""A store with a survey of many shards and a picker that learned nothing, made without Ray, training or field files."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from seisray.config import BodyConfig, PanelConfig, config_dict
from seisray.gather import Gather
from seisray.models.picker import Picker
from seisray.registry import Model, Store, Survey
from seisray.shards import Encoding, write_shard
from seisray.weights import pack_weights

BODY = BodyConfig(channels=(2, 2, 2, 2))
PANEL = PanelConfig(traces=8, samples=32)


def write_survey(
    store: Store,
    gathers: Iterable[Gather],
    *,
    name: str = "line",
    shard_gathers: int = 2,
    encoding: Encoding = "float32",
    fingerprint: str = "abc",
) -> Survey:
    """Write gathers, of which one shard's are in memory at a time, as a survey; return its manifest."""
    folder, left = store.folder("surveys", name), iter(gathers)
    shards: list[dict[str, Any]] = []
    totals: Counter[str] = Counter()
    n_samples, sample_interval_us = 0, 0.0
    while chunk := list(islice(left, shard_gathers)):
        uri = f"shards/part-{totals['n_gathers']:05}.parquet"
        size = write_shard(folder / uri, chunk, encoding)
        n_traces = sum(gather.n_traces for gather in chunk)
        ffids = [gather.ffid for gather in chunk]
        shards.append({"uri": uri, "n_gathers": len(chunk), "n_traces": n_traces, "ffids": ffids, "bytes": size})
        totals["n_gathers"] += len(chunk)
        totals["n_traces"] += n_traces
        totals["n_live"] += sum(int(gather.live.sum()) for gather in chunk)
        totals["n_labelled"] += sum(int(gather.labelled.sum()) for gather in chunk)
        n_samples = max(n_samples, *(gather.n_samples for gather in chunk))
        sample_interval_us = sample_interval_us or chunk[0].sample_interval_us
    survey = Survey(
        survey=name,
        **totals,
        n_samples=n_samples,
        sample_interval_us=sample_interval_us,
        encoding=encoding,
        fingerprint=fingerprint,
        rejects=0,
        unused_labels=0,
        settings={"group_by": "ffid"},
        headers={},
        sources=[],
        shards=shards,
    )
    survey.write(folder / "manifest.json")
    return survey


def write_picker(
    store: Store,
    *,
    name: str = "p",
    seed: int = 0,
    sample_interval_us: float = 1000.0,
    body: BodyConfig = BODY,
    **details: Any,
) -> Model:
    """Publish the next version of a picker with random weights; return its card."""
    torch.manual_seed(seed)
    card = Model(
        name=name,
        version=store.next_version(name),
        kind="picker",
        config={"body": config_dict(body), "panel": config_dict(PANEL)},
        surveys={},
        sample_interval_us=sample_interval_us,
        parent=None,
        metrics={},
        details=details,
    )
    store.publish_model(card, pack_weights(picker=Picker(body)), {})
    return card


def pickable_store(folder: Path, gathers: Sequence[Gather], *, shard_gathers: int = 2) -> Store:
    """Return a store that holds the survey "line" and the picker "p@v1"."""
    store = Store(str(folder))
    write_survey(store, gathers, shard_gathers=shard_gathers)
    write_picker(store, sample_interval_us=gathers[0].sample_interval_us)
    return store
