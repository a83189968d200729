"""What label_efficiency.py has so far, starts and cells in a folder of the store, and how missing ones are made."""

import dataclasses
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
    TUNING,
    UNTAUGHT,
    Cell,
    is_taught,
    kind_of,
    name_of_suggested,
    outcome,
    settings_of,
)
from label_starts import MAKERS, start_of
from label_suggested import SURVEY, suggested
from real_surveys import SYNTHETIC, VARIED, ingest_synthetic, survey_settings

from seisray.config import config_dict, fingerprint
from seisray.gather import Gather, spread_over
from seisray.picking.tempo import onset_period
from seisray.registry import Store
from seisray.resampling import resample_gather, resampling_factor
from seisray.storage import Location
from seisray.stream import read_labelled, shard_refs
from seisray.training.picker import parse_ffids

LEARN = {"soda_lakes": "1001-1040", "geostack": "13,20,21,108,109"}
VALIDATE = {
    "soda_lakes": "1043-1060",
    "geostack": "134,135,256,257,280,281",
    "danube_island": "1054,1099,1113,1119,2027,2037,2045,2054",
}
STARTS = (*UNTAUGHT, *MAKERS, "gan, encoder only")
VERSION = 8
"""Of what cells hold and starts are made of: those of others are not taken over. Settings of pickers count as well."""
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


def without_labels(gathers: Sequence[Gather]) -> list[Gather]:
    """Return gathers without labels."""
    return [one.replace(first_break_ms=np.full(one.n_traces, np.nan, np.float32)) for one in gathers]


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
        self.data["raw"] = {name: without_labels(spread_over(seen[name], N_RAW)) for name in LEARN}

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
            pretraining=0 if start in UNTAUGHT else pretraining,
            lr=rates[0],
            encoder_lr=1.0 if start in UNTAUGHT else rates[1],
            steps=self.steps,
            pretraining_steps=0 if start in UNTAUGHT else self.pretraining_steps,
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
        settings = config_dict(settings_of(cell)) | {"cell": dataclasses.asdict(cell), "learn": LEARN[cell.survey]}
        return self.folder / f"cell-{fingerprint(settings)}.json"
