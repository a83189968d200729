"""What a worker does when its run goes wrong: back to the last good checkpoint, and on from there to a good end.

Ray is played by the test: it keeps the checkpoints reported, and starts a worker that was lost again from the last one.
"""

import base64
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from seisray.config import (
    AdversaryConfig,
    BodyConfig,
    GanConfig,
    GeneratorConfig,
    KeepConfig,
    PanelConfig,
    RefineConfig,
    RefinerConfig,
    TrainConfig,
    WatchConfig,
)
from seisray.stream import cut_live, cut_with_breaks
from seisray.training import loop
from seisray.training.checkpoint import load_checkpoint
from seisray.training.journal import Journal

CONFIG = GanConfig(
    panel=PanelConfig(traces=8, samples=32),
    body=BodyConfig(channels=(2, 2, 2, 2)),
    generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2)),
    adversary=AdversaryConfig(judge="unet", loss="bce", r1=0.3, augment=0),
    train=TrainConfig(steps=20, batch=4, workers=1, log_every=1, checkpoint_every=3, precision="fp32"),
    watch=WatchConfig(collapse="off"),  # a generator this small has hardly begun
)


DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
"""A picture of one pixel, since drawing takes longer than training here."""


class WorkerLostError(Exception):
    """The worker is gone."""


class Cluster:
    """Run `pretrain_loop` in this process. broken, lost: steps that meet a broken batch or a lost worker, once each."""

    def __init__(self, folder: Path, *, broken: dict[int, float] | None = None, lost: tuple[int, ...] = ()) -> None:
        self.folder = folder
        self.broken, self.lost = dict(broken or {}), list(lost)
        self.said: list[str] = []
        self.checkpoints: list[Any] = []
        self.steps: list[int] = []
        self.seeds: list[int] = []
        self.journals: list[Journal] = []

    def panel_batches(self, *_: Any, first_step: int, steps: int, seed: int, cut: Any, **__: Any) -> Iterator[Any]:
        self.seeds.append(seed)
        if cut.func is cut_with_breaks:
            for step in range(first_step, steps):
                panels = np.random.default_rng(1000 + step).normal(size=(4, 8, 33)).astype(np.float32)
                panels[..., -1] = 16
                yield panels
            return
        for step in range(first_step, steps):
            self.steps.append(step)
            if step in self.lost and not self.broken:
                self.lost.remove(step)
                raise WorkerLostError
            panels = np.random.default_rng(step).normal(size=(4, 8, 32)).astype(np.float32)
            yield panels * np.float32(self.broken.pop(step, 1.0))

    def open_journal(self, *about: Any) -> Journal:
        self.journals.append(Journal(*about))
        return self.journals[-1]

    def report(self, metrics: dict[str, float], checkpoint: Any, checkpoint_upload_fn: Callable[..., Any]) -> None:
        self.checkpoints.append(checkpoint_upload_fn(checkpoint, f"checkpoint_{len(self.checkpoints):03}"))

    @property
    def state(self) -> dict[str, Any]:
        return load_checkpoint(self.checkpoints[-1])

    def run(self, monkeypatch: pytest.MonkeyPatch, config: GanConfig = CONFIG) -> dict[str, Any]:
        """Train to the end, with as many restarts as it takes; return the last checkpoint's state."""
        train = loop.ray.train
        context = SimpleNamespace(get_world_rank=lambda: 0, get_world_size=lambda: 1)
        monkeypatch.setattr(train, "get_context", lambda: context)
        monkeypatch.setattr(train, "get_checkpoint", lambda: self.checkpoints[-1] if self.checkpoints else None)
        monkeypatch.setattr(train, "report", self.report)
        monkeypatch.setattr(train.torch, "get_device", lambda: "cpu")
        monkeypatch.setattr(train.torch, "prepare_model", lambda module: module)
        monkeypatch.setattr(loop, "panel_batches", self.panel_batches)
        field = np.random.default_rng(0).normal(size=(8, 8, 32)).astype(np.float32)
        labelled = np.pad(field, ((0, 0), (0, 0), (0, 1)), constant_values=16)
        monkeypatch.setattr(loop, "reference_panels", lambda *_, cut: field if cut.func is cut_live else labelled)
        monkeypatch.setattr(loop, "open_trackers", lambda *_: [])
        monkeypatch.setattr(loop, "png_bytes", lambda _: DOT)
        monkeypatch.setattr(loop, "Journal", self.open_journal)
        silent, tell = SimpleNamespace(remote=lambda *_: None), SimpleNamespace(remote=self.said.append)
        board = SimpleNamespace(put=silent, tell=tell)
        two = {"kind": "refiner", "synthetic": [], "factors": {("line", 1000.0): 1.0}}
        job = {"kind": "gan", "config": config, "refs": [], "folder": str(self.folder / "run"), "board": board}
        job |= two if isinstance(config, RefineConfig) else {}
        while True:
            try:
                loop.pretrain_loop(job)
            except WorkerLostError:
                self.journals[-1]._events.close()  # as the end of its process would
                self.journals[-1]._local.cleanup()
                continue
            return self.state


