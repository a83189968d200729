"""How many labelled gathers a picker needs, by what it learned before it saw one.

    python tests/benchmarks/label_efficiency.py DATA [--store STORE] [--full] [--cores N] [--picture FILE]

DATA: the folder with geostack, danube_island and soda_lakes. Pre-training sees the raw traces of all three, but for the
gathers that pickers are scored on. A cell is one picker: a survey, how many of its labelled gathers, which (a draw),
what it started from, and which pre-training of that kind. It is scored on the survey's validation gathers, none of
which share a shot location with those to learn from, and on those of the other survey, of which it saw no label. All
cells have the same steps, panels and augmentation; the rates of each start are those that did best in one search, on
five soda_lakes gathers, judged by gathers to learn from that the search did not see.

Cells are Ray tasks of one core. What each came to lies in STORE/benchmarks/label_efficiency, and an interrupted script
goes on where it was. Prints a table: within 2 ms, means and 95 % confidence intervals over draws and pre-trainings. By
default sized for three hours on two cores; --full for a cluster.
"""

import argparse
import dataclasses
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
import safetensors.torch
import torch
from label_starts import MAKERS, start_of, synthetic_gathers
from label_tables import classical, picture, table
from real_surveys import survey_settings

from seisray.config import PickerConfig, PickerTrainConfig, TransferConfig, fingerprint
from seisray.gather import Gather
from seisray.heap import keep_heap
from seisray.ingest import ingest
from seisray.registry import Store
from seisray.session import connect, free_cores
from seisray.storage import Location
from seisray.stream import read_labelled, shard_refs
from seisray.training.picker import PickerStep, parse_ffids

