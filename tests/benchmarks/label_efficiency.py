"""How many labelled gathers a picker needs, by what it learned before it saw one.

    python tests/benchmarks/label_efficiency.py DATA [--store URI] [--full] [--only START ...] [--suggested]

DATA: the folder with geostack, danube_island and soda_lakes. Pre-training sees the raw traces of all three, but for the
gathers that pickers are scored on. A cell is one picker: a survey, how many of its labelled gathers, which (a draw),
what it started from, and which pre-training of that kind. It is scored on the survey's validation gathers, none of
which share a shot location with those to learn from, and on those of the others, of which it saw no label. All cells
have the same steps and panels, and the same augmentation, but that starts that learned from synthetic gathers keep
these beside the labelled ones, in equal shares, and see more of what lies behind first breaks. The rates of each start
are those that did best in one search, on five soda_lakes gathers, judged by gathers to learn from that the search did
not see. Starts in SELF_TAUGHT go on, as `finetune --labels-of` does, from what they are sure of on gathers of the
survey that nobody labelled, but with --no-own-picks. With --suggested, soda_lakes gathers that `seisray suggest` names
stand beside those drawn at random: by their looks for who starts from scratch, by the doubts of the picker, too, for
who starts from one; their intervals are over the seeds of the panels alone. Starts that are pickers already are scored
without any labelled gather, too. Gathers without labels, here and in pre-training, may stand next to those scored.

Cells are Ray tasks of one core. What each came to lies in URI/benchmarks, and an interrupted script goes on where it
was. Prints tables: within 2 ms, means and 95 % confidence intervals over draws and pre-trainings; the gain over
scratch, draw by draw; and what becomes of other surveys. By default sized for some hours on two cores; --full for a
cluster.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import ray
import safetensors.torch
from label_cells import (
    N_TUNING,
    OF_SUGGESTED,
    SELF_TAUGHT,
    SUGGESTED,
    THEN,
    TUNING,
    Cell,
    is_taught,
    kind_of,
    name_of_suggested,
    outcome,
    parts_of,
)
from label_starts import MAKERS, start_of
from label_suggested import SURVEY, suggested
from label_tables import classical, gains, picture, table
from real_surveys import SYNTHETIC, VARIED, ingest_synthetic, survey_settings

from seisray.config import fingerprint
from seisray.gather import Gather
from seisray.ingest import ingest
from seisray.picking.tempo import onset_period
from seisray.registry import Store
from seisray.resampling import resample_gather, resampling_factor
from seisray.session import connect, free_cores
from seisray.storage import Location
from seisray.stream import read_labelled, shard_refs
from seisray.training.picker import parse_ffids

LEARN = {"soda_lakes": "1001-1040", "geostack": "13,20,21,108,109"}
VALIDATE = {
    "soda_lakes": "1043-1060",
    "geostack": "134,135,256,257,280,281",
    "danube_island": "1054,1099,1113,1119,2027,2037,2045,2054",
}
STARTS = ("scratch", *MAKERS, "gan, encoder only")
VERSION = 6
"""Of what cells hold and starts are made of: those of others are not taken over."""
N_RAW = 40
"""Gathers of a survey that nobody labelled, from all over it, whose own picks are learned from."""
RATES = ((1e-3, 1.0), (2e-3, 1.0), (4e-3, 1.0), (2e-3, 0.3))
"""Learning rates, and the encoder's relative to it, that the search tries."""


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


def spread_over(gathers: Sequence[Gather], n: int) -> list[Gather]:
    """Return n gathers from all over a survey, without labels."""
    chosen = np.unique(np.linspace(0, len(gathers) - 1, n).round().astype(int))
    return [gathers[i].replace(first_break_ms=np.full(gathers[i].n_traces, np.nan, np.float32)) for i in chosen]


class Bench:
    """Hold the data, and what was made of it so far in a folder of the store."""

    def __init__(
        self,
        data: Path,
        store: Store,
        starts: Sequence[str],
        *,
        cores: int,
        steps: int,
        pretraining_steps: int,
        self_taught: Sequence[str],
    ) -> None:
        self.store, self.cores, self.steps, self.pretraining_steps = store, cores, steps, pretraining_steps
        self.self_taught = self_taught
        self.folder = store.root / "benchmarks" / f"label_efficiency-{VERSION}"
        self.data = {
            part: {name: read_labelled(store, [store.survey(name)], parse_ffids(ffids)) for name, ffids in of.items()}
            for part, of in (("learn", LEARN), ("validate", VALIDATE))
        }
        hidden = {(name, ffid) for name, ffids in VALIDATE.items() for ffid in parse_ffids(ffids)}
        seen = {
            name: [
                gather
                for ref in shard_refs(store, [store.survey(name)])
                for gather in ref.gathers()
                if gather.live.any() and (name, gather.ffid) not in hidden
            ]
            for name in survey_settings(data)
        }
        self.unlabelled = [gather.samples[gather.live] for gather in itertools.chain.from_iterable(seen.values())]
        self.data["synthetic"] = {VARIED: self._synthetic() if any(map(is_taught, starts)) else []}
        self.data["raw"] = {name: spread_over(seen[name], N_RAW) for name in LEARN}

    def _synthetic(self) -> list[Gather]:
        """Return synthetic gathers that have the samples a period of field gathers."""
        ingest_synthetic(VARIED, SYNTHETIC, str(self.store))
        made = read_labelled(self.store, [self.store.survey(VARIED)], None)
        factor = resampling_factor(onset_period(made), onset_period(self.data["learn"][SURVEY]))
        return [resample_gather(gather, factor) for gather in made]

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
            own_picks=start in self.self_taught and draw > TUNING,
        )

    def pretrain(self, n_pretrainings: int, starts: Sequence[str]) -> None:
        """Make the weights that are missing."""
        kinds = list(dict.fromkeys(kind for kind in map(kind_of, starts) if kind))
        missing = [
            (kind, seed) for seed in range(n_pretrainings) for kind in kinds if not self._weights(kind, seed).exists()
        ]
        if not missing:
            return
        shared = ray.put(self.unlabelled), ray.put(self.data["synthetic"][VARIED])
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

    def suggest(self, data: Path, starts: Sequence[str], counts: Sequence[int], n_pretrainings: int) -> None:
        """Have the gathers named that would be labelled first, by what each start knows."""
        learn = {gather.ffid: gather for gather in self.data["learn"][SURVEY]}
        self.data["suggested"] = {}
        for start, n, pretraining in itertools.product(starts, counts, range(n_pretrainings)):
            kind = kind_of(start)
            picker = safetensors.torch.load(self._weights(kind, pretraining).read_bytes()) if kind else None
            ffids = suggested(data, self.store, learn, n, picker)
            self.data["suggested"][name_of_suggested(start, n, pretraining)] = [learn[ffid] for ffid in ffids]
            print(f"{start}: suggested are {', '.join(map(str, ffids))}", file=sys.stderr, flush=True)

    def _start(self, cell: Cell) -> bytes | None:
        kind = kind_of(cell.start)
        return self._weights(kind, cell.pretraining).read_bytes() if kind else None

    def _weights(self, kind: str, seed: int) -> Location:
        return self.folder / f"start-{kind.replace(' ', '-')}-{self.pretraining_steps}-{seed}.safetensors"

    def _file(self, cell: Cell) -> Location:
        return self.folder / f"cell-{fingerprint(cell)}.json"