def losses(state: dict[str, Any]) -> list[tuple[float, float, float]]:
    return [(row["step"], row.get("d_loss", row.get("repair")), row.get("g_loss")) for row in state["history"]]


def test_one_broken_batch_takes_the_run_back_and_the_run_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(tmp_path, broken={4: math.nan})
    state = cluster.run(monkeypatch)
    assert cluster.steps == [0, 1, 2, 3, 4, *range(3, 20)]
    (alarm,) = state["alarms"]
    assert (alarm["step"], alarm["fault"], alarm["action"]) == (5, "broken", "rollback")
    assert json.loads((tmp_path / "run" / "alarms.json").read_text()) == [alarm]
    (said,) = cluster.said
    assert said.startswith("step 5: broken: ")
    assert [step for step, _, _ in losses(state)] == list(range(1, 21))
    assert all(math.isfinite(figure) for row in state["history"] for figure in row.values())
    assert all(torch.isfinite(value).all() for value in state["averaged"].values())
    assert state["salt"] == 1
    assert state["opt_d"]["param_groups"][0]["lr"] == CONFIG.adversary.d_lr / 2


def test_an_exploding_gradient_in_one_step_takes_the_run_back_where_it_shall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = GanConfig(
        **{name: getattr(CONFIG, name) for name in ("panel", "body", "generator", "adversary", "train")},
        watch=WatchConfig(explosion="rollback", explosion_factor=30, collapse="off"),
    )
    state = Cluster(tmp_path, broken={14: 1e6}).run(monkeypatch, config)
    (alarm,) = state["alarms"]
    assert (alarm["step"], alarm["fault"], alarm["action"]) == (15, "explosion", "rollback")
    assert [step for step, _, _ in losses(state)] == list(range(1, 21))
    assert state["salt"] == 1


WARNED = replace(CONFIG, watch=WatchConfig(explosion="warn", explosion_factor=30, collapse="off"))


def test_a_checkpoint_of_a_run_in_trouble_is_none_to_go_back_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(tmp_path, broken={14: 1e6, 16: math.nan})
    state = cluster.run(monkeypatch, WARNED)
    assert [(alarm["step"], alarm["action"]) for alarm in state["alarms"]] == [(15, "warn"), (17, "rollback")]
    assert cluster.steps == [*range(17), *range(12, 20)]
    assert [step for step, _, _ in losses(state)] == list(range(1, 21))


