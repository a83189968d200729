"""Where else the figures of a run go: Ray's own metrics always, MLflow or Weights & Biases if asked for."""

import uuid
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Protocol

from ray.util.metrics import Gauge

from seisray.errors import MissingExtraError


class Tracker(Protocol):
    """Take the figures of a run as they are logged."""

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Add figures."""

    def close(self) -> None:
        """Say that the run is over."""


class RayMetrics:
    """Show each figure as seisray_<figure>, with the tag run: on Ray's dashboard, in Prometheus and Grafana."""

    def __init__(self, run: str) -> None:
        self._tags = {"run": run}
        self._gauges: dict[str, Gauge] = {}

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Set the gauges."""
        for name, figure in {**figures, "step": step}.items():
            if name not in self._gauges:
                self._gauges[name] = Gauge(f"seisray_{name}", description="of a training run", tag_keys=("run",))
            self._gauges[name].set(figure, tags=self._tags)

    def close(self) -> None:
        """Do nothing: Ray drops the gauges of workers that ended."""


class Mlflow:
    """Log to the server of MLFLOW_TRACKING_URI; training that goes on after an interruption is a further MLflow run."""

    def __init__(self, run: str, settings: Mapping[str, Any]) -> None:
        from ray.air.integrations.mlflow import setup_mlflow

        self._mlflow = setup_mlflow(
            dict(settings),
            experiment_name="seisray",
            create_experiment_if_not_exists=True,
            run_name=run,
            rank_zero_only=False,
        )

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Add figures."""
        self._mlflow.log_metrics(dict(figures), step=step)

    def close(self) -> None:
        """End the run."""
        self._mlflow.end_run()


class Wandb:
    """Log to Weights & Biases as WANDB_API_KEY, WANDB_MODE and the like say."""

    def __init__(self, run: str, settings: Mapping[str, Any]) -> None:
        from ray.air.integrations.wandb import setup_wandb

        unique = f"{run}-{uuid.uuid4().hex[:8]}"  # other stores and studies have runs of this name
        self._run = setup_wandb(
            dict(settings), project="seisray", trial_name=run, trial_id=unique, group=run, rank_zero_only=False
        )
        self._run.define_metric("*", step_metric="step")  # W&B's own step cannot go back, as a run may

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Add figures."""
        self._run.log({**figures, "step": step})

    def close(self) -> None:
        """End the run."""
        self._run.finish()


def check_tracker(kind: str) -> None:
    """Raise MissingExtraError where a tracker is asked for that is not installed."""
    if kind != "none" and find_spec(kind) is None:
        raise MissingExtraError(f"train.tracker is {kind}, which is not installed; pip install 'seisray[{kind}]'")


def open_trackers(kind: str, run: str, settings: Mapping[str, Any]) -> list[Tracker]:
    """Return Ray's metrics, and the tracker asked for."""
    check_tracker(kind)
    more: dict[str, Any] = {"mlflow": Mlflow, "wandb": Wandb}
    return [RayMetrics(run), *([more[kind](run, settings)] if kind in more else [])]