def rows_of(start: str, self_taught: Sequence[str], suggested_to: Sequence[str]) -> Iterator[str]:
    """Yield the names of a start's rows."""
    yield start
    if start in self_taught:
        yield start + THEN
    if start in suggested_to:
        yield start + OF_SUGGESTED


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", default="./seisray-store")
    parser.add_argument("--full", action="store_true", help="more counts, draws and pre-trainings, for a cluster")
    parser.add_argument("--cores", type=int, help="cells at a time (default: as many as there are cores)")
    parser.add_argument("--steps", type=int, default=600, help="of a picker")
    parser.add_argument("--pretraining-steps", type=int, default=4000, help="of masked reconstruction")
    parser.add_argument("--counts", type=int, nargs="+", help="of labelled gathers (default: 1 5 20)")
    parser.add_argument("--draws", type=int, help="of which gathers (default: 3)")
    parser.add_argument("--pretrainings", type=int, help="of each kind (default: 2)")
    parser.add_argument("--only", nargs="+", default=list(STARTS), choices=STARTS)
    parser.add_argument("--no-own-picks", dest="own_picks", action="store_false", help="in less than half of the time")
    parser.add_argument("--suggested", action="store_true", help="beside those drawn, gathers that are suggested")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    store = Store(options.store)
    for name, (files, settings) in survey_settings(options.data).items():
        if name not in store.names("surveys"):
            ingest(name, files, store=options.store, config=settings, resume=True)
    connect(dashboard=False)
    bench = Bench(
        options.data,
        store,
        options.only,
        cores=options.cores or free_cores(),
        steps=options.steps,
        pretraining_steps=options.pretraining_steps,
        self_taught=SELF_TAUGHT if options.own_picks else (),
    )
    counts, n_draws, n_pretrainings = ((1, 2, 5, 10, 20, 40), 5, 3) if options.full else ((1, 5, 20), 3, 2)
    counts = options.counts or counts
    n_draws, n_pretrainings = options.draws or n_draws, options.pretrainings or n_pretrainings
    bench.pretrain(n_pretrainings, options.only)
    suggested_to = [start for start in ("scratch", "synthetic") if options.suggested and start in options.only]
    some = [n for n in counts if 0 < n <= len(bench.data["learn"][SURVEY])]
    bench.suggest(options.data, suggested_to, some, n_pretrainings)
    rates = bench.best_rates(options.only)
    for start, (lr, encoder_lr) in rates.items():
        print(f"{start}: learning rate {lr:g}, of the encoder {encoder_lr:g} times that", file=sys.stderr)
    cells = [
        bench.cell(survey, n, draw, start, pretraining, rates[start])
        for draw, pretraining in itertools.product(range(n_draws), range(n_pretrainings))
        for survey in LEARN
        for n in (0, *counts)
        if n <= len(bench.data["learn"][survey])
        for start in options.only
        if n or is_taught(start)
    ] + [
        bench.cell(SURVEY, n, SUGGESTED - seed, start, pretraining, rates[start])
        for seed, pretraining in itertools.product(range(n_draws), range(n_pretrainings))
        for n in some
        for start in suggested_to
    ]
    outcomes = [part for one in bench.outcomes(cells).values() for part in parts_of(one)]
    rows = [name for start in options.only for name in rows_of(start, bench.self_taught, suggested_to)]
    print(
        "\n".join(
            [
                *table(outcomes, rows),
                "",
                *gains(outcomes, [row for row in rows if OF_SUGGESTED not in row]),
                "",
                *table(outcomes, rows, elsewhere=True),
            ]
        )
    )
    print("\n| classical | " + " | ".join(VALIDATE) + " |\n" + "|---" * (len(VALIDATE) + 1) + "|")
    for name, scores in classical(bench.data["validate"]).items():
        shown = (f"{one.hit_rate_2ms:.1%} ({one.hit_rate_2ms_debiased:.1%})" for one in map(scores.get, VALIDATE))
        print(f"| {name} | {' | '.join(shown)} |")
    if options.picture:
        picture(outcomes, rows, options.picture)


if __name__ == "__main__":
    main()
