"""`seisray pick`: a whole survey through an actor pool, one part of picks for each shard."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

import ray

from seisray import shards
from seisray.errors import ConfigError, ExistsError, StorageError
from seisray.gather import Gather, Reject
from seisray.ingest.rejects import write_rejects
from seisray.picking.attempts import begin, count_attempts
from seisray.picking.claim import Identity, claim
from seisray.picking.parts import Part, kept_part, parts_there, read_part_rejects, write_part
from seisray.picking.picker import GatherPicker, pick_settings, weights_sha256
from seisray.progress import Progress
from seisray.registry import Model, PickSet, Store, Survey
from seisray.session import connect, free_cores
from seisray.storage import Location
from seisray.tasks import answer, result_of


def pick_survey(
    survey: str, *, model: str, out: str, store: str, workers: int | None = None, resume: bool = False
) -> PickSet:
    """Pick every trace of a survey and publish the picks; return their manifest.

    model: a picker, name or name@version. workers: actors at most, by default one a core. resume: keep the parts that
    an interrupted run of the same picker over the same survey left; picks that are finished are returned as they are.
    Raises ExistsError where the name is taken, or was begun and resume was not asked for: nothing is ever deleted.
    """
    place = Store(store)
    manifest = place.survey(survey)
    card = picker_card(place, model, manifest.sample_interval_us, f"survey {survey!r}")
    identity = Identity(
        survey=manifest.fingerprint,
        model=card.ref,
        weights_sha256=weights_sha256(place, card),
        settings=pick_settings(card),
    )
    folder = place.folder("picks", out)
    if (done := _finished(place, out, identity, resume)) is not None:
        return done
    claim(folder, identity, resume=resume)
    connect()
    started_s = time.monotonic()
    parts = _run(place, manifest, card, identity, folder, workers or free_cores())
    flags = sum((Counter(part.flags) for part in parts), Counter[str]())
    picks = PickSet(
        name=out,
        survey=survey,
        survey_fingerprint=manifest.fingerprint,
        model=card.ref,
        weights_sha256=identity.weights_sha256,
        identity=identity.digest,
        settings=dict(identity.settings),
        n_traces=sum(part.n_traces for part in parts),
        n_picked=sum(part.n_picked for part in parts),
        flags=dict(sorted(flags.items())),
        rejects=sum(part.n_rejects for part in parts),
        seconds=round(time.monotonic() - started_s, 3),
        parts=[asdict(part) for part in parts],
    )
    if picks.n_traces != manifest.n_traces:
        raise StorageError(
            f"survey {survey!r} has {manifest.n_traces} traces by its manifest, its shards {picks.n_traces}; did it "
            "change meanwhile? run seisray verify"
        )
    if (done := _finished(place, out, identity, resume=True)) is not None:  # by another driver, from the same parts
        return done
    failed = [reject for part in parts if part.n_rejects for reject in read_part_rejects(folder / part.uri)]
    write_rejects(folder, failed, keep=())
    picks.write(folder / "manifest.json")
    return picks


def picker_card(store: Store, model: str, sample_interval_us: float, of: str) -> Model:
    """Return the card of a picker; raise ConfigError where it is none, or learned at another sample interval."""
    card = store.model(model)
    if card.kind != "picker":
        raise ConfigError(
            f"model {card.ref} is a {card.kind}; make a picker of it with seisray finetune --from {model}"
        )
    if card.sample_interval_us != sample_interval_us:
        raise ConfigError(
            f"picker {card.ref} learned from traces at {card.sample_interval_us:g} us, {of} is sampled at "
            f"{sample_interval_us:g} us; fine-tune it on some of its gathers first"
        )
    return card


def _finished(store: Store, out: str, identity: Identity, resume: bool) -> PickSet | None:
    """Return the picks where a run of this identity has finished them; raise ExistsError where another has."""
    if not (store.folder("picks", out) / "manifest.json").exists():
        return None
    found = store.picks(out)
    if resume and found.identity == identity.digest:
        return found
    raise ExistsError(f"picks {out!r} already exist in {store}; choose another --out")


def _run(
    store: Store, survey: Survey, card: Model, identity: Identity, folder: Location, workers: int
) -> Sequence[Part]:
    """Pick the shards of which no part is there; return all parts, in the order of their shards."""
    n = len(survey.shards)
    there = parts_there(folder, identity.digest)
    dataset = ray.data.range(n, override_num_blocks=n).map(
        ShardPicker,  # type: ignore[arg-type]
        fn_constructor_args=(str(store), survey, card, identity, folder, there, count_attempts()),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(min(workers, n), 1)),
        num_cpus=1,
        num_gpus=1 if ray.cluster_resources().get("GPU") else 0,
    )
    parts: dict[int, Part] = {}
    traces, started_s = 0, time.monotonic()
    with Progress("pick", survey.n_traces, "traces") as progress:
        for row in dataset.iter_rows():
            number, found = result_of(row["answer"])
            parts[number] = Part(**found)
            traces += parts[number].n_traces
            progress.update(traces, traces_per_s=traces / (time.monotonic() - started_s))
    return [parts[number] for number in range(n)]


class ShardPicker:
    """Hold one picker in one worker, and turn shards into parts of picks."""

    def __init__(
        self,
        store: str,
        survey: Survey,
        card: Model,
        identity: Identity,
        folder: Location,
        there: dict[str, str],
        attempts: Any,
    ) -> None:
        self._store, self._survey, self._folder, self._there = Store(store), survey, folder, there
        self._attempts = attempts
        self._run = identity.digest
        device = "cuda" if ray.get_gpu_ids() else "cpu"
        self._picker = GatherPicker(self._store, card, sha256=identity.weights_sha256, device=device)

    def __call__(self, row: dict[str, int]) -> dict[str, str]:
        """Pick one shard, by its number, unless its part is there; return number and part for `result_of`."""
        return {"answer": answer(lambda: [row["id"], asdict(self._part(row["id"]))])}

    def _part(self, number: int) -> Part:
        shard = self._store.shard(self._survey, number)
        kept = self._there.get(PurePosixPath(shard.name).stem)
        found = kept_part(self._folder, kept, shard.name, self._run) if kept else None
        if found is not None:
            return found
        begin(self._attempts, shard.name)
        tables, rejects = [], []
        for gather in shards.read_gathers(shard):
            rows, failure = self._picker.rows(gather)
            tables.append(rows)
            if failure:
                rejects.append(_reject(gather, failure))
        return write_part(self._folder, shard.name, self._run, tables, rejects)


def _reject(gather: Gather, reason: str) -> Reject:
    return Reject(
        gather_id=gather.gather_id,
        source_file=gather.source_file,
        first_byte=0,
        ffid=gather.ffid,
        n_traces=gather.n_traces,
        reason=reason,
    )
