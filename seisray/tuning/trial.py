"""One trial: a training run with the settings that were drawn, which tells Ray Tune what it reaches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import ray
import ray.train
from ray import tune
from ray.tune.integration.ray_train import TuneReportCallback
from ray.util.placement_group import get_current_placement_group

from seisray.config import GanConfig, PickerConfig, WatchConfig
from seisray.errors import SeisrayError
from seisray.registry import Store
from seisray.storage import Location
from seisray.training.finetune import picker_job, picker_loop, with_body_of
from seisray.training.loop import pretrain_loop
from seisray.training.run import Board, Run
from seisray.training.validation import hold_out
from seisray.tuning.spaces import gan_config, picker_config

Loop = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What all trials of a search share.

    folder: of the study. job: what the training loop needs besides settings. leftovers: frees what stopped trials held.
    """

    store: str
    folder: Location
    metric: str
    config: Any
    leftovers: Any
    job: dict[str, Any] = field(default_factory=dict)


def gan_trial(suggested: dict[str, Any], plan: Plan) -> None:
    """Pre-train a GAN."""
    with _failing_softly(plan.metric):
        drawn: GanConfig = gan_config(plan.config, suggested["drawn"])
        # A trial that goes wrong reports that as its figures: the search needs them, and time is for the others.
        config = replace(drawn, watch=WatchConfig(broken="warn"))
        _train(suggested["run"], plan, config, pretrain_loop, plan.job | {"kind": "gan", "config": config})


def picker_trial(suggested: dict[str, Any], plan: Plan) -> None:
    """Fine-tune a picker."""
    with _failing_softly(plan.metric):
        store = Store(plan.store)
        drawn: PickerConfig = picker_config(plan.config, suggested["drawn"])
        config, parent = with_body_of(store, suggested["drawn"]["source"], drawn)
        job = picker_job(store, config, parent, *hold_out(ray.get(plan.job["gathers"]), config.validation.share))
        _train(suggested["run"], plan, config, picker_loop, job | {"scored": plan.job["scored"]})


def _train(name: str, plan: Plan, config: Any, loop: Loop, job: dict[str, Any]) -> None:
    run = Run(store=Store(plan.store), kind="tune", name=name, train=config.train, home=plan.folder / "trials")
    board = Board.remote()  # type: ignore[attr-defined]
    plan.leftovers.watch.remote(name, ray.get_runtime_context().current_actor)
    more = {"folder": run.folder.uri, "board": board, "loop": loop, "run": name, "leftovers": plan.leftovers}
    result = run.fit(_registered_loop, job | more, callbacks=[TuneReportCallback()])
    # A run that was over when its search was interrupted reports nothing more by itself.
    tune.report({**(result.metrics or {}), "checkpoint_path": result.checkpoint.path if result.checkpoint else ""})


def _registered_loop(job: dict[str, Any]) -> None:
    """Say what this worker holds, then train."""
    if ray.train.get_context().get_world_rank() == 0:
        ray.get(job["leftovers"].hold.remote(job["run"], get_current_placement_group()))
    job["loop"](job)


@contextmanager
def _failing_softly(metric: str) -> Iterator[None]:
    """Report what went wrong in a trial as its outcome, so that the study can remember why."""
    try:
        yield
    except Exception as error:  # one trial's, whatever it is: the search goes on
        why = str(error) if isinstance(error, SeisrayError) else f"{type(error).__name__}: {error}"
        tune.report({metric: float("nan"), "step": 0, "error": why})
