"""A run that goes wrong once goes back, ends well, and remembers so when a worker is lost afterwards."""

import dataclasses
import json
import math
import os
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import torch

from seisray.config import BodyConfig, GanConfig, GeneratorConfig, PanelConfig, TrainConfig
from seisray.registry import Model
from seisray.training import pretrain
from seisray.training.loop import pretrain_loop
from seisray.training.pretrain import pretrain_gan

CONFIG = GanConfig(
    panel=PanelConfig(traces=8, samples=32),
    body=BodyConfig(channels=(2, 2, 2, 2)),
    generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2)),
    train=TrainConfig(steps=8, batch=4, workers=1, log_every=1, checkpoint_every=3),
    measured=0,
)
STEPS = list(range(1, CONFIG.train.steps + 1))


def disturbed_run(
    store: Path, model: str, marks: Path, monkeypatch: pytest.MonkeyPatch, *, lost_at: int | None = None
) -> Model:
    """Train a GAN whose fifth batch is broken the first time that it is read; lost_at: then the worker dies there."""
    marks.mkdir()

    def once(mark: Path) -> bool:  # nested, as all that a worker needs and cannot import
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def loop(job: dict[str, Any]) -> None:
        from seisray.training import loop as module

        plain = module.WAYS["gan"]

        class Disturbed(plain.step):  # type: ignore[name-defined, misc]
            def __call__(self, real: Any) -> Any:
                if self.step == 4 and once(marks / "broken"):
                    real = real * math.nan
                if self.step == lost_at and (marks / "broken").exists() and once(marks / "lost"):
                    os._exit(1)
                return super().__call__(real)

        module.WAYS = MappingProxyType({"gan": dataclasses.replace(plain, step=Disturbed)})
        pretrain_loop(job)

    monkeypatch.setattr(pretrain, "pretrain_loop", loop)
    return pretrain_gan(["tiny"], model=model, store=str(store), config=CONFIG)


def last_state(run: Path) -> dict[str, Any]:
    """Return what is in the last checkpoint of a run."""
    *_, last = sorted(run.glob("checkpoint_*/state.pt"))
    state: dict[str, Any] = torch.load(last, weights_only=True)
    return state


@pytest.mark.timeout(600)
def test_one_broken_batch_costs_the_steps_since_the_last_checkpoint_and_nothing_else(
    tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    card = disturbed_run(tiny_store, "mended", tmp_path / "mended", monkeypatch)
    (alarm,) = card.details["alarms"]
    assert (alarm["step"], alarm["fault"], alarm["action"]) == (5, "broken", "rollback")
    run = tiny_store / "runs" / "pretrain" / "mended-v1"
    assert json.loads((run / "alarms.json").read_text()) == [alarm]
    assert "step 5: broken: " in capfd.readouterr().err
    assert [row["step"] for row in card.details["history"]] == STEPS
    assert all(math.isfinite(figure) for row in card.details["history"] for figure in row.values())
    state = last_state(run)
    assert state["opt_d"]["param_groups"][0]["lr"] == CONFIG.adversary.d_lr / 2
    assert all(torch.isfinite(value).all() for value in state["generator"].values())

    lost = disturbed_run(tiny_store, "lost", tmp_path / "lost", monkeypatch, lost_at=4)
    assert (tmp_path / "lost" / "lost").exists(), "no worker was lost"
    assert lost.details["resumed_at"] == [3]
    assert lost.details["alarms"] == [alarm], "the rollback was forgotten"
    assert [row["d_loss"] for row in lost.details["history"]] == [row["d_loss"] for row in card.details["history"]]