def test_a_worker_lost_in_trouble_goes_on_from_its_last_step_and_still_knows_what_was_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Cluster(tmp_path / "first", broken={14: 1e6})
    first.run(monkeypatch, WARNED)
    in_trouble = [one for one in first.checkpoints if load_checkpoint(one)["step"] == 15]
    again = Cluster(tmp_path / "again", broken={15: math.nan})
    again.checkpoints = in_trouble
    again.run(monkeypatch, WARNED)
    assert again.steps == [15, *range(12, 20)]


def test_a_run_that_went_back_meets_other_panels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(tmp_path, broken={4: math.nan}, lost=(6,))
    cluster.run(monkeypatch)
    first, aside, resumed = cluster.seeds
    assert first == CONFIG.train.seed != aside
    assert resumed == aside


def test_a_gradient_that_explodes_between_two_looks_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rare = replace(CONFIG.train, steps=26, log_every=2)
    config = replace(CONFIG, train=rare, watch=WatchConfig(explosion_factor=30, collapse="off"))
    state = Cluster(tmp_path, broken={22: 1e6}).run(monkeypatch, config)
    assert [(alarm["step"], alarm["fault"]) for alarm in state["alarms"]] == [(24, "explosion")]


def test_a_worker_lost_after_a_rollback_does_not_undo_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = Cluster(tmp_path / "calm", broken={4: math.nan}).run(monkeypatch)
    cluster = Cluster(tmp_path / "lost", broken={4: math.nan}, lost=(3,))
    state = cluster.run(monkeypatch)
    assert state["resumed_at"] == [3]
    assert cluster.steps == [0, 1, 2, 3, 4, 3, *range(3, 20)]
    assert state["alarms"] == undisturbed["alarms"]
    assert state["salt"] == 1
    assert losses(state) == losses(undisturbed)


def test_a_rollback_before_the_first_checkpoint_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(tmp_path, broken={1: math.nan}, lost=(2,))
    state = cluster.run(monkeypatch)
    assert (state["resumed_at"], state["salt"], len(state["alarms"])) == ([0], 1, 1)


def test_the_watchdog_of_a_run_that_goes_on_knows_what_was_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(tmp_path, lost=(18,))
    state = cluster.run(monkeypatch)
    assert state["resumed_at"] == [18]
    assert len(state["watchdog"]["norms"]["d_gradient"]) == 20


def test_the_clock_times_what_lies_between_two_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    now = SimpleNamespace(s=0.0)

    def batches() -> Iterator[Any]:
        for wait_s in (100.0, 1.0, 1.0, 0.5):  # the first one is the stream's start
            now.s += wait_s
            yield np.empty(0)

    monkeypatch.setattr(loop.time, "perf_counter", lambda: now.s)
    clock = loop.Clock(batches())
    for _ in range(2):
        next(clock)
        now.s += 4.0  # the step
    clock.pause()
    assert (clock.step_ms, clock.wait_share) == pytest.approx((4500.0, 1 / 9))
    now.s += 1000.0  # a checkpoint
    for _ in range(2):
        next(clock)
        now.s += 2.0
    clock.pause()
    assert (clock.step_ms, clock.wait_share) == pytest.approx((2750.0, 1.5 / 5.5)), "and nothing from before"


def test_a_run_of_field_and_synthetic_panels_goes_on_exactly_where_its_worker_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RefineConfig(
        panel=CONFIG.panel,
        body=CONFIG.body,
        refiner=RefinerConfig(channels=2, apart=(1,)),
        keep=KeepConfig(window=4, stack=4, history=4),
        train=CONFIG.train,
        watch=CONFIG.watch,
    )
    straight = Cluster(tmp_path / "straight").run(monkeypatch, config)
    lost = Cluster(tmp_path / "lost", lost=(8, 14))
    resumed = lost.run(monkeypatch, config)
    assert resumed["resumed_at"] == [6, 12]
    assert losses(resumed) == losses(straight)
    assert len(resumed["earlier"]["panels"]) == 4
    for one, other in zip(resumed["earlier"]["panels"], straight["earlier"]["panels"], strict=True):
        assert torch.equal(one, other)
