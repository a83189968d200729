"""Figures reach MLflow, Weights & Biases and Ray's metrics themselves."""

import json
import time
import urllib.request
from pathlib import Path

import pytest

from seisray.errors import MissingExtraError
from seisray.training import trackers
from seisray.training.trackers import RayMetrics, check_tracker, open_trackers


def test_mlflow_keeps_the_figures_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    _, tracker = open_trackers("mlflow", "gan-v1", {"seed": 3})
    tracker.log(1, {"d_loss": 0.5})
    tracker.log(2, {"d_loss": 0.25})
    tracker.close()
    (run,) = mlflow.search_runs(experiment_names=["seisray"], output_format="list")
    assert (run.info.run_name, run.data.metrics["d_loss"], run.data.params["seed"]) == ("gan-v1", 0.25, "3")


def test_wandb_keeps_the_figures_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    for name, value in {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path), "WANDB_SILENT": "true"}.items():
        monkeypatch.setenv(name, value)
    _, tracker = open_trackers("wandb", "gan-v1", {"seed": 3})
    tracker.log(1, {"d_loss": 0.5})
    tracker.close()
    (log,) = tmp_path.rglob("run-*.wandb")
    patience_s = time.monotonic() + 30  # a process of W&B's own writes it, in its own time
    while b"d_loss" not in log.read_bytes():
        assert time.monotonic() < patience_s, f"{log} holds no figures"
        time.sleep(0.1)


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
