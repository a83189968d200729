"""Figures reach MLflow, Weights & Biases and Ray's metrics themselves."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seisray.errors import MissingExtraError
from seisray.storage import Location
from seisray.training import trackers
from seisray.training.trackers import Mlflow, RayMetrics, Wandb, check_tracker, open_trackers


@pytest.fixture
def folder(tmp_path: Path) -> Location:
    """Return the folder of a run."""
    return Location(str(tmp_path / "runs" / "gan-v1"))


@pytest.fixture
def mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return MLflow, which keeps its runs in a folder of this test."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return mlflow


@pytest.fixture(scope="module")
def wandb_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the folder in which Weights & Biases, offline, keeps its runs; it takes only the first one of a process."""
    pytest.importorskip("wandb")
    folder = tmp_path_factory.mktemp("wandb")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"WANDB_MODE": "offline", "WANDB_DIR": str(folder), "WANDB_SILENT": "true"}.items():
            patch.setenv(name, value)
        yield folder


def test_mlflow_keeps_the_figures_of_a_run(mlflow: Any, folder: Location) -> None:
    _, tracker = open_trackers("mlflow", folder, {"seed": 3}, print)
    tracker.log(1, {"d_loss": 0.5})
    tracker.log(2, {"d_loss": 0.25})
    tracker.close()
    (run,) = mlflow.search_runs(experiment_names=["seisray"], output_format="list")
    assert (run.info.run_name, run.data.metrics["d_loss"], run.data.params["seed"]) == ("gan-v1", 0.25, "3")


def lose(mlflow: Any) -> None:
    """Leave a run as a worker does that is killed: it is not ended, and the next process does not know it."""
    mlflow.tracking.fluent._active_run_stack.get().clear()


def test_a_run_that_goes_on_goes_on_in_mlflow_with_other_settings_of_the_machine(mlflow: Any, folder: Location) -> None:
    _, tracker = open_trackers("mlflow", folder, {"workers": 2}, print)
    tracker.log(1, {"d_loss": 0.5})
    lose(mlflow)
    _, tracker = open_trackers("mlflow", folder, {"workers": 1}, print)
    tracker.log(2, {"d_loss": 0.25})
    tracker.close()
    (run,) = mlflow.search_runs(experiment_names=["seisray"], output_format="list")
    assert (run.info.status, run.data.params) == ("FINISHED", {"workers": "2"})
    history = mlflow.tracking.MlflowClient().get_metric_history(run.info.run_id, "d_loss")
    assert [(metric.step, metric.value) for metric in history] == [(1, 0.5), (2, 0.25)]


def test_a_run_begun_anew_or_deleted_on_the_server_is_a_new_one_in_mlflow(mlflow: Any, folder: Location) -> None:
    ids = []
    for _ in range(3):
        _, tracker = open_trackers("mlflow", folder, {}, print)
        assert isinstance(tracker, Mlflow)
        tracker.close()
        ids.append(tracker.id)
        if len(ids) == 1:
            folder.delete()  # as --restart does
        else:
            mlflow.delete_run(tracker.id)
    assert len(set(ids)) == 3


def test_wandb_keeps_the_figures_of_a_run(wandb_folder: Path, folder: Location) -> None:
    _, tracker = open_trackers("wandb", folder, {"seed": 3}, print)
    assert isinstance(tracker, Wandb)
    tracker.log(1, {"d_loss": 0.5})
    tracker.close()
    (log,) = wandb_folder.rglob(f"run-{tracker.id}.wandb")
    patience_s = time.monotonic() + 30  # a process of W&B's own writes it, in its own time
    while b"d_loss" not in log.read_bytes():
        assert time.monotonic() < patience_s, f"{log} holds no figures"
        time.sleep(0.1)


def test_a_run_that_goes_on_goes_on_in_wandb(wandb_folder: Path, folder: Location) -> None:
    ids = []
    for restart in (False, False, True):
        if restart:
            folder.delete()
        _, tracker = open_trackers("wandb", folder, {}, print)
        assert isinstance(tracker, Wandb)
        tracker.close()
        ids.append(tracker.id)
    assert ids[0] == ids[1] != ids[2]
    assert all(list(wandb_folder.rglob(f"run-{name}.wandb")) for name in ids)  # `wandb sync` joins those of one name


@pytest.mark.parametrize("kind", ["mlflow", "wandb"])
def test_training_goes_on_without_a_tracker_that_cannot_be_opened(
    kind: str, folder: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(kind)

    def broken(*_: Any, **__: Any) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(f"ray.air.integrations.{kind}.setup_{kind}", broken)
    said: list[str] = []
    (metrics,) = open_trackers(kind, folder, {}, said.append)
    assert isinstance(metrics, RayMetrics)
    assert said == [f"no figures to {kind}: no route to host"]
    assert not (folder / f"{kind}.json").exists()


def test_a_tracker_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    check_tracker("none")
    with pytest.raises(MissingExtraError, match=r"pip install 'seisray\[wandb\]'"):
        check_tracker("wandb")


@pytest.mark.usefixtures("ray_session")
def test_ray_serves_the_figures_as_metrics() -> None:
    import ray

    RayMetrics("gan-v1").log(7, {"d_loss": 0.625})
    node = ray.nodes()[0]
    url = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
    text = ""
    for _ in range(60):
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        if "seisray_d_loss" in text:
            break
        time.sleep(0.5)
    lines = [line for line in text.splitlines() if line.startswith("ray_seisray_d_loss{")]
    assert lines, json.dumps(text[-500:])
    assert 'run="gan-v1"' in lines[0]
    assert lines[0].endswith("0.625")
