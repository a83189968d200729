"""Runs on a cluster of several nodes on this machine, some of which are lost; called by a test, prints JSON.

A process of its own: Ray's sessions do not share one. Arguments: a store that holds the survey "tiny".
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from seisray.config import BodyConfig, GanConfig, GeneratorConfig, PanelConfig, TrainConfig
from seisray.errors import SeisrayError
from seisray.session import connect
from seisray.training.pretrain import pretrain_gan

STEPS, EVERY = 1500, 20  # 600 are over on a fast machine before Ray knows of a checkpoint
SETTLED_S = 5.0  # Ray's controller looks for new checkpoints every few seconds only


def config(**train: Any) -> GanConfig:
    return GanConfig(
        panel=PanelConfig(traces=8, samples=32),
        body=BodyConfig(channels=(2, 2, 2, 2)),
        generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2)),
        train=TrainConfig(steps=STEPS, checkpoint_every=EVERY, log_every=1, batch=4, workers=2, **train),
        measured=0,
    )


def run(store: Path, model: str, settings: GanConfig) -> dict[str, Any]:
    """Return what a run came to."""
    try:
        card = pretrain_gan(["tiny"], model=model, store=str(store), config=settings)
    except SeisrayError as error:
        return {"error": str(error)}
    losses = [(row["step"], row.get("d_loss", row.get("repair")), row.get("g_loss")) for row in card.details["history"]]
    return {"losses": losses, "resumed_at": card.details["resumed_at"]}


def losing(
    cluster: Cluster, node: Any, store: Path, model: str, settings: GanConfig, *, replace: bool
) -> dict[str, Any]:
    """Return what a run came to whose node is killed once Ray knows a checkpoint; replace: add one in its place."""
    with ThreadPoolExecutor(1) as beside:  # nodes are added by the main thread: they install signal handlers
        outcome = beside.submit(run, store, model, settings)
        while not (outcome.done() or list((store / "runs" / "pretrain").glob(f"{model}-v1/checkpoint_*/state.pt"))):
            time.sleep(0.05)
        time.sleep(SETTLED_S)
        assert not outcome.done(), "the run was over before a node was lost"
        cluster.remove_node(node, allow_graceful=False)
        if replace:
            cluster.add_node(num_cpus=1)
        return outcome.result()


def main(store: Path) -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    os.environ["RAY_ADDRESS"] = cluster.address
    connect()  # to the head, as a submitted job would: all nodes are at one address, and who joins later gets any
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    found = {"calm": run(store, "calm", config())}
    found["replaced"] = losing(cluster, nodes[0], store, "replaced", config(), replace=True)
    found["fewer"] = losing(cluster, nodes[1], store, "fewer", config(least_workers=1), replace=False)
    found["hopeless"] = run(store, "hopeless", config(wait_s=45))
    print(json.dumps(found))
    sys.stdout.flush()
    ray.shutdown()  # a cluster does not end while its driver is joined to its head
    cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
