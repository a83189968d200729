"""What memory picking takes: a survey ten times larger than Ray's object store, in a hundred thousand gathers.

    python tests/benchmarks/pick_memory.py [--gathers 100000] [--workers 2] [--folder DIR]

Gathers of 12 traces x 330 samples, as int16; the default picker with random weights; Ray with the smallest object store
that it takes. Every second the memory that each process has for itself (USS) is looked at. Prints the largest of the
driver and of the workers, and the sum of all, in each quarter of the run, and what `seisray verify-picks` says.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import psutil
from ingest_speed import SCRIPTS, made_folder
from pickable import write_picker, write_survey

from seisray.config import BodyConfig
from seisray.gather import Gather
from seisray.registry import Store

N_TRACES, N_SAMPLES, SHARD_GATHERS = 12, 330, 500
OBJECT_STORE_BYTES = 80 << 20
ROLES = {"ShardPicker": "a worker", "seisray": "the driver"}


def gathers(n: int) -> Iterator[Gather]:
    """Yield gathers of noise in which something begins on each trace."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(64, N_TRACES, N_SAMPLES)).astype(np.float32)
    noise[np.arange(N_SAMPLES) < rng.integers(N_SAMPLES, size=(64, N_TRACES, 1))] *= 0.05
    about = {"survey": "line", "source_file": "line.sgy", "sample_interval_us": 1000.0}
    for ffid in range(1, n + 1):
        samples = noise[ffid % len(noise)]
        yield Gather(**about, gather_id=f"line-{ffid}", ffid=ffid, shot_point=ffid, samples=samples)


def memory(root: psutil.Process) -> dict[str, int]:
    """Return bytes: the largest process of each role, and the sum of all that descend from a process."""
    found: dict[str, int] = {"all": 0}
    for process in (root, *root.children(recursive=True)):
        try:
            size, name = process.memory_full_info().uss, " ".join(process.cmdline())
        except psutil.Error:  # it has ended
            continue
        role = next((role for mark, role in ROLES.items() if mark in name), "the rest of Ray")
        found[role] = max(found.get(role, 0), size)
        found["all"] += size
    return found


def watched(command: list[str], n_parts: int, parts: Path) -> Iterator[tuple[float, dict[str, int]]]:
    """Run a command; yield every second the share of the parts that are there and the memory of this process's tree."""
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while running.poll() is None:
        done = sum(1 for _ in parts.glob("part-*")) if parts.exists() else 0
        yield done / n_parts, memory(psutil.Process())
        time.sleep(1)
    if running.returncode:
        raise SystemExit(f"seisray pick ended with {running.returncode}")


def main() -> None:
    """Make the survey, pick it, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gathers", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=made_folder)
    options = parser.parse_args()
    os.environ["RAY_OBJECT_STORE_ALLOW_SLOW_STORAGE"] = "1"
    with tempfile.TemporaryDirectory(prefix="pm", dir=options.folder, ignore_cleanup_errors=True) as scratch:
        store = Store(str(Path(scratch).resolve() / "store"))
        survey = write_survey(store, gathers(options.gathers), shard_gathers=SHARD_GATHERS, encoding="int16")
        write_picker(store, body=BodyConfig())
        import ray

        address = ray.init(
            address="local",
            num_cpus=options.workers + 2,
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
        ).address_info["gcs_address"]
        os.environ["RAY_ADDRESS"] = address
        command = [str(SCRIPTS / "seisray"), "pick", "line", "--model", "p", "--out", "picks", "--store", str(store)]
        quarters: list[dict[str, int]] = [{} for _ in range(4)]
        parts = Path(store.folder("picks", "picks").path)
        began_s = time.monotonic()
        for share, found in watched([*command, "--workers", str(options.workers)], len(survey.shards), parts):
            quarter = quarters[min(int(4 * share), 3)]
            for role, size in found.items():
                quarter[role] = max(quarter.get(role, 0), size)
        seconds = time.monotonic() - began_s
        proof = subprocess.run(
            [str(SCRIPTS / "seisray"), "verify-picks", "picks", "--store", str(store), "--json"],
            capture_output=True,
            text=True,
            check=True,
        )
        n_bytes, faults = sum(shard["bytes"] for shard in survey.shards), json.loads(proof.stdout)["faults"]
        ray.shutdown()
    decoded = survey.n_traces * N_SAMPLES * 4
    print(
        f"{survey.n_gathers:,} gathers, {n_bytes / 1e6:,.0f} MB, {decoded / 1e6:,.0f} MB as float32; object store "
        f"{OBJECT_STORE_BYTES / 1e6:.0f} MB; {seconds:.0f} s; faults that verify-picks finds: {len(faults)}"
    )
    print("| largest, MB, by quarters of the run | 1st | 2nd | 3rd | 4th |\n|---|---|---|---|---|")
    for role in dict.fromkeys(role for quarter in quarters for role in quarter):
        print(f"| {role} | " + " | ".join(f"{quarter.get(role, 0) / 1e6:,.0f}" for quarter in quarters) + " |")


if __name__ == "__main__":
    main()
