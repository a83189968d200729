"""Where else the figures of a run go: Ray's own metrics always, MLflow or Weights & Biases if asked for."""

import json
import os
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Protocol

from ray.util.metrics import Gauge

from seisray.errors import MissingExtraError
from seisray.storage import Location


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
    """Log to the server of MLFLOW_TRACKING_URI. known: id of the MLflow run to go on with, if there is one."""

    def __init__(self, run: str, settings: Mapping[str, Any], known: str | None = None) -> None:
        # By default each of eight tries waits two minutes for a server that does not answer at all.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        import mlflow
        from ray.air.integrations.mlflow import setup_mlflow

        if known is not None:
            with suppress(mlflow.exceptions.MlflowException):  # somebody deleted it, or this is another server
                mlflow.start_run(known)
        goes_on = mlflow.active_run() is not None  # then its settings are there; MLflow lets none of them change
        self._mlflow = setup_mlflow(
            {} if goes_on else dict(settings),
            experiment_name="seisray",
            create_experiment_if_not_exists=True,
            run_name=run,
            rank_zero_only=False,
        )
        self.id: str = self._mlflow.active_run().info.run_id

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Add figures."""
        self._mlflow.log_metrics(dict(figures), step=step)

    def close(self) -> None:
        """End the run."""
        self._mlflow.end_run()


class Wandb:
    """Log to Weights & Biases as WANDB_API_KEY, WANDB_MODE and the like say. known: id of the run to go on with."""

    def __init__(self, run: str, settings: Mapping[str, Any], known: str | None = None) -> None:
        from ray.air.integrations.wandb import setup_wandb

        self.id = known or f"{run}-{uuid.uuid4().hex[:8]}"  # other stores and studies have runs of this name
        self._run = setup_wandb(
            dict(settings), project="seisray", trial_name=run, trial_id=self.id, group=run, rank_zero_only=False
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


def open_trackers(
    kind: str, folder: Location, settings: Mapping[str, Any], tell: Callable[[str], object]
) -> list[Tracker]:
    """Return Ray's metrics, and the tracker asked for, of the run that a folder holds.

    The folder keeps the tracker's own id of the run from its first step on, so that training which goes on after an
    interruption goes on there, too. tell: is told why where the tracker cannot be opened, as when its server is away;
    training goes on without it.
    """
    check_tracker(kind)
    more: dict[str, type[Mlflow | Wandb]] = {"mlflow": Mlflow, "wandb": Wandb}
    found: list[Tracker] = [RayMetrics(folder.name)]
    if kind in more:
        mark = folder / f"{kind}.json"
        known = json.loads(mark.read_bytes())["id"] if mark.exists() else None
        try:
            tracker = more[kind](folder.name, settings, known)
        except Exception as error:
            tell(f"no figures to {kind}: {' '.join(str(error).split())}")
            return found
        if tracker.id != known:
            mark.write_bytes(json.dumps({"id": tracker.id}).encode())
        found.append(tracker)
    return found
