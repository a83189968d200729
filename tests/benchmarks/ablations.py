"""What each stabiliser of the GAN is worth on field gathers: one change at a time to a plain judge of features.

    python tests/benchmarks/ablations.py DATA [--out FILE] [--steps 500] [--batch 8] [--seeds 0 1 2] [--only NAME ...]

DATA: the folder with geostack, danube_island and soda_lakes. Panels of 32 x 128, plain torch, each run a Ray task on
one core, as many at a time as there are cores. Each run is measured against gathers that it did not learn from and
appended to FILE, so that an interrupted script goes on where it was; the table of what FILE holds is printed at the
end, means over the seeds (lowest to highest), with the number of collapsed runs: those whose samples are less than 0.3
times as diverse as field panels, or whose recall is below 0.1. d: distance; those of Fréchet and of spectra are given
as multiples of their real-real floor, which is the same for all: one half of the panels held out against the other.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import ray
import torch
from real_surveys import survey_settings

from seisray.api import GanConfig, Store, ingest
from seisray.config import AdversaryConfig, GeneratorConfig, PanelConfig, TrainConfig, fingerprint
from seisray.heap import keep_heap
from seisray.metrics.samples import measure_sets
from seisray.session import connect, free_cores
from seisray.stream import ShardRef, divide, shard_refs
from seisray.training.gan import GanStep
from seisray.training.measure import SHARDS_MEASURED, reference_panels
from seisray.training.precision import flush_denormals
from seisray.training.tint import tint
from seisray.transforms import Samples, cut_panels

VERSION = 3  # of the game: outcomes of another one in the file are left alone
PLAIN = {"augment": 0.0}  # all else as by default
UNET = {"judge": "unet", "loss": "bce", "r1": 1.0, "minibatch_std": 0}
CHANGES: Mapping[str, dict[str, Any]] = {
    "judge of features, RpGAN, spectral norm on D": {},
    "U-Net that learns as it judges, bce, R1 1": UNET,
    "the same with RpGAN, R1 + R2 1, no spectral norm": UNET
    | {"loss": "rpgan", "r2": 1.0, "spectral_norm": False, "penalty_every": 2},
    "features learned in a twentieth of the run": {"feature_share": 0.05},
    "bce": {"loss": "bce"},
    "hinge": {"loss": "hinge"},
    "WGAN-GP": {"loss": "wgan", "spectral_norm": False, "gradient_penalty": 10.0},
    "sigmoid output, bf16": {"loss": "sigmoid", "precision": "bf16"},
    "without spectral norm": {"spectral_norm": False},
    "spectral norm on G, too": {"g_spectral_norm": True},
    "R1 3": {"r1": 3.0},
    "R1 + R2 1 decaying to 0.1, no spectral norm": {"r1": 1.0, "r2": 1.0, "penalty_decay": 0.1, "spectral_norm": False},
    "D learns four times as fast": {"lr_ratio": 4.0},
    "G learns four times as fast": {"lr_ratio": 0.25},
    "both learn twice as fast": {"d_lr": 8e-4},
    "both learn half as fast": {"d_lr": 2e-4},
    "rates cool in the last quarter": {"cool_share": 0.25},
    "beta1 0.5": {"beta1": 0.5},
    "two steps of D": {"d_steps": 2},
    "without averaging": {"ema": 0.0},
    "average 0.9": {"ema": 0.9},
    "augmentation 0.2: the default": {"augment": 0.2},
    "adaptive augmentation 0.6": {"augment_target": 0.6, "augment_steps": 200},
    "CutMix 0.5": {"cutmix": 0.5},
    "from coarse to fine in half the run": {"coarse_share": 0.5},
    "instance noise 0.3, gone after 200 steps": {"instance_noise": 0.3, "instance_noise_steps": 200},
    "LeCam 0.1": {"lecam": 0.1},
    "orthogonal D": {"orthogonal": True},
    "orthogonal G": {"g_orthogonal": True},
    "gradients clipped at 1": {"gradient_clip": 1.0},
    "top half": {"top_k": 0.5},
    "label smoothing 0.1, bce": {"loss": "bce", "label_smoothing": 0.1},
    "minibatch standard deviation of 4": {"minibatch_std": 4},
    "without minibatch standard deviation": {"minibatch_std": 0},
    "without the pixel head": {"pixel_weight": 0.0},
}
PANEL = PanelConfig(traces=32, samples=128)
MEASURED = 384  # samples of each run, and field panels that they are measured against
OF_GENERATOR = {"g_spectral_norm": "spectral_norm", "g_orthogonal": "orthogonal", "ema": "ema"}
COLUMNS = {
    "frechet_distance": 1,
    "spectrum_distance": 1,
    "precision": 0,
    "recall": 0,
    "classifier_accuracy": 0,
    "diversity_ratio": 0,
}
"""Measures, and whether they are given as multiples of their floors."""


def settings(change: Mapping[str, Any], steps: int, batch: int, seed: int) -> GanConfig:
    """Return the plain settings with one change."""
    adversary = PLAIN | {name: value for name, value in change.items() if name not in (*OF_GENERATOR, "precision")}
    generator = {OF_GENERATOR[name]: value for name, value in change.items() if name in OF_GENERATOR}
    precision = change.get("precision", "auto")
    return GanConfig(
        panel=PANEL,
        adversary=AdversaryConfig(**adversary),
        generator=GeneratorConfig(**generator),
        train=TrainConfig(steps=steps, batch=batch, workers=1, seed=seed, precision=precision),
    )


def key(config: GanConfig) -> str:
    """Return under which name the outcome of settings is kept."""
    return f"{VERSION}-{fingerprint(config)}"


def train(config: GanConfig, refs: list[ShardRef]) -> GanStep:
    """Return a step after all its steps, on panels cut at random from gathers in memory."""
    rng = np.random.default_rng(config.train.seed)
    gathers = [gather.samples[gather.live] for ref in refs for gather in ref.gathers() if gather.live.any()]
    step = GanStep(config)
    while step.step < config.train.steps:
        chosen = rng.integers(len(gathers), size=config.train.batch)
        panels = np.concatenate([cut_panels(gathers[i], rng, config.panel, 1) for i in chosen])
        step(torch.from_numpy(panels))
    return step


def field_refs(data: Path, store: str) -> tuple[list[ShardRef], list[ShardRef]]:
    """Return where panels to learn from and others lie; surveys that the store lacks are ingested."""
    place = Store(store)
    for name, (files, how) in survey_settings(data).items():
        if name not in place.names("surveys"):
            ingest(name, files, store=store, config=how, resume=True)
    return divide(shard_refs(place, [place.survey(name) for name in survey_settings(data)]), 0.1)


def measured(real: Samples, fake: Samples) -> dict[str, float]:
    """Return measures of panels against field panels that were not learned from."""
    return measure_sets(real, real, {"fake": fake})["fake"]  # how new they are, which is not shown, aside


def run(config: GanConfig, refs: list[ShardRef], real: Samples) -> dict[str, Any]:
    """Return the outcome of one run. refs: of what it learns from. real: what it is measured against."""
    torch.set_num_threads(1)
    keep_heap()
    flush_denormals()
    began_s = time.perf_counter()
    step = train(config, refs)
    seconds = time.perf_counter() - began_s
    tint(step, refs, config)
    measures = measured(real, step.samples(len(real)).numpy())
    return {"settings": key(config), "ms_a_step": 1000 * seconds / config.train.steps, "measures": measures}


def kept(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the outcomes that a file holds, but for a line that was torn."""
    for line in file.read_text().splitlines() if file.exists() else ():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def outcomes_of(
    wanted: Sequence[GanConfig], refs: list[ShardRef], real: Samples
) -> Iterator[tuple[GanConfig, dict[str, Any]]]:
    """Yield settings and what they came to as runs end, a core each."""
    task, shared = ray.remote(num_cpus=1)(run), (ray.put(refs), ray.put(real))
    left, running = list(reversed(wanted)), {}
    while left or running:
        while left and len(running) < free_cores():
            config = left.pop()
            running[task.remote(config, *shared)] = config
        (done, *_), _ = ray.wait(list(running))
        yield running.pop(done), ray.get(done)


