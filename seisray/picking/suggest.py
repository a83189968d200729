"""`seisray suggest`: the gathers of a survey whose labels would help a picker most."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seisray.config import PanelConfig
from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.picking.suspicion import gather_suspicions
from seisray.picking.traces import picked_shards
from seisray.progress import Progress
from seisray.registry import Store
from seisray.stream import ShardRef, shard_refs
from seisray.tasks import spread
from seisray.transforms import normalise, pad_to

CANDIDATES = 2000  # at most, so that distances fit in memory for any survey
LEAST_DOUBT = 0.05  # of a gather that the picker is sure of: what it is sure of may be wrong
TRACES, SAMPLES = 128, 1024  # of a gather that are looked at, from the first on

Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """Name a gather to label. doubt: its own, 0 to 2, NaN without picks. stands_for: gathers that are most like it."""

    gather_id: str
    ffid: int
    doubt: float
    stands_for: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Looks:
    """What a gather looks like. labelled: it has first breaks already."""

    gather_id: str
    ffid: int
    labelled: bool
    features: list[float]


def suggest(survey: str, *, n: int, store: str, picks: str | None = None) -> list[Suggestion]:
    """Return the n gathers to label next, the most helpful first.

    They are unlike each other and unlike those that have labels, and stand for as many gathers as can be, each counted
    by how much the picks of it are to be doubted, where a set of picks is named (facility location: Krause and Golovin
    2014). Likeness is that of the frozen encoder by which generated panels are measured. Raises ConfigError where the
    survey has fewer gathers without labels.
    """
    place = Store(store)
    manifest = place.survey(survey)
    looks = _looks(shard_refs(place, [manifest]), manifest.n_gathers)
    free = [i for i, one in enumerate(looks) if not one.labelled]
    if not 1 <= n <= len(free):
        raise ConfigError(f"--n {n}: survey {survey!r} has {len(free)} gathers with live traces and without labels")
    doubt = np.full(len(looks), math.nan)
    if picks is not None:
        known = {
            one.gather_id: one.suspicion
            for shard in picked_shards(place, place.picks(picks))
            for one in gather_suspicions(shard)
        }
        doubt = np.array([known.get(one.gather_id, math.nan) for one in looks])
    weight = np.where(np.isnan(doubt), 1.0, doubt + LEAST_DOUBT)
    features = np.array([one.features for one in looks], dtype=np.float32)
    labelled = features[[one.labelled for one in looks]]
    chosen = cover(features, weight, free, n, covered=labelled)
    nearest = _distances(features, features[chosen]).argmin(axis=1)
    counts = np.bincount(nearest, minlength=n)
    return [
        Suggestion(gather_id=looks[i].gather_id, ffid=looks[i].ffid, doubt=float(doubt[i]), stands_for=int(count))
        for i, count in zip(chosen, counts, strict=True)
    ]


def cover(features: Floats, weight: Floats, free: Sequence[int], n: int, *, covered: Floats) -> list[int]:
    """Return n of the free rows that all rows are most like, as far as no covered row is like them, weights counting.

    features: (rows, k); weight: (rows,); covered: (m, k). Likeness falls with the distance from 1 to 0, so that what is
    like nothing counts as little as it stands for. Each choice is the best one after those before it, which is within
    63 % of the best n.
    """
    tried = np.asarray(free)
    if len(tried) > CANDIDATES:
        tried = tried[np.random.default_rng(0).permutation(len(tried))[: max(CANDIDATES, n)]]
    away = _distances(features, features[tried])  # (rows, candidates)
    scale = float(np.median(away)) or 1.0
    like = np.exp(-away / scale)
    known = np.exp(-_distances(features, covered).min(axis=1) / scale) if len(covered) else np.zeros(len(features))
    chosen: list[int] = []
    for _ in range(n):
        gain = weight @ np.maximum(like - known[:, None], 0)
        gain[np.isin(tried, chosen)] = -1
        best = int(gain.argmax())
        chosen.append(int(tried[best]))
        known = np.maximum(known, like[:, best])
    return chosen


def _distances(rows: Floats, others: Floats) -> Floats:
    square = (rows**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * rows @ others.T
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def _looks(refs: Sequence[ShardRef], n_gathers: int) -> list[_Looks]:
    found: dict[int, list[_Looks]] = {}
    with Progress("look", n_gathers, "gathers") as progress:
        for shard, rows in spread(refs, _looks_of_shard, PanelConfig().gain):
            found[shard] = [_Looks(**row) for row in rows]
            progress.advance(refs[shard].n_gathers)
    return [one for shard in sorted(found) for one in found[shard]]


def _looks_of_shard(ref: ShardRef, gain: float) -> list[dict[str, object]]:
    return [
        {
            "gather_id": gather.gather_id,
            "ffid": gather.ffid,
            "labelled": bool(gather.labelled.any()),
            "features": _features(gather, gain),
        }
        for gather in ref.gathers()
        if gather.live.any()
    ]


def _features(gather: Gather, gain: float) -> list[float]:
    """Return what the frozen encoder makes of the live traces of a gather, mirrored where they are few."""
    from seisray.metrics.encoder import LEAST_SAMPLES, LEAST_TRACES, SAMPLE_MULTIPLE, TRACE_MULTIPLE, panel_features

    traces = gather.samples[gather.live][:TRACES, :SAMPLES]
    n_traces = max(len(traces), LEAST_TRACES)
    n_traces += -n_traces % TRACE_MULTIPLE
    traces = np.pad(traces, ((0, n_traces - len(traces)), (0, 0)), mode="reflect" if len(traces) > 1 else "edge")
    n_samples = max(traces.shape[1], LEAST_SAMPLES)
    panel = pad_to(traces, n_traces, n_samples + -n_samples % SAMPLE_MULTIPLE)
    return [float(value) for value in panel_features(normalise(panel, gain)[None])[0]]
