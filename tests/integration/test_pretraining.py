"""Runs of `seisray pretrain` under Ray Train: the rivals of the GAN, alarms, another number of workers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from killing import kill_at_checkpoint
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seisray.config import (
    BodyConfig,
    GanConfig,
    GeneratorConfig,
    InpaintConfig,
    PanelConfig,
    PickerConfig,
    PickerPanelConfig,
    RebuildTrainConfig,
    TrainConfig,
    WatchConfig,
)
from seisray.errors import TrainingError
from seisray.registry import Store
from seisray.stream import read_labelled
from seisray.training.finetune import with_body_of
from seisray.training.picker import PickerStep
from seisray.training.pretrain import pretrain_gan, pretrain_inpaint
from seisray.weights import BODY_OF, load_weights

PANEL = PanelConfig(traces=8, samples=32)
BODY = BodyConfig(channels=(2, 2, 2, 2))
COMMAND = [sys.executable, "-c", "import sys; from seisray.cli import main; sys.exit(main(sys.argv[1:]))"]


def last_state(run: Path) -> dict[str, Any]:
    """Return what is in the last checkpoint of a run's folder."""
    *_, last = sorted(run.glob("checkpoint_*/state.pt"))
    state: dict[str, Any] = torch.load(last, weights_only=True)
    return state


def test_what_finds_repairs_becomes_a_picker(tiny_store: Path) -> None:
    config = InpaintConfig(
        panel=PANEL,
        body=BODY,
        held_out=0.3,
        train=RebuildTrainConfig(steps=3, batch=2, workers=1, checkpoint_every=3),
    )
    card = pretrain_inpaint(["tiny"], model="found", store=str(tiny_store), config=config)
    assert card.kind == "inpaint"
    assert 0 < card.metrics["d_accuracy"] < 1
    assert card.details["costs"]["detector"]["parameters"] > 0
    events = EventAccumulator(str(tiny_store / "runs" / "pretrain" / "found-v1" / "tensorboard")).Reload()
    assert {"held_out_error", *card.metrics} <= set(events.Tags()["scalars"])
    assert (tiny_store / "models" / "found" / "v1" / "rebuilt.png").read_bytes().startswith(b"\x89PNG")
    store = Store(str(tiny_store))
    config, parent = with_body_of(store, "found", PickerConfig(panel=PickerPanelConfig(traces=8, samples=32)))
    assert parent == "found@v1"
    assert config.body == BODY
    learned = load_weights(store, card, BODY_OF["inpaint"])
    step = PickerStep(config, read_labelled(store, [store.survey("tiny")], None), body=learned)
    assert step(2)["loss"] > 0


def test_a_run_that_goes_wrong_goes_back_and_in_the_end_stops(
    tiny_store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = GanConfig(
        panel=PANEL,
        body=BODY,
        generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2)),
        train=TrainConfig(steps=8, batch=4, workers=2, log_every=1, checkpoint_every=2),
        watch=WatchConfig(collapse="rollback", collapse_ratio=1.0, rollbacks=2),  # such a generator is never as diverse
    )
    with pytest.raises(TrainingError, match=r"run 'poor-v1' was stopped at step 2: collapse: .*, after 2 rollbacks"):
        pretrain_gan(["tiny"], model="poor", store=str(tiny_store), config=config)
    alarms = json.loads((tiny_store / "runs" / "pretrain" / "poor-v1" / "alarms.json").read_text())
    assert [(alarm["step"], alarm["action"]) for alarm in alarms] == [(2, "rollback"), (2, "rollback"), (2, "stop")]
    state = last_state(tiny_store / "runs" / "pretrain" / "poor-v1")
    assert state["salt"] == 2
    assert state["opt_d"]["param_groups"][0]["lr"] == pytest.approx(config.adversary.d_lr / 4)  # lower at each rollback
    assert [row["step"] for row in state["history"]] == [1, 2]
    assert "step 2: collapse" in capfd.readouterr().err
    assert "poor" not in Store(str(tiny_store)).names("models")


@pytest.mark.timeout(900)
@pytest.mark.chaos
def test_a_run_goes_on_with_another_number_of_workers(tiny_store: Path) -> None:
    settings = [
        "--panel.traces=8",
        "--panel.samples=32",
        "--train.batch=4",
        "--train.checkpoint-every=4",
        "--train.steps=80",
    ]
    command = [*COMMAND, "pretrain", "masked", "tiny", "--model", "fewer", "--store", str(tiny_store), *settings]
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    run = tiny_store / "runs" / "pretrain" / "fewer-v1"
    kill_at_checkpoint(subprocess.Popen([*command, "--train.workers=2"], env=environment, start_new_session=True), run)
    assert subprocess.run([*command, "--train.workers=1"], env=environment).returncode == 0
    card = Store(str(tiny_store)).model("fewer")
    (resumed_at,) = card.details["resumed_at"]
    assert resumed_at > 0
    assert resumed_at % 4 == 0
    assert card.details["history"][-1]["step"] == 80
