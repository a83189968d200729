"""An ingest whose driver, or whose workers, are killed in the middle: nothing is lost, nothing is there twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from seisray.ingest import IngestConfig, ingest
from seisray.ingest.verify import verify

COMMAND = [sys.executable, "-c", "import sys; from seisray.cli import main; sys.exit(main(sys.argv[1:]))"]
N_SHOTS, N_TRACES, N_SAMPLES = 500, 48, 1000

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def field_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SEG-Y file of 100 MB, which takes long enough to be killed in the middle."""
    rng = np.random.default_rng(0)
    head = np.zeros(3600, dtype=np.uint8)
    head[3216:3226].view(">u2")[:] = (250, 0, N_SAMPLES, 0, 5)
    dtype = np.dtype([("head", ">i4", 60), ("samples", ">f4", N_SAMPLES)])
    traces = np.zeros((N_SHOTS, N_TRACES), dtype=dtype)
    traces["samples"] = rng.normal(size=(*traces.shape, N_SAMPLES)).astype(np.float32)
    traces["head"][..., 2] = np.arange(N_SHOTS)[:, None] + 1  # FFID
    traces["head"][..., 3] = np.arange(N_TRACES) + 1  # channel
    path = tmp_path_factory.mktemp("field") / "line.sgy"
    path.write_bytes(head.tobytes() + traces.tobytes())
    return path


def start_ingest(field_file: Path, store: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start the command in a session of its own, without the Ray that the tests share."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    tokens = ["ingest", "line", str(field_file), "--store", str(store), *more]
    return subprocess.Popen([*COMMAND, *tokens], env=environment, start_new_session=True)


def files_of(folder: Path, *, below: str = "") -> list[Path]:
    return [path for path in (folder / "surveys" / "line" / below).rglob("part-*.parquet") if path.is_file()]


def wait_for_file(process: subprocess.Popen[bytes], folder: Path, below: str) -> None:
    deadline_s = time.monotonic() + 120
    while not files_of(folder, below=below):
        assert process.poll() is None, "the ingest ended before it could be killed"
        assert time.monotonic() < deadline_s, f"nothing in {below} in 120 s"
        time.sleep(0.005)


def kill_busy_workers(process: subprocess.Popen[bytes]) -> None:
    """Kill the Ray workers that run a task, as soon as there are some."""
    while True:
        assert process.poll() is None, "the ingest ended before a worker could be killed"
        children = psutil.Process(process.pid).children(recursive=True)
        busy = [
            child for child in children if child.name().startswith("ray::ingest.")
        ]  # Ray's agents and idle workers look otherwise
        for worker in busy:
            worker.kill()
        if busy:
            return
        time.sleep(0.02)  # looking on without a pause takes a core from the Ray that starts


def content(store: Path) -> dict[str, bytes]:
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("group_by", "stage"), [("ffid", "shards"), ("channel", "scattered")])
def test_after_the_driver_was_killed_the_survey_is_that_of_an_undisturbed_run(
    group_by: str, stage: str, field_file: Path, ray_session: None, tmp_path: Path
) -> None:
    config = IngestConfig(group_by=group_by, encoding="float32")
    ingest("line", [str(field_file)], store=str(tmp_path / "calm"), config=config)
    killed = tmp_path / "killed"

    victim = start_ingest(field_file, killed, "--group-by", group_by, "--encoding", "float32")
    wait_for_file(victim, killed, stage)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    kept = {path: path.stat().st_mtime_ns for path in files_of(killed, below=stage)}
    assert not (killed / "surveys" / "line" / "manifest.json").exists()

    ingest("line", [str(field_file)], store=str(killed), config=config, resume=True)
    assert content(killed) == content(tmp_path / "calm")
    if stage == "shards":
        assert {path: path.stat().st_mtime_ns for path in kept} == kept
    found = verify("line", store=str(killed))
    assert (found.n_traces, found.n_exact, found.n_rejected) == (N_SHOTS * N_TRACES, N_SHOTS * N_TRACES, 0)


def test_workers_that_are_killed_change_nothing(field_file: Path, ray_session: None, tmp_path: Path) -> None:
    ingest("line", [str(field_file)], store=str(tmp_path / "calm"))
    wounded = start_ingest(field_file, tmp_path / "wounded")
    kill_busy_workers(wounded)
    assert wounded.wait() == 0
    assert content(tmp_path / "wounded") == content(tmp_path / "calm")
