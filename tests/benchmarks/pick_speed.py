"""How fast field files become picks, where the time goes, and what others take for the same file.

    python tests/benchmarks/pick_speed.py [--gigabytes 0.5] [--rounds 3] [--engines torch ...] [--folder DIR]

File: IBM floats, gathers of 120 traces x 1000 samples, in the page cache; the default picker with random weights. In
each round everybody has a turn; figures are medians over the rounds, ratios medians of the ratios within a round.
Core by core: what a worker of `seisray pick` does, from the file to parts on the disk, in a fresh process that has one
core and one thread, for each engine. `seisray pick`: its own figures, its workers' start included, with one worker on
one core and two on two, Ray beside them on the same cores. Peers (pick_peers.py): on one core, on the file's first
gathers, in a virtual environment that this makes in DIR. DIR needs room for the file.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from ingest_speed import SCRIPTS, fresh, made_folder, make_file
from pickable import write_picker

from seisray.config import BodyConfig, Engine, PickConfig
from seisray.heap import keep_heap
from seisray.ingest import IngestConfig
from seisray.picking.parts import write_part
from seisray.picking.picker import GatherPicker, weights_sha256
from seisray.picking.work import field_work
from seisray.registry import Store

N_TRACES = 120
PEER_GIGABYTES = 0.005
STAGES = ("reading", "network", "writing", "decoding and the rest")
ENGINES = get_args(Engine)


class Clock:
    """Add up the seconds that calls take, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the call, timed."""

        def timing(*args: Any, **settings: Any) -> Any:
            began_s = time.perf_counter()
            try:
                return call(*args, **settings)
            finally:
                self.seconds[name] += time.perf_counter() - began_s

        return timing


def work_of_one_core(file: str, folder: str, engine: str) -> dict[str, float]:
    """Pick a file in this process, on core 0; return traces a second, and the seconds of each stage."""
    os.sched_setaffinity(0, {0})
    torch.set_num_threads(1)
    keep_heap()
    store = Store(folder)
    work = field_work("line", [file], IngestConfig(), store)
    card, clock = store.model("p"), Clock()
    sha256 = weights_sha256(store, card)
    picker = GatherPicker(
        store, card, sha256=sha256, config=PickConfig(engine=engine), sample_interval_us=work.sample_interval_us
    )
    picker._predict = clock.timed("network", picker._predict)
    write, n_traces = clock.timed("writing", write_part), 0
    began_s = time.perf_counter()
    for number, shard in enumerate(work.shards):
        gathers, tables = work.gathers(number, []), []
        while (gather := clock.timed("reading", next)(gathers, None)) is not None:
            rows, reason = picker.rows(gather)
            if reason:
                raise RuntimeError(reason)
            tables.append(rows)
            n_traces += gather.n_traces
        write(store.folder("picks", engine), shard, "speed", tables)
    whole_s = time.perf_counter() - began_s
    clock.seconds["decoding and the rest"] = whole_s - sum(clock.seconds.values())
    return {"traces_per_s": n_traces / whole_s, **clock.seconds}


def pick_command(file: str, store: str, engine: str, workers: int) -> float:
    """Return the traces a second that `seisray pick` tells, on as many cores as workers."""
    store_, out = Store(store), f"{engine}-{workers}-{time.monotonic_ns()}"
    command = ["taskset", "-c", ",".join(map(str, range(workers))), str(SCRIPTS / "seisray"), "pick", file, "--json"]
    more = ["--model", "p", "--out", out, "--store", store, "--workers", str(workers), "--engine", engine]
    done = subprocess.run([*command, *more], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"seisray pick failed:\n{done.stderr[-3000:]}")
    picks = store_.picks(out)
    store_.folder("picks", out).delete()
    return picks.n_traces / picks.seconds


def peers(python: Path, file: Path, folder: Path) -> dict[str, float]:
    """Return the traces a second of the others, on core 0."""
    script = Path(__file__).with_name("pick_peers.py")
    done = subprocess.run(
        ["taskset", "-c", "0", python, script, file, str(N_TRACES), folder], capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"the peers failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def peers_python(folder: Path) -> Path:
    """Return a Python that has them, made once."""
    home = folder / "peers"
    if not home.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        wanted = ["torch==2.13.0+cpu", "torchvision==0.28.0", "first-breaks-picking==0.7.4", "onnx", "seisbench"]
        subprocess.run([home / "bin" / "pip", "install", "--quiet", *wanted], check=True)
    return home / "bin" / "python"


def table(rates: dict[str, list[float]], shares: dict[str, dict[str, float]]) -> Iterator[str]:
    """Yield the lines of a table; ratios are over the core's work with the first engine."""
    own = next(iter(rates.values()))
    yield "| traces/s | median (lowest-highest) | core by core / this | reading, network, writing, the rest |"
    yield "|---|---|---|---|"
    for name, found in rates.items():
        ratio = statistics.median(mine / one for mine, one in zip(own, found, strict=True))
        share = ", ".join(f"{shares[name][stage]:.0%}" for stage in STAGES) if name in shares else ""
        spread = f"{statistics.median(found):,.0f} ({min(found):,.0f}-{max(found):,.0f})"
        yield f"| {name} | {spread} | {ratio:.2f} | {share} |"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--folder", type=made_folder, help="for everything; the peers stay there (default: temporary)")
    options = parser.parse_args()
    os.environ.pop("RAY_ADDRESS", None)
    rates, stages = defaultdict(list), defaultdict(lambda: defaultdict(float))
    with tempfile.TemporaryDirectory(prefix="pick-speed-", dir=options.folder, ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch).resolve()
        python = peers_python((options.folder or folder).resolve())
        line, short, store = folder / "line.sgy", folder / "short.sgy", str(folder / "store")
        make_file(line, options.gigabytes, N_TRACES)
        make_file(short, PEER_GIGABYTES, N_TRACES)
        write_picker(Store(store), sample_interval_us=2000.0, body=BodyConfig())
        for number in range(1, options.rounds + 1):
            for engine in options.engines:
                name = f"core by core, {engine}"
                found = fresh(work_of_one_core, str(line), store, engine)
                rates[name].append(found["traces_per_s"])
                for stage in STAGES:
                    stages[name][stage] += found[stage]
                for workers in (1, 2):
                    told = pick_command(str(line), store, engine, workers)
                    rates[f"seisray pick, {engine}, {workers} on {workers}"].append(told)
            for name, rate in peers(python, short, folder).items():
                rates[name].append(rate)
            shown = ", ".join(f"{name} {found[-1]:,.0f}" for name, found in rates.items())
            print(f"round {number}: {shown}; load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    shares = {name: {stage: s / sum(found.values()) for stage, s in found.items()} for name, found in stages.items()}
    print("\n".join(table(rates, shares)))


if __name__ == "__main__":
    main()
