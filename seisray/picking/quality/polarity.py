"""Polarity at the picks: how a trace's first arrival resembles those of its neighbours in the gather."""

import base64
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seisray import shards
from seisray.progress import Progress
from seisray.storage import Location
from seisray.tasks import spread as spread_tasks
from seisray.transforms import Samples

BEFORE_MS, AFTER_MS = 2.0, 10.0
LEAST_BEFORE, LEAST_AFTER = 4, 12  # samples, where these are long
NEIGHBOURS = 3


def survey_polarity(locations: Sequence[Location], pick_ms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (n_traces,): resemblances of all traces of a survey, one Ray task a shard; NaN where there is none.

    pick_ms: (n_traces,), in the order of the shards; NaN = no pick.
    """
    counts = [_n_traces(location) for location in locations]
    edges = np.cumsum([0, *counts])
    items = [(location.uri, pick_ms[a:b]) for location, (a, b) in zip(locations, pairwise(edges), strict=True)]
    found = np.full(len(pick_ms), np.nan, dtype=np.float32)
    with Progress("polarity", len(items), "shards") as progress:
        for index, text in spread_tasks(items, _of_shard, None):
            found[edges[index] : edges[index + 1]] = np.frombuffer(base64.b64decode(text), dtype="<f2")
            progress.advance()
    return found


def _n_traces(location: Location) -> int:
    table = pq.read_table(location.path, filesystem=location.filesystem, columns=["n_traces"])
    return int(np.sum(table["n_traces"].to_numpy()))


def _of_shard(item: tuple[str, NDArray[np.float32]], _: None) -> str:
    uri, pick_ms = item
    found, at = [], 0
    for gather in shards.read_gathers(Location(uri)):
        own = pick_ms[at : at + gather.n_traces].astype(np.float64)
        found.append(resemblance(gather.samples, own * 1000 / gather.sample_interval_us, gather.sample_interval_us))
        at += gather.n_traces
    return base64.b64encode(np.concatenate(found).astype("<f2").tobytes()).decode()


def resemblance(samples: Samples, pick: NDArray[np.float64], sample_interval_us: float) -> NDArray[np.float64]:
    """Return (n_traces,) correlations, -1..1, of each first arrival with its neighbours' sum, aligned at the picks.

    samples: (n_traces, n_samples). pick: fractional samples, NaN = none. NaN where trace or neighbours have none.
    """
    before = max(LEAST_BEFORE, round(BEFORE_MS * 1000 / sample_interval_us))
    after = max(LEAST_AFTER, round(AFTER_MS * 1000 / sample_interval_us))
    known = np.isfinite(pick)
    at = np.rint(np.where(known, pick, 0)).astype(np.int64)[:, None] + np.arange(-before, after)
    inside = (at >= 0) & (at < samples.shape[1]) & known[:, None]
    cut = np.take_along_axis(samples, np.clip(at, 0, samples.shape[1] - 1), axis=1).astype(np.float64)
    cut = np.where(inside & np.isfinite(cut), cut, 0)
    size = np.sqrt((cut**2).sum(axis=1, keepdims=True))
    cut /= np.where(size > 0, size, 1)
    total = np.concatenate([np.zeros((1, cut.shape[1])), np.cumsum(cut, axis=0)])
    row = np.arange(len(cut))
    around = total[np.minimum(row + NEIGHBOURS + 1, len(cut))] - total[np.maximum(row - NEIGHBOURS, 0)] - cut
    strength = np.sqrt((around**2).sum(axis=1))
    alike = (cut * around).sum(axis=1) / np.where(strength > 1e-9, strength, 1)
    return np.where((size[:, 0] > 0) & (strength > 1e-9), alike, np.nan)
