"""Picks of a run that is disturbed at random, beside those of a calm one: every row must be the same.

    python tests/benchmarks/chaos_picks.py [--kills 20] [--shards 160] [--outage 30] [--seed 0]

A cluster of a head and two nodes on this machine picks a survey that lies in a real S3 server behind a proxy. Workers
are killed, nodes lost and replaced, the driver killed and started again with --resume, and the server is away for
`--outage` seconds. Prints a table; exit code 1 where the picks differ.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import psutil
from faulty_proxy import FaultyProxy
from ingest_speed import s3_server
from pickable import write_picker, write_survey
from ray.cluster_utils import Cluster

from seisray.config import BodyConfig
from seisray.gather import Gather
from seisray.registry import PickSet, Store

COMMAND = [sys.executable, "-c", "import sys; from seisray.cli import main; sys.exit(main(sys.argv[1:]))"]
KINDS = ("worker", "node", "driver", "server")
WORKER = "ShardPicker"
LONGEST_S = 3600


@dataclass
class Chaos:
    """Hold what runs, and what was done to it."""

    cluster: Cluster
    nodes: list[Any]
    proxy: FaultyProxy | None
    store: str
    rng: random.Random
    outage_s: float
    done: Counter[str] = field(default_factory=Counter)
    n_resumed: int = 0
    driver: subprocess.Popen[bytes] | None = None

    def start(self, out: str, *more: str) -> None:
        tokens = ["pick", "line", "--model", "p", "--out", out, "--store", self.store, "--workers", "2", *more]
        environment = os.environ | {"RAY_ADDRESS": self.cluster.address}
        self.driver = subprocess.Popen([*COMMAND, *tokens], env=environment, start_new_session=True)

    def disturb(self, kind: str, out: str) -> bool:
        """Do one thing to the run; return whether it could be done."""
        if kind == "worker":
            workers = list(busy_workers())
            if not workers:
                return False
            self.rng.choice(workers).kill()
        elif kind == "node":
            node = self.nodes.pop(self.rng.randrange(len(self.nodes)))
            self.cluster.remove_node(node, allow_graceful=False)
            self.nodes.append(new_node(self.cluster))
        elif kind == "driver":
            assert self.driver is not None
            os.killpg(self.driver.pid, signal.SIGKILL)
            self.driver.wait()
            self.n_resumed += 1
            self.start(out, "--resume")
        elif self.proxy is not None:
            self.proxy.outage(self.outage_s)
            time.sleep(self.outage_s)
        self.done[kind] += 1
        return True


def new_node(cluster: Cluster) -> Any:
    """Return a node added to the cluster; a busy machine may take more than the half minute that Ray gives it."""
    for _ in range(5):
        try:
            return cluster.add_node(num_cpus=1)
        except Exception as error:  # Ray has no narrower one for it
            print(f"a node did not start: {error}", file=sys.stderr)
    raise SystemExit("no node starts on this machine")


def busy_workers() -> Iterator[psutil.Process]:
    """Yield the processes of this machine's cluster, started by this process, that hold a picker."""
    for process in psutil.Process().children(recursive=True):
        try:
            if process.name().startswith("ray::") and WORKER in " ".join(process.cmdline()):
                yield process
        except psutil.Error:
            continue


def wait(chaos: Chaos) -> int:
    assert chaos.driver is not None
    return chaos.driver.wait(timeout=LONGEST_S)


def n_parts(place: Store, out: str) -> int:
    return sum(file.name.startswith("part-") for file in place.folder("picks", out).files())


def torment(chaos: Chaos, place: Store, out: str, kinds: list[str], n_shards: int) -> float:
    """Run one pick and disturb it as often as there are kinds, evenly over its parts; return its seconds."""
    started_s = time.monotonic()
    chaos.start(out)
    for number, kind in enumerate(kinds):
        wanted = max(int(n_shards * number / (len(kinds) + 1)), 1)
        while n_parts(place, out) < wanted or not chaos.disturb(kind, out):
            assert chaos.driver is not None
            if (code := chaos.driver.poll()) is not None:
                raise SystemExit(f"the run ended with {code} before disturbance {number + 1} ({kind})")
            time.sleep(0.1)
        print(f"{time.monotonic() - started_s:6.0f} s  {number + 1:>2}  {kind}", file=sys.stderr, flush=True)
    if code := wait(chaos):
        raise SystemExit(f"the run failed with {code}")
    return time.monotonic() - started_s


