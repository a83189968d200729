"""Every entry of jobs/, submitted in its turn to a cluster of two nodes that cluster/local.sh starts."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest
import segyio

ROOT = Path(__file__).parents[2]
SHOTS, TRACES, SAMPLES, INTERVAL_MS = 8, 24, 256, 2.0
PANEL = ["--panel.traces", "8", "--panel.samples", "64"]
TINY = {"steps": 4, "batch": 4, "workers": 1, "gpus": 0, "checkpoint-every": 2}
TRAIN = [word for name, value in TINY.items() for word in (f"--train.{name}", str(value))]

pytestmark = pytest.mark.timeout(600)


class Cluster:
    """Two nodes with their own ports, token and temporary folder; stop() ends their processes and no others."""

    def __init__(self, folder: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        python_first = (
            f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # a job's `python` is the head's
        )
        self.env = {
            **clean,
            "PATH": python_first,
            "PYTHONPATH": str(ROOT),
            "SEISRAY_LOCAL_DIR": folder,
            "SEISRAY_LOCAL_PORT": str(free_port()),
        }
        self.run("start", "1", "4")
        exported = self.run("env").stdout.replace("export ", "").replace("'", "").split()
        self.env |= dict(setting.split("=", 1) for setting in exported)
        self.api = self.env["RAY_API_SERVER_ADDRESS"]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return checked([str(ROOT / "cluster/local.sh"), *words], self.env)

    def submit(self, folder: Path, *entry: str) -> str:
        """Submit a job, wait for its end, return its output; raise where it does not succeed."""
        submit = ["ray", "job", "submit", "--address", self.api, "--working-dir", str(folder), "--", "python", *entry]
        output = checked(submit, self.env).stdout
        assert "succeeded" in output.lower()
        return output

    def stop(self) -> None:
        self.run("stop")


def checked(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}", pytrace=False)
    return done


def free_port() -> int:
    """Return the first port of a range of which the head's two are free; below the ports that systems hand out."""
    for port in range(21000, 27000, 500):
        with socket.socket() as gcs, socket.socket() as dashboard:
            try:
                gcs.bind(("127.0.0.1", port))
                dashboard.bind(("127.0.0.1", port + 10))
            except OSError:
                continue
        return port
    raise RuntimeError("no free ports between 21000 and 27000")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="sr-", dir="/tmp") as folder:  # short: Ray keeps sockets in it
        started = Cluster(folder)
        try:
            yield started
        finally:
            started.stop()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with line.sgy, eight shots with a dipping first arrival in noise, and picks.csv."""
    folder = tmp_path_factory.mktemp("field")
    rng = np.random.default_rng(7)
    spec = segyio.spec()
    spec.format, spec.tracecount = 5, SHOTS * TRACES
    spec.samples = np.arange(SAMPLES) * INTERVAL_MS
    time_ms = np.arange(SAMPLES) * INTERVAL_MS
    rows = ["ffid,trace,time_ms"]
    with segyio.create(str(folder / "line.sgy"), spec) as file:
        file.bin.update({segyio.BinField.Samples: SAMPLES, segyio.BinField.Interval: int(INTERVAL_MS * 1000)})
        for index in range(SHOTS * TRACES):
            shot, trace = divmod(index, TRACES)
            offset_m = 5 * (trace + 1)
            first_break_ms = 20 + offset_m / 0.8 + shot
            after_ms = time_ms - first_break_ms
            arrival = np.where(after_ms > 0, np.sin(after_ms / 5) * np.exp(-after_ms / 40), 0)
            file.trace[index] = (arrival + 0.02 * rng.standard_normal(SAMPLES)).astype(np.float32)
            file.header[index] = {
                segyio.TraceField.FieldRecord: 1001 + shot,
                segyio.TraceField.TraceNumber: trace + 1,
                segyio.TraceField.offset: offset_m,
                segyio.TraceField.TRACE_SAMPLE_COUNT: SAMPLES,
                segyio.TraceField.TRACE_SAMPLE_INTERVAL: int(INTERVAL_MS * 1000),
            }
            rows.append(f"{1001 + shot},{trace + 1},{first_break_ms:.3f}")
    (folder / "picks.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_a_job_runs_on_the_worker_with_the_switches(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "where.py").write_text(
        "import os, ray\n"
        "ray.init()\n"
        "@ray.remote(num_cpus=1)\n"
        "def where(): return ray.get_runtime_context().get_node_id(), os.environ['RAY_DATA_USE_DATASOURCE_V2']\n"
        "node, switch = ray.get(where.remote())\n"
        "print('nodes', len(ray.nodes()), 'elsewhere', node != ray.get_runtime_context().get_node_id(), 'V2', switch)\n"
    )
    assert "nodes 2 elsewhere True V2 0" in cluster.submit(tmp_path, "where.py")


def test_nobody_gets_in_without_the_token(cluster: Cluster) -> None:
    with pytest.raises(HTTPError, match="401") as refused:
        urlopen(f"{cluster.api}/api/jobs/")
    refused.value.close()


def test_ingest(cluster: Cluster, store: Path, field: Path) -> None:
    files = [str(field / "line.sgy"), "--picks", str(field / "picks.csv")]
    cluster.submit(ROOT / "jobs", "ingest.py", "tiny", *files, "--store", str(store))
    assert (store / "surveys/tiny/manifest.json").is_file()


def test_pretrain(cluster: Cluster, store: Path) -> None:
    cluster.submit(ROOT / "jobs", "pretrain.py", "tiny", "--model", "gan", "--store", str(store), *PANEL, *TRAIN)
    assert len(list((store / "models/gan").glob("*/model.json"))) == 1


def test_tune(cluster: Cluster, store: Path) -> None:
    study = ["--study", "search", "--trials", "1"]
    cluster.submit(ROOT / "jobs", "tune.py", "tiny", *study, "--store", str(store), *PANEL, *TRAIN)
    assert (store / "studies/search/best.json").is_file()


def test_finetune(cluster: Cluster, store: Path) -> None:
    models = ["--from", "gan", "--model", "picker", "--ffids", "1001-1004"]
    cluster.submit(ROOT / "jobs", "finetune.py", "tiny", *models, "--store", str(store), *PANEL, *TRAIN)
    assert len(list((store / "models/picker").glob("*/model.json"))) == 1


def test_pick(cluster: Cluster, store: Path) -> None:
    picks = ["--model", "picker", "--out", "picks", "--workers", "1"]
    cluster.submit(ROOT / "jobs", "pick.py", "tiny", *picks, "--store", str(store))
    assert (store / "picks/picks/manifest.json").is_file()