LEARN = {"soda_lakes": "1001-1040", "geostack": "13,20,21,108,109"}
VALIDATE = {"soda_lakes": "1043-1060", "geostack": "134,135,256,257,280,281"}
STARTS = ("scratch", *MAKERS, "gan, encoder only")
RATES = tuple(itertools.product((1e-3, 2e-3, 4e-3), (0.3, 1.0)))
"""Learning rates, and the encoder's relative to it, that the search tries."""
TUNING, N_TUNING, N_JUDGES = -1, 5, 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Name one picker. draw: which gathers, TUNING = those of the search. pretraining: which of its kind."""

    survey: str
    n_gathers: int
    draw: int
    start: str
    pretraining: int
    lr: float
    encoder_lr: float
    steps: int
    pretraining_steps: int


Data = Mapping[str, Mapping[str, list[Gather]]]
"""Labelled gathers to learn from and to validate on, by survey."""


def kind_of(start: str) -> str | None:
    """Return which pre-training a start needs, None = none."""
    return None if start == "scratch" else start.removesuffix(", encoder only")


def gathers_of(cell: Cell, data: Data) -> tuple[list[Gather], Mapping[str, list[Gather]]]:
    """Return what a cell learns from, and what it is scored on, by survey."""
    there = data["learn"][cell.survey]
    if cell.draw == TUNING:  # every seventh gather to learn from, the ones in the middle between them to judge by
        chosen = np.linspace(0, len(there) - 1, N_TUNING).round().astype(int)
        judges = sorted({int(i) for i in np.linspace(3, len(there) - 4, N_JUDGES).round()} - set(chosen.tolist()))
        return [there[i] for i in chosen], {cell.survey: [there[i] for i in judges]}
    rng = np.random.default_rng([cell.draw, cell.n_gathers])
    chosen = np.sort(rng.permutation(len(there))[: cell.n_gathers])
    return [there[i] for i in chosen], data["validate"]


def outcome(cell: Cell, data: Data, weights: bytes | None) -> dict[str, Any]:
    """Train the picker of a cell; return its scores by survey."""
    torch.set_num_threads(1)
    keep_heap()
    learn, judges = gathers_of(cell, data)
    config = PickerConfig(
        transfer=TransferConfig(lr=cell.lr, encoder_lr=cell.encoder_lr, decoder=", encoder only" not in cell.start),
        train=PickerTrainConfig(steps=cell.steps, workers=1, seed=max(cell.draw, 0)),
    )
    began_s = time.perf_counter()
    step = PickerStep(config, learn, body=safetensors.torch.load(weights) if weights else None)
    while step.step < config.train.steps:
        step(config.train.batch)
    seconds = time.perf_counter() - began_s
    scores = {survey: step.score(gathers).to_dict() for survey, gathers in judges.items()}
    return {"cell": dataclasses.asdict(cell), "seconds": seconds, "scores": scores}


def in_turn(calls: Iterable[tuple[Any, Callable[[], Any]]], cores: int) -> Iterator[tuple[Any, Any]]:
    """Yield names and results of remote calls as they end, so many at a time."""
    left, running = iter(calls), {}
    while True:
        for name, call in itertools.islice(left, cores - len(running)):
            running[call()] = name
        if not running:
            return
        (done, *_), _ = ray.wait(list(running))
        yield running.pop(done), ray.get(done)


class Bench:
    """Hold the data, and what was made of it so far in a folder of the store."""

    def __init__(self, data: Path, store: Store, cores: int, steps: int, pretraining_steps: int) -> None:
        self.store, self.cores, self.steps, self.pretraining_steps = store, cores, steps, pretraining_steps
        self.folder = store.root / "benchmarks" / "label_efficiency"
        names = survey_settings(data)
        self.data = {
            part: {name: read_labelled(store, [store.survey(name)], parse_ffids(ffids)) for name, ffids in of.items()}
            for part, of in (("learn", LEARN), ("validate", VALIDATE))
        }
        hidden = {(name, ffid) for name, ffids in VALIDATE.items() for ffid in parse_ffids(ffids)}
        self.unlabelled = [
            gather.samples[gather.live]
            for ref in shard_refs(store, [store.survey(name) for name in names])
            for gather in ref.gathers()
            if gather.live.any() and (gather.survey, gather.ffid) not in hidden
        ]

    def cell(self, survey: str, n: int, draw: int, start: str, pretraining: int, rates: tuple[float, float]) -> Cell:
        """Return a cell of this bench."""
        return Cell(
            survey=survey,
            n_gathers=n,
            draw=draw,
            start=start,
            pretraining=0 if start == "scratch" else pretraining,
            lr=rates[0],
            encoder_lr=1.0 if start == "scratch" else rates[1],
            steps=self.steps,
            pretraining_steps=0 if start == "scratch" else self.pretraining_steps,
        )

    def pretrain(self, n_pretrainings: int, starts: Sequence[str]) -> None:
        """Make the weights that are missing."""
        kinds = list(dict.fromkeys(kind for kind in map(kind_of, starts) if kind))
        missing = [
            (kind, seed) for seed in range(n_pretrainings) for kind in kinds if not self._weights(kind, seed).exists()
        ]
        if not missing:
            return
        synthetic = synthetic_gathers(self.data["learn"]["soda_lakes"], 0) if _taught(kinds) else []
        shared = ray.put(self.unlabelled), ray.put(synthetic)
        task = ray.remote(num_cpus=1)(start_of)
        calls = (
            ((kind, seed), lambda kind=kind, seed=seed: task.remote(kind, *shared, self.pretraining_steps, seed))
            for kind, seed in missing
        )
        for n_done, ((kind, seed), weights) in enumerate(in_turn(calls, self.cores), 1):
            self._weights(kind, seed).write_bytes(safetensors.torch.save(dict(weights)))
            print(f"pre-trained {n_done}/{len(missing)}: {kind}, {seed}", file=sys.stderr, flush=True)

    def outcomes(self, cells: Iterable[Cell]) -> dict[Cell, dict[str, Any]]:
        """Return what cells came to, training those that are missing."""
        wanted = list(dict.fromkeys(cells))
        found = {cell: json.loads(self._file(cell).read_bytes()) for cell in wanted if self._file(cell).exists()}
        missing = [cell for cell in wanted if cell not in found]
        shared, task = ray.put(self.data), ray.remote(num_cpus=1)(outcome)
        calls = ((cell, lambda cell=cell: task.remote(cell, shared, self._start(cell))) for cell in missing)
        for n_done, (cell, one) in enumerate(in_turn(calls, self.cores), 1):
            self._file(cell).write_bytes(json.dumps(one).encode())
            found[cell] = one
            rate = one["scores"][cell.survey]["hit_rate_2ms"]
            print(
                f"{n_done}/{len(missing)} {cell.survey} {cell.n_gathers}, draw {cell.draw}, {cell.start} "
                f"{cell.pretraining}: {rate:.1%} within 2 ms, {one['seconds']:.0f} s",
                file=sys.stderr,
                flush=True,
            )
        return found

    def best_rates(self, starts: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Return the rates that did best in the search, by start."""
        tried = {
            (start, rates): self.cell("soda_lakes", N_TUNING, TUNING, start, 0, rates)
            for start in starts
            for rates in RATES
        }
        found = self.outcomes(tried.values())
        return {
            start: max(RATES, key=lambda rates: found[tried[start, rates]]["scores"]["soda_lakes"]["hit_rate_2ms"])
            for start in starts
        }

    def _start(self, cell: Cell) -> bytes | None:
        kind = kind_of(cell.start)
        return self._weights(kind, cell.pretraining).read_bytes() if kind else None

    def _weights(self, kind: str, seed: int) -> Location:
        return self.folder / f"start-{kind.replace(' ', '-')}-{self.pretraining_steps}-{seed}.safetensors"

    def _file(self, cell: Cell) -> Location:
        return self.folder / f"cell-{fingerprint(cell)}.json"