def differences(place: Store, one: str, other: str) -> tuple[int, int]:
    """Return how many parts two sets have that differ in any byte, and how many parts there are."""
    sets: list[PickSet] = [place.picks(name) for name in (one, other)]
    parts = [{part["shard"]: part["xxh3"] for part in found.parts} for found in sets]
    files = [
        {part["shard"]: (place.folder("picks", found.name) / part["uri"]).read_bytes() for part in found.parts}
        for found in sets
    ]
    shards = parts[0].keys() | parts[1].keys()
    same = sum(parts[0].get(s) == parts[1].get(s) and files[0].get(s) == files[1].get(s) for s in shards)
    return len(shards) - same, len(shards)


def shots(n: int, n_samples: int, seed: int) -> list[Gather]:
    """Return n gathers of 48 traces: noise, in which something begins on each trace."""
    rng = np.random.default_rng(seed)
    found = []
    for ffid in range(1, n + 1):
        samples = rng.normal(size=(48, n_samples)).astype(np.float32)
        samples[np.arange(n_samples) < np.sort(rng.integers(n_samples, size=48))[:, None]] *= 0.05
        name = {"survey": "line", "gather_id": f"line-{ffid}", "source_file": "line.sgy"}
        found.append(Gather(**name, ffid=ffid, shot_point=ffid, sample_interval_us=1000.0, samples=samples))
    return found


@contextmanager
def server(folder: Path, *, on_s3: bool) -> Iterator[str]:
    """Yield the URI of a store, on the disk or on a real S3 server."""
    if not on_s3:
        yield str(folder / "store")
        return
    (folder / "s3").mkdir()
    with s3_server(folder / "s3") as bucket:
        yield f"{bucket}/store"


def compare(
    place: Store, proxy: FaultyProxy | None, kinds: list[str], *, n_shards: int, outage_s: float, seed: int
) -> dict[str, Any]:
    """Pick the survey calmly and in chaos; return figures of both."""
    store = str(place)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        nodes = [new_node(cluster) for _ in range(2)]
        chaos = Chaos(
            cluster=cluster, nodes=nodes, proxy=proxy, store=store, rng=random.Random(seed), outage_s=outage_s
        )
        started_s = time.monotonic()
        chaos.start("calm")
        if code := wait(chaos):
            raise SystemExit(f"the calm run failed with {code}")
        calm_s = time.monotonic() - started_s
        disturbed_s = torment(chaos, place, "disturbed", kinds, n_shards)
        n_different, n = differences(place, "calm", "disturbed")
        picks = place.picks("disturbed")
        proof = subprocess.run(
            [*COMMAND, "verify-picks", "disturbed", "--store", store, "--json"],
            env=os.environ | {"RAY_ADDRESS": cluster.address},
            capture_output=True,
            text=True,
            check=False,
        )
        faults = json.loads(proof.stdout)["faults"] if proof.stdout else [proof.stderr]
    finally:
        cluster.shutdown()
    return {
        "disturbances": dict(chaos.done),
        "runs_of_the_driver": 1 + chaos.n_resumed,
        "traces": picks.n_traces,
        "parts": n,
        "parts_that_differ": n_different,
        "faults": faults,
        "calm_s": round(calm_s, 1),
        "disturbed_s": round(disturbed_s, 1),
    }


def chosen(kills: int, seed: int) -> list[str]:
    """Return as many kinds in random order, each at least once where there is room."""
    rng = random.Random(seed)
    kinds = [*KINDS[:kills], *rng.choices(KINDS, weights=(8, 4, 4, 2), k=max(kills - len(KINDS), 0))]
    rng.shuffle(kinds)
    return kinds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, help="do these, in this order, instead of --kills")
    parser.add_argument("--shards", type=int, default=160, help="of two gathers of 48 traces each")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--outage", type=float, default=30.0)
    parser.add_argument("--local", action="store_true", help="store on the disk, no server")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    kinds = given.kinds or chosen(given.kills, given.seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sr", ignore_cleanup_errors=True)))
        place = Store(stack.enter_context(server(folder, on_s3=not given.local)))
        write_survey(place, shots(2 * given.shards, given.samples, given.seed))
        write_picker(place, body=BodyConfig())
        proxy = None
        if not given.local:  # what is started from now on goes through the proxy, this process stays as it is connected
            proxy = stack.enter_context(FaultyProxy(urlsplit(os.environ["AWS_ENDPOINT_URL"]).port or 0))
            os.environ["AWS_ENDPOINT_URL"] = proxy.url
        kinds = [kind for kind in kinds if proxy or kind != "server"]
        found = compare(place, proxy, kinds, n_shards=given.shards, outage_s=given.outage, seed=given.seed)
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name.replace('_', ' '):<22} {value}")
    sys.exit(bool(found["parts_that_differ"] or found["faults"]))


if __name__ == "__main__":
    main()
