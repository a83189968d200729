"""Shards to batches: Ray Data reads whole shards in random order and cuts panels, ahead of the training step.

Each training worker runs its own stream. What it yields depends on the seed, the step and its rank alone, so a run that
was interrupted goes on with the very panels it would have had.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count, cycle, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray import shards
from seisray.config import PanelConfig
from seisray.errors import ConfigError, PicksError, StorageError
from seisray.formats.picks.corrected import ByHand
from seisray.gather import Gather
from seisray.registry import Store, Survey
from seisray.resampling import Factors, resample_gather
from seisray.storage import Location
from seisray.transforms import Samples, cut_labelled, cut_panels
from seisray.units import ms_to_sample

CHUNK_BYTES = 64 * 2**20  # of panels that a Ray Data execution reads: as many are used as are read meanwhile
MIXED_SHARDS = 4  # at least, where an epoch has as many: a batch from one shard shows D a single survey
AHEAD = 2  # tasks that read shards beside each training worker

Cut = Callable[[Gather, np.random.Generator, PanelConfig, int], Samples]
"""What makes n panels, (n, traces, ...), of a gather that has live traces."""


def cut_live(
    gather: Gather,
    rng: np.random.Generator,
    config: PanelConfig,
    n: int,
    *,
    factors: Factors | None = None,
) -> Samples:
    """Return (n, traces, samples) panels of a gather's live traces.

    factors: by which gathers are resampled, by survey and sampling interval; others stay as they are.
    """
    gather = _in_tempo(gather, factors)
    return cut_panels(gather.samples[gather.live], rng, config, n)


def cut_with_breaks(
    gather: Gather,
    rng: np.random.Generator,
    config: PanelConfig,
    n: int,
    *,
    factors: Factors | None = None,
) -> Samples:
    """Return (n, traces, samples + 1): the panels of `cut_live`, each trace followed by its first break.

    That is in samples of the panel, NaN where none is known in it.
    """
    gather = _in_tempo(gather, factors)
    first_break = ms_to_sample(gather.first_break_ms[gather.live], gather.sample_interval_us).astype(np.float32)
    panels, places = cut_labelled(gather.samples[gather.live], first_break, rng, config, n)
    return np.concatenate([panels, places[:, :, None]], axis=2)


def _in_tempo(gather: Gather, factors: Factors | None) -> Gather:
    return resample_gather(gather, (factors or {}).get((gather.survey, gather.sample_interval_us), 1.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardRef:
    """Name gathers of a shard: n_gathers from `first` on."""

    location: Location
    n_gathers: int
    first: int = 0

    def gathers(self) -> Iterator[Gather]:
        """Yield the gathers named."""
        return islice(shards.read_gathers(self.location), self.first, self.first + self.n_gathers)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Visit:
    """Read one shard once. number: counts visits from the beginning of the run."""

    number: int
    shard: ShardRef


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pool:
    """Mix the panels of several visits. n_panels: of all; skip: so many were used before."""

    visits: list[_Visit]
    n_panels: int
    skip: int


def shard_refs(store: Store, surveys: Sequence[Survey]) -> list[ShardRef]:
    """Return the shards of surveys, in the order of their manifests."""
    return [
        ShardRef(location=store.shard(survey, i), n_gathers=shard["n_gathers"])
        for survey in surveys
        for i, shard in enumerate(survey.shards)
    ]


def some_gathers(refs: Sequence[ShardRef], *, shards: int, gathers: int) -> list[Gather]:
    """Return the first `gathers` gathers of each of at most so many shards, which are spread over all of them."""
    places = np.linspace(0, len(refs) - 1, shards).round().astype(int) if refs else np.empty(0, int)
    return [gather for i in np.unique(places) for gather in islice(refs[i].gathers(), gathers)]


def divide(refs: Sequence[ShardRef], share: float) -> tuple[list[ShardRef], list[ShardRef]]:
    """Return what to learn from and what to hold out: the last gathers of each shard, neighbours as they were shot.

    share: of all gathers, rounded down. Small shards take turns, so that the share holds over all of them.
    """
    ends = np.floor(np.cumsum([0, *(ref.n_gathers for ref in refs)]) * share).astype(int)
    learn, held = [], []
    for ref, n_held in zip(refs, np.diff(ends).tolist(), strict=True):
        n_learn = ref.n_gathers - n_held
        learn += [replace(ref, n_gathers=n_learn)] if n_learn else []
        held += [replace(ref, n_gathers=n_held, first=ref.first + n_learn)] if n_held else []
    return learn, held


def panel_batches(
    refs: Sequence[ShardRef],
    config: PanelConfig,
    *,
    batch: int,
    first_step: int,
    steps: int,
    seed: int,
    rank: int = 0,
    workers: int = 1,
    cut: Cut = cut_live,
) -> Iterator[NDArray[np.float32]]:
    """Yield (batch, traces, samples) normalised panels for steps first_step .. steps - 1 of one worker.

    batch: panels a step of this worker. Epochs are permutations of the shards, dealt out among the workers; the panels
    of several shards are mixed, so that a batch shows gathers of all surveys. cut: makes panels, of what size it likes.
    """
    pools = _pools(refs, config, skip=first_step * batch, panels=steps * batch, seed=seed, rank=rank, workers=workers)
    chunks = _chunks(pools, config)
    left, pending = steps - first_step, list[NDArray[np.float32]]()
    with ThreadPoolExecutor(1) as ahead:
        following = ahead.submit(_read_chunk, next(chunks, []), config, seed, cut)
        while left > 0:
            found = following.result()
            following = ahead.submit(_read_chunk, next(chunks, []), config, seed, cut)
            panels = np.concatenate([*pending, *found])
            n = min(len(panels) // batch, left)
            for step in range(n):
                yield panels[step * batch : (step + 1) * batch]
            left, pending = left - n, [panels[n * batch :].copy()]


def _pools(
    refs: Sequence[ShardRef], config: PanelConfig, *, skip: int, panels: int, seed: int, rank: int, workers: int
) -> Iterator[_Pool]:
    """Yield the pools of one worker that hold its first `panels` panels, without those of which all were skipped.

    A pool never reaches beyond an epoch, and holds as many panels as a chunk; neither depends on where a run goes on.
    """
    pool, first = list[_Visit](), 0  # its first panel, counted from the beginning of the run
    for number in count(rank, workers):
        epoch, place = divmod(number, len(refs))
        n_panels = sum(visit.shard.n_gathers for visit in pool) * config.per_gather
        over = first + n_panels >= panels
        full = n_panels >= _most(config) and len(pool) >= MIXED_SHARDS
        if pool and (over or full or pool[-1].number // len(refs) != epoch):
            if first + n_panels > skip:
                yield _Pool(visits=pool, n_panels=n_panels, skip=max(skip - first, 0))
            pool, first = [], first + n_panels
        if over:
            return
        shard = refs[np.random.default_rng([seed, epoch]).permutation(len(refs))[place]]
        pool.append(_Visit(number=number, shard=shard))


def _chunks(pools: Iterator[_Pool], config: PanelConfig) -> Iterator[list[_Pool]]:
    """Yield pools, as many at a time as CHUNK_BYTES hold."""
    chunk: list[_Pool] = []
    for pool in pools:
        chunk.append(pool)
        if sum(one.n_panels - one.skip for one in chunk) >= _most(config):
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _most(config: PanelConfig) -> int:
    return max(CHUNK_BYTES // (4 * config.traces * config.samples), 1)


def _read_chunk(chunk: list[_Pool], config: PanelConfig, seed: int, cut: Cut) -> list[NDArray[np.float32]]:
    """Return the panels of each pool, in random order.

    A Ray Data execution that waits for a slow reader spins on a core of its own (Ray 2.60), which costs training up to
    half of its speed on small machines: so each execution ends at once, and its panels wait here.
    """
    import ray

    if not chunk:
        return []
    visits = [visit for pool in chunk for visit in pool.visits]
    plan = ray.put(visits)

    def read(row: dict[str, int], plan: Any = plan) -> dict[str, NDArray[np.float32]]:
        return {"panels": _read_visit(ray.get(plan)[row["item"]], config, seed, cut)}

    # Without a CPU of their own: the workers may hold every one, as they do where few nodes are left.
    numbers = ray.data.from_items(list(range(len(visits))), override_num_blocks=len(visits))
    dataset = numbers.map(read, concurrency=AHEAD, num_cpus=0)
    dataset.context.execution_options.preserve_order = True
    rows = (row["panels"] for row in dataset.iter_rows())
    found = []
    for pool in chunk:
        panels = np.concatenate(list(islice(rows, len(pool.visits))))
        order = np.random.default_rng([seed, 2, pool.visits[0].number]).permutation(len(panels))
        found.append(panels[order[pool.skip :]])
    return found


def _read_visit(visit: _Visit, config: PanelConfig, seed: int, cut: Cut) -> NDArray[np.float32]:
    """Return the panels of a visit, (n, traces, ...).

    Traces of zeros teach nothing and are left out; in place of gathers that have no others come the shard's next ones.
    """
    rng = np.random.default_rng([seed, 1, visit.number])
    live = [gather for gather in visit.shard.gathers() if gather.live.any()]
    if not live:
        raise StorageError(f"{visit.shard.location} holds no live trace; ingest the survey again without its files")
    gathers = islice(cycle(live), visit.shard.n_gathers)
    return np.concatenate([cut(gather, rng, config, config.per_gather) for gather in gathers])


def read_labelled(
    store: Store,
    surveys: Sequence[Survey],
    ffids: Sequence[int] | None,
    labels: ByHand | None = None,
) -> list[Gather]:
    """Return the labelled gathers of surveys, all or those with the FFIDs named.

    labels: take the place of the surveys' own on the gathers that they name. Only the shards that hold the gathers are
    read. Raises ConfigError where an FFID is not in the surveys or has no labels, PicksError where labels fit none.
    """
    if labels:
        check_labels(labels, surveys)
    wanted = None if ffids is None else set(ffids)
    found = [
        gather
        for survey in surveys
        for i, shard in enumerate(survey.shards)
        if wanted is None or wanted & set(shard["ffids"])
        for stored in shards.read_gathers(store.shard(survey, i))
        for gather in [labels.on(stored) if labels else stored]
        if (wanted is None or gather.ffid in wanted) and gather.labelled.any()
    ]
    missing = sorted((wanted or set()) - {gather.ffid for gather in found})
    names = ", ".join(survey.survey for survey in surveys)
    if missing:
        raise ConfigError(f"FFID {missing[0]} is not in {names}, or has no first breaks ({len(missing)} such FFIDs)")
    if not found:
        raise ConfigError(f"{names}: no gather has first breaks; ingest with --picks")
    return found


def check_labels(labels: ByHand, surveys: Sequence[Survey]) -> None:
    """Raise PicksError where labels are of FFIDs that none of the surveys has."""
    known = {ffid for survey in surveys for shard in survey.shards for ffid in shard["ffids"]}
    if strangers := sorted(labels.ffids - known):
        names = ", ".join(survey.survey for survey in surveys)
        raise PicksError(f"{labels.where}: FFID {strangers[0]} is not in {names} ({len(strangers)} such FFIDs)")
