"""Between Ray Tune, which runs trials, and an Optuna study, which remembers them and says what to try next.

Ray's own OptunaSearch calls a trial that was stopped early complete, and leaves one whose metric is NaN running for
ever.
"""

import functools
from collections.abc import Callable, Mapping
from math import isfinite
from types import SimpleNamespace
from typing import Any

import optuna
from optuna.trial import TrialState
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search import Searcher

from seisray.config import TuneConfig
from seisray.progress import Progress
from seisray.tuning.study import finished_trials, run_name

LOSSES = ("loss", "d_loss", "g_loss")


def broken(metric: str, result: Mapping[str, Any] | None) -> bool:
    """Return whether a trial reported something that is no number: its training is beyond repair."""
    if not result or metric not in result:
        return True
    return not all(isfinite(result.get(name, 0)) for name in (metric, *LOSSES))


class StudySearch(Searcher):
    """Ask a study what to try; tell it what came of each trial: complete, pruned or failed.

    steps: of a whole trial; one that ended before was pruned. Lives in the driver and is never pickled with its study:
    the journal is the only memory.
    """

    def __init__(
        self,
        study: optuna.Study,
        space: Callable[[optuna.Trial], None],
        *,
        metric: str,
        steps: int,
        progress: Progress,
    ) -> None:
        maximise = study.direction == optuna.study.StudyDirection.MAXIMIZE
        super().__init__(metric=metric, mode="max" if maximise else "min")
        self._study, self._space, self._name, self._steps, self._progress = study, space, metric, steps, progress
        self._trials: dict[str, optuna.Trial] = {}
        self._steps_seen: dict[str, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: the journal has it all."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: `open_study` reads the journal."""

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """Return the settings of a new trial, and the name of its training run."""
        trial = self._study.ask()
        self._space(trial)
        self._trials[trial_id] = trial
        trial.set_user_attr("run", run_name(trial))
        return {"drawn": trial.params, "run": run_name(trial)}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Remember how far a trial is and how well it does."""
        self._report(trial_id, result)
        self._show(trial=self._trials[trial_id].number, step=result.get("step", 0))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Remember how a trial ended."""
        result = result or {}
        self._report(trial_id, result)
        trial = self._trials.pop(trial_id)
        trial.set_user_attr("seconds", round(float(result.get("time_total_s", 0)), 3))
        if error or broken(self._name, result):
            trial.set_user_attr("steps", result.get("step", 0))
            trial.set_user_attr("error", str(result.get("error", "the worker died" if error else "not a number")))
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            step, value = int(result["step"]), float(result[self._name])
            trial.set_user_attr("steps", step)
            trial.set_user_attr("checkpoint", str(result.get("checkpoint_path", "")))
            if step >= self._steps:
                self._study.tell(trial, value)
            else:
                self._study.tell(trial, state=TrialState.PRUNED)
        self._show()

    def _report(self, trial_id: str, result: dict[str, Any]) -> None:
        """Report a step once, though a restarted training comes by it again."""
        if not broken(self._name, result) and result["step"] > self._steps_seen.get(trial_id, 0):
            self._steps_seen[trial_id] = result["step"]
            self._trials[trial_id].report(result[self._name], result["step"])

    def _show(self, **figures: float) -> None:
        ended = finished_trials(self._study)
        complete = [trial.value for trial in ended if trial.state == TrialState.COMPLETE and trial.value is not None]
        best = {} if not complete else {"best": max(complete) if self.mode == "max" else min(complete)}
        self._progress.update(len(ended), **best, **figures)


class Halving(ASHAScheduler):
    """Asynchronous successive halving (Li et al. 2018, 1810.05934) by training step, with what a study remembers."""

    def __init__(self, study: optuna.Study, *, metric: str, mode: str, steps: int, tune: TuneConfig) -> None:
        super().__init__(
            time_attr="step",
            metric=metric,
            mode=mode,
            grace_period=max(round(tune.grace * steps), 1),
            max_t=steps,
            reduction_factor=tune.reduction,
            stop_last_trials=False,
        )
        self._judged_by, self._steps = metric, steps
        nobody: Any = None
        for trial in finished_trials(study):
            before: Any = SimpleNamespace(trial_id=f"before-{trial.number}")
            self.on_trial_add(nobody, before)
            for step, value in sorted(trial.intermediate_values.items()):
                self.on_trial_result(nobody, before, {"step": step, metric: value})

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Return whether a trial goes on; at its last step it does, since it still puts its files away."""
        decision = str(super().on_trial_result(tune_controller, trial, result))
        return TrialScheduler.CONTINUE if result["step"] >= self._steps else decision

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Forget a trial; one that broke is no measure for the others."""
        if broken(self._judged_by, result):
            self.on_trial_remove(tune_controller, trial)
        else:
            super().on_trial_complete(tune_controller, trial, result)


def stopper(metric: str) -> Callable[[str, Mapping[str, Any]], bool]:
    """Return a function that ends a trial as soon as it reports what is no number."""
    return functools.partial(_stops, metric)


def _stops(metric: str, trial_id: str, result: Mapping[str, Any]) -> bool:
    return broken(metric, result)
