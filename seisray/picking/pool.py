"""The workers of `seisray pick`: a pool of Ray Data actors, one picker each, shards in and parts out."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import ray

from seisray.config import PickConfig
from seisray.gather import Gather, Reject
from seisray.heap import keep_heap
from seisray.picking.attempts import begin, count_attempts
from seisray.picking.claim import Identity
from seisray.picking.parts import Part, kept_part, parts_there, write_part
from seisray.picking.picker import GatherPicker
from seisray.picking.work import Work
from seisray.progress import Progress
from seisray.registry import Model, Store
from seisray.storage import Location
from seisray.tasks import answer, result_of


@dataclass(frozen=True, kw_only=True)
class Order:
    """What every worker is given. there: parts that are there already, by the stem of their shard."""

    store: str
    work: Work
    card: Model
    identity: Identity
    folder: Location
    there: dict[str, str]
    attempts: Any


def pick_shards(
    store: Store,
    work: Work,
    card: Model,
    identity: Identity,
    folder: Location,
    *,
    workers: int,
) -> tuple[Sequence[Part], int]:
    """Pick the shards of which no part is there.

    Returns all parts, in the order of their shards, and how many traces those have that were there.
    """
    n = len(work.shards)
    there = parts_there(folder, identity.digest)
    order = Order(
        store=str(store),
        work=work,
        card=replace(card, details={}),  # its history can be larger than what Ray hands to workers without a warning
        identity=identity,
        folder=folder,
        there=there,
        attempts=count_attempts(),
    )
    dataset = ray.data.range(n, override_num_blocks=n).map(
        ShardPicker,  # type: ignore[arg-type]
        fn_constructor_args=(order,),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(min(workers, n), 1)),
        num_cpus=1,
        num_gpus=1 if identity.settings["pick"]["engine"] != "openvino" and ray.cluster_resources().get("GPU") else 0,
    )
    parts: dict[int, Part] = {}
    traces, n_kept, started_s = 0, 0, time.monotonic()
    with Progress("pick", work.n_traces, "traces") as progress:
        for row in dataset.iter_rows():
            number, kept, found = result_of(row["answer"])
            parts[number] = Part(**found)
            traces += parts[number].n_traces
            n_kept += kept * parts[number].n_traces
            progress.update(traces, traces_per_s=(traces - n_kept) / (time.monotonic() - started_s))
    return [parts[number] for number in range(n)], n_kept


class ShardPicker:
    """Hold one picker in one worker, and turn shards into parts of picks."""

    def __init__(self, order: Order) -> None:
        keep_heap()
        self._order, self._run, self._shards = order, order.identity.digest, order.work.shards
        device = "cuda" if ray.get_gpu_ids() else "cpu"
        self._picker = GatherPicker(
            Store(order.store),
            order.card,
            sha256=order.identity.weights_sha256,
            device=device,
            config=PickConfig(**order.identity.settings["pick"]),
            sample_interval_us=order.work.sample_interval_us,
            resampling=order.identity.settings["resampling"],
        )

    def __call__(self, row: dict[str, int]) -> dict[str, str]:
        """Pick one shard, by its number, unless its part is there.

        Returns for `result_of` the number, whether the part was there, and the part.
        """
        number = int(row["id"])

        def part() -> list[Any]:
            kept = self._kept(number)
            return [number, kept is not None, asdict(kept or self._picked(number))]

        return {"answer": answer(part)}

    def _kept(self, number: int) -> Part | None:
        shard = self._shards[number]
        name = self._order.there.get(PurePosixPath(shard).stem)
        return kept_part(self._order.folder, name, shard, self._run) if name else None

    def _picked(self, number: int) -> Part:
        folder, shard = self._order.folder, self._shards[number]
        begin(self._order.attempts, shard)
        tables: list[Any] = []
        failed: list[Reject] = []
        left_out: list[Reject] = []
        for gather in self._order.work.gathers(number, left_out):
            rows, reason = self._picker.rows(gather)
            tables.append(rows)
            if reason:
                failed.append(_reject(gather, reason))
        return write_part(folder, shard, self._run, tables, failed=failed, left_out=left_out)


def _reject(gather: Gather, reason: str) -> Reject:
    return Reject(
        gather_id=gather.gather_id,
        source_file=gather.source_file,
        first_byte=0,
        ffid=gather.ffid,
        n_traces=gather.n_traces,
        reason=reason,
    )