def table(
    outcomes: Mapping[str, dict[str, Any]], floor: Mapping[str, float], steps: int, batch: int, seeds: Sequence[int]
) -> Iterator[str]:
    """Yield the lines of the table, a change a row, in the order of CHANGES."""
    yield "| change | Fréchet d | spectrum d | precision | recall | classifier | collapsed | ms a step |"
    yield "|---" * 8 + "|"
    for name in CHANGES:
        keys = [key(settings(CHANGES[name], steps, batch, seed)) for seed in seeds]
        own = [outcomes[one] for one in keys if one in outcomes]
        if not own:
            continue
        values = {
            column: [one["measures"][column] / floor[column] ** over_floor for one in own]
            for column, over_floor in COLUMNS.items()
        }
        collapsed = sum(
            not (ratio >= 0.3 and recall >= 0.1)  # NaN is a collapse, too
            for ratio, recall in zip(values["diversity_ratio"], values["recall"], strict=True)
        )
        frechet, spectrum, precision, recall, told = (values[column] for column in list(COLUMNS)[:5])
        shown = f"{of_seeds(frechet, 1)} | {mean(spectrum):.1f} | {mean(precision):.2f} | {of_seeds(recall, 2)} | "
        shown += f"{mean(told):.2f}"
        yield f"| {name} | {shown} | {collapsed} of {len(own)} | {mean(one['ms_a_step'] for one in own):.0f} |"


def of_seeds(values: Sequence[float], digits: int) -> str:
    """Return the mean of seeds, and the lowest and highest."""
    shown, *ends = (f"{value:.{digits}f}" for value in (mean(values), min(values), max(values)))
    return f"{shown} ({' to '.join(ends)})" if len(values) > 1 else shown


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", default="./seisray-store")
    parser.add_argument("--out", type=Path, default=Path("ablations.jsonl"))
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", default=list(CHANGES))
    options = parser.parse_args()
    learned, held_out = field_refs(options.data, options.store)
    connect(dashboard=False)
    panels = reference_panels(held_out, PANEL, 2 * MEASURED, most_shards=SHARDS_MEASURED)
    real, other = np.split(np.random.default_rng(0).permutation(panels), 2)
    outcomes = {one["settings"]: one for one in kept(options.out)}
    size = (options.steps, options.batch)
    names = {settings(CHANGES[name], *size, seed): name for seed in options.seeds for name in options.only}
    wanted = [config for config in names if key(config) not in outcomes]  # all of a seed before the next
    for n_done, (config, outcome) in enumerate(outcomes_of(wanted, learned, real), 1):
        outcomes[outcome["settings"]] = outcome
        with options.out.open("a") as file:
            file.write("\n" + json.dumps(outcome))
        print(f"{n_done}/{len(wanted)} {names[config]}, seed {config.train.seed}", file=sys.stderr, flush=True)
    print("\n".join(table(outcomes, measured(real, other), *size, options.seeds)))


if __name__ == "__main__":
    main()
