"""A training worker that is killed in the middle of a run, which goes on by itself to the same generator."""

import time
from pathlib import Path

import psutil
import pytest
from killing import check_same_weights
from test_killed_driver import EVERY, STEPS, card, pretrain, started

from seisray.cli import main

WORKER = "RayTrainWorker"
SETTLED_S = 5.0  # Ray's controller looks for new checkpoints every few seconds only


def training_workers(driver: psutil.Process) -> list[psutil.Process]:
    """Return the workers that train for a command."""
    found = []
    for process in driver.children(recursive=True):
        try:
            found += [process] if any(WORKER in word for word in process.cmdline()) else []
        except psutil.NoSuchProcess:
            continue
    return found


def longer(words: list[str]) -> list[str]:
    """Return the words of a run that is not over before Ray knows of its checkpoints."""
    steps, every = f"--train.steps={STEPS}", f"--train.checkpoint-every={EVERY}"
    other = {steps: "--train.steps=240", every: "--train.checkpoint-every=10"}
    return [other.get(word, word) for word in words]


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_run_whose_worker_was_killed_publishes_the_weights_of_a_calm_one(tiny_store: Path) -> None:
    run = started(longer(pretrain(tiny_store, "bereft")))
    try:
        deadline_s = time.monotonic() + 300
        folder = tiny_store / "runs" / "pretrain" / "bereft-v1"
        while not (made := sorted(folder.glob("checkpoint_*/state.pt"))):
            assert run.poll() is None, "the run ended before a worker could be killed"
            assert time.monotonic() < deadline_s, "no checkpoint in 300 s"
            time.sleep(0.02)
        time.sleep(SETTLED_S)
        assert made[0] != sorted(folder.glob("checkpoint_*/state.pt"))[-1]
        victim, *_ = training_workers(psutil.Process(run.pid))
        victim.kill()
        assert run.wait(300) == 0
    finally:
        run.kill()
    assert main(longer(pretrain(tiny_store, "calm-workers"))) == 0

    bereft, calm = (card(tiny_store, model)["details"] for model in ("bereft", "calm-workers"))
    assert bereft["resumed_at"], "no worker was lost"
    assert bereft["history"][-1]["step"] == calm["history"][-1]["step"]
    assert [row.get("d_loss") for row in bereft["history"]] == [row.get("d_loss") for row in calm["history"]]
    check_same_weights(str(tiny_store), "bereft", "calm-workers")
