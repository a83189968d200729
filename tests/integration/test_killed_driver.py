"""A driver that is killed in the middle of training, and the same command again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from killing import check_same_weights, kill_at_checkpoint

from seisray.cli import main

STEPS, EVERY = 12, 2
SETTINGS = (
    f"--train.steps={STEPS}",
    f"--train.checkpoint-every={EVERY}",
    "--train.log-every=1",
    "--train.batch=4",
    "--train.workers=2",
    "--panel.traces=8",
    "--panel.samples=32",
    "--body.channels=2",
    "2",
    "2",
    "2",
)
COMMAND = [sys.executable, "-c", "import sys; from seisray.cli import main; sys.exit(main(sys.argv[1:]))"]


def pretrain(store: Path, model: str) -> list[str]:
    """Return the words of the command."""
    return ["pretrain", "gan", "tiny", "--model", model, "--store", str(store), *SETTINGS]


def started(words: list[str]) -> subprocess.Popen[bytes]:
    """Start the command in a session of its own, without the Ray that the tests share."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    return subprocess.Popen([*COMMAND, *words], env=environment, start_new_session=True)


def card(store: Path, model: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store / "models" / model / "v1" / "model.json").read_text())
    return found


@pytest.mark.timeout(900)
def test_the_same_command_goes_on_from_the_last_checkpoint_to_the_same_weights(tiny_store: Path) -> None:
    victim = started(pretrain(tiny_store, "killed"))
    run = tiny_store / "runs" / "pretrain" / "killed-v1"
    kill_at_checkpoint(victim, run)
    assert not (tiny_store / "models" / "killed").exists(), "a killed run must not publish a model"

    assert main(pretrain(tiny_store, "killed")) == 0  # in the Ray that the tests share, which was there all along
    assert main(pretrain(tiny_store, "calm")) == 0

    killed, calm = (card(tiny_store, model)["details"] for model in ("killed", "calm"))
    assert killed["resumed_at"], "the second run began anew"
    assert killed["resumed_at"][0] % EVERY == 0
    assert calm["resumed_at"] == []
    assert [row["step"] for row in killed["history"]] == list(range(1, STEPS + 1))
    losses = [[row.get("d_loss", row.get("repair")) for row in run["history"]] for run in (killed, calm)]
    assert losses[0] == losses[1]
    check_same_weights(str(tiny_store), "killed", "calm")


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_a_validated_picker_is_the_same_whether_its_run_was_killed_or_not(tiny_store: Path) -> None:
    def finetune(model: str) -> list[str]:
        train = ["--train.steps=80", "--train.batch=4", "--train.workers=2", "--train.checkpoint-every=4"]
        careful = ["--validation.share=0.3", "--validation.every=3", "--transfer.ema=0.9", "--transfer.lr=0.02"]
        settings = ["--calibrate", *careful, *train, "--panel.traces=8", "--panel.samples=32"]
        return ["finetune", "tiny", "--from", "scratch", "--model", model, "--store", str(tiny_store), *settings]

    kill_at_checkpoint(started(finetune("hurt")), tiny_store / "runs" / "finetune" / "hurt-v1")
    assert not (tiny_store / "models" / "hurt").exists()
    assert main(finetune("hurt")) == 0
    assert main(finetune("unhurt")) == 0

    hurt, unhurt = (card(tiny_store, model) for model in ("hurt", "unhurt"))
    assert hurt["details"]["history"] == unhurt["details"]["history"]
    assert hurt["details"]["validation"] == unhurt["details"]["validation"]
    assert hurt["metrics"] == unhurt["metrics"]
