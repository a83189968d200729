"""A store with a survey of many shards and a picker that learned nothing, made without Ray, training or field files."""

from collections.abc import Sequence
from pathlib import Path

import torch

from seisray.config import BodyConfig, PanelConfig, config_dict
from seisray.gather import Gather
from seisray.models.picker import Picker
from seisray.registry import Model, Store, Survey
from seisray.shards import write_shard
from seisray.weights import pack_weights

BODY = BodyConfig(channels=(2, 2, 2, 2))
PANEL = PanelConfig(traces=8, samples=32)


def write_survey(
    store: Store, gathers: Sequence[Gather], *, name: str = "line", shard_gathers: int = 2, fingerprint: str = "abc"
) -> Survey:
    """Write gathers as a survey of exact float32 samples; return its manifest."""
    folder, shards = store.folder("surveys", name), []
    for start in range(0, len(gathers), shard_gathers):
        chunk = gathers[start : start + shard_gathers]
        uri = f"shards/part-{start:05}.parquet"
        size = write_shard(folder / uri, chunk, "float32")
        n_traces, ffids = sum(gather.n_traces for gather in chunk), [gather.ffid for gather in chunk]
        shards.append({"uri": uri, "n_gathers": len(chunk), "n_traces": n_traces, "ffids": ffids, "bytes": size})
    survey = Survey(
        survey=name,
        n_gathers=len(gathers),
        n_traces=sum(gather.n_traces for gather in gathers),
        n_live=int(sum(gather.live.sum() for gather in gathers)),
        n_labelled=0,
        n_samples=max(gather.n_samples for gather in gathers),
        sample_interval_us=gathers[0].sample_interval_us,
        encoding="float32",
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
    **details: float,
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