def _taught(kinds: Sequence[str]) -> bool:
    return any("synthetic" in kind for kind in kinds)


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", default="./seisray-store")
    parser.add_argument("--full", action="store_true", help="more counts, draws and pre-trainings, for a cluster")
    parser.add_argument("--cores", type=int, help="cells at a time (default: as many as there are cores)")
    parser.add_argument("--steps", type=int, default=600, help="of a picker")
    parser.add_argument("--pretraining-steps", type=int, default=4000, help="of masked reconstruction")
    parser.add_argument("--only", nargs="+", default=list(STARTS), choices=STARTS)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    store = Store(options.store)
    for name, (files, settings) in survey_settings(options.data).items():
        if name not in store.names("surveys"):
            ingest(name, files, store=options.store, config=settings, resume=True)
    connect(dashboard=False)
    bench = Bench(options.data, store, options.cores or free_cores(), options.steps, options.pretraining_steps)
    counts, n_draws, n_pretrainings = ((1, 2, 5, 10, 20, 40), 5, 3) if options.full else ((1, 5, 20), 3, 2)
    bench.pretrain(n_pretrainings, options.only)
    rates = bench.best_rates(options.only)
    for start, (lr, encoder_lr) in rates.items():
        print(f"{start}: learning rate {lr:g}, of the encoder {encoder_lr:g} times that", file=sys.stderr)
    cells = [
        bench.cell(survey, n, draw, start, pretraining, rates[start])
        for draw, pretraining in itertools.product(range(n_draws), range(n_pretrainings))
        for survey in LEARN
        for n in counts
        if n <= len(bench.data["learn"][survey])
        for start in options.only
    ]
    outcomes = list(bench.outcomes(cells).values())
    print("\n".join(table(outcomes, options.only)))
    print("\n| classical | " + " | ".join(LEARN) + " |\n" + "|---" * (len(LEARN) + 1) + "|")
    for name, scores in classical(bench.data["validate"]).items():
        shown = [f"{one.hit_rate_2ms:.1%} ({one.hit_rate_2ms_debiased:.1%})" for one in map(scores.get, LEARN) if one]
        print(f"| {name} | {' | '.join(shown)} |")
    if options.picture:
        picture(outcomes, options.only, options.picture)


if __name__ == "__main__":
    main()
