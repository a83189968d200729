"""How much of a GAN's training speed Ray Train and the stream leave over, and what a second worker adds.

    python tests/benchmarks/train_speed.py [--steps 340] [--rounds 3] [--folder DIR] [--compile] [--gpus N]

The default GAN on panels of 48 x 256, 16 a worker and step. In each round everybody has a turn; figures are medians
over the rounds. Bare loop: the same step in a fresh process with one thread, on panels that are in memory already; two
of them at once, which exchange nothing, show what the machine itself allows for a second core.
Ray Train: `seisray pretrain gan`, by its own clock, logs and all, over panels of several chunks of the stream, from a
local store and from a SeaweedFS server on this machine, with one worker and with two; a worker has one core, Ray's own
processes and the stream's tasks run beside it on the same two cores or, in the row that says so, on the same one.
--compile: both compile the networks. --gpus: of a worker; the bare loop is then on a GPU, too, and cores are not held
back. All leave the first ten steps out. What share of a GPU's peak a step reaches is in compile_speed.py.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import ray
import torch
from ingest_speed import fresh, made_folder, make_file, s3_server
from pyarrow import fs

from seisray.api import GanConfig, ingest, pretrain_gan
from seisray.config import AdversaryConfig, PanelConfig, TrainConfig
from seisray.heap import keep_heap
from seisray.storage import locate
from seisray.stream import CHUNK_BYTES
from seisray.training.gan import GanStep
from seisray.training.precision import flush_denormals

PANEL = PanelConfig(traces=48, samples=256)
BATCH, WARM_UP = 16, 10
LEAST_CHUNKS = 3  # the first is there before the first step
RUNS = (
    ("Ray Train, 1 worker, disk", "disk", 1, 2),
    ("Ray Train, 1 worker, S3", "S3", 1, 2),
    ("Ray Train, 1 worker, all of Ray on the same core, disk", "disk", 1, 1),
    ("Ray Train, 2 workers, disk", "disk", 2, 2),
)
"""Names, stores, workers and cores of the runs."""


def bare_ms(train: TrainConfig) -> float:
    """Return the mean time of a step after the first few, in this process, with one thread."""
    torch.set_num_threads(1)
    keep_heap()
    flush_denormals()
    step = GanStep(settings(train, 1), device="cuda" if train.gpus else "cpu")
    panels = torch.from_numpy(np.random.default_rng(0).normal(size=(BATCH, 48, 256)).astype(np.float32))
    began_s = 0.0
    for i in range(train.steps):
        if i == WARM_UP:
            began_s = time.perf_counter()
        figures = step(panels)
        if i + 1 in (WARM_UP, train.steps):
            next(iter(figures.values())).item()  # which waits for a GPU to be done
    return 1000 * (time.perf_counter() - began_s) / (train.steps - WARM_UP)


def settings(train: TrainConfig, workers: int) -> GanConfig:
    """Return the settings of a run by as many workers, which logs now and then and saves once.

    Where networks are compiled, all are in the steps left out: features are learned in a few.
    """
    train = replace(train, batch=BATCH * workers, workers=workers, checkpoint_every=train.steps, log_every=WARM_UP)
    adversary = AdversaryConfig(feature_share=0.01) if train.compile else AdversaryConfig()
    return GanConfig(panel=PANEL, adversary=adversary, train=train, sample_every=10 * train.steps, measured=0)


def ray_train(train: TrainConfig, store: str, workers: int, cores: int) -> tuple[float, float]:
    """Return the mean time of a step after the first ones logged, and the share of steps spent waiting for panels.

    A Ray of its own starts in this process, on so many cores where nothing runs on a GPU, and ends with it.
    """
    if not train.gpus:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    card = pretrain_gan(["line"], model="speed", store=store, config=settings(train, workers))
    ray.shutdown()
    first, *rows, _ = card.details["history"]  # the last one's time holds what a run ends with
    wait_ms, busy_ms = (
        sum(figure(row) for row in rows)
        for figure in (lambda row: row["step_ms"] * row["data_wait_share"], lambda row: row["step_ms"])
    )
    elapsed_s = rows[-1]["elapsed_s"] - first["elapsed_s"]
    return 1000 * elapsed_s / (rows[-1]["step"] - first["step"]), wait_ms / busy_ms


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=340)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=made_folder)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--gpus", type=float, default=0)
    options = parser.parse_args()
    chunk = CHUNK_BYTES // (4 * PANEL.traces * PANEL.samples * BATCH)
    if options.steps < LEAST_CHUNKS * chunk:
        parser.error(f"--steps {options.steps}: expected {LEAST_CHUNKS * chunk}, or hardly a step waits for panels")
    train = TrainConfig(steps=options.steps, compile=options.compile, gpus=options.gpus)
    with tempfile.TemporaryDirectory(prefix="train-speed-", dir=options.folder, ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch).resolve()
        make_file(folder / "line.sgy", 0.2)
        (folder / "s3").mkdir()
        with s3_server(folder / "s3") as bucket:
            stores = {"disk": str(folder / "store"), "S3": f"{bucket}/store"}
            ingest("line", [str(folder / "line.sgy")], store=stores["disk"])
            target = locate(stores["S3"])
            there = f"{target.path}/surveys"
            fs.copy_files(f"{stores['disk']}/surveys", there, fs.LocalFileSystem(), target.filesystem)
            ms, wait = defaultdict(list), defaultdict(list)
            for _ in range(options.rounds):
                ms["bare loop"].append(fresh(bare_ms, train))
                with ThreadPoolExecutor(2) as pool:
                    both = pool.map(lambda _: fresh(bare_ms, train), range(2))
                    ms["2 bare loops at once"].append(statistics.mean(both))
                for who, place, workers, cores in RUNS:
                    if workers * train.gpus > torch.cuda.device_count():
                        continue
                    step_ms, share = fresh(ray_train, train, stores[place], workers, cores)
                    ms[who].append(step_ms)
                    wait[who].append(share)
    print("| | ms a step | panels/s | against the bare loop | waits for data |\n" + "|---" * 5 + "|")
    for who, found in ms.items():
        n_panels = BATCH * (2 if "2 " in who else 1)
        pairs = zip(ms["bare loop"], found, strict=True)
        against = statistics.median(n_panels / BATCH * bare / own for bare, own in pairs)
        waits = f"{statistics.median(wait[who]):.1%}" if who in wait else ""
        rate = 1000 * n_panels / statistics.median(found)
        print(f"| {who} | {statistics.median(found):.0f} | {rate:.1f} | {against:.2f} | {waits} |")


if __name__ == "__main__":
    main()
