import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seisray.errors import SessionError
from seisray.session import STREAMING_CPUS, connect, cores, free_cores


@pytest.mark.usefixtures("ray_session")
def test_ray_has_room_for_streams_beside_the_training_workers() -> None:
    import ray

    assert ray.cluster_resources()["CPU"] == cores() + STREAMING_CPUS
    assert free_cores() == cores()


@pytest.mark.usefixtures("ray_session")
def test_connecting_twice_changes_nothing() -> None:
    import ray

    before = ray.get_runtime_context().get_node_id()
    connect()
    assert ray.get_runtime_context().get_node_id() == before


@pytest.mark.usefixtures("ray_session")
def test_workers_see_the_settings_that_make_reading_fast() -> None:
    import ray

    @ray.remote(num_cpus=0)
    def setting() -> str | None:
        return os.environ.get("RAY_DATA_USE_DATASOURCE_V2")

    assert ray.get(setting.remote()) == "0"


def test_an_address_where_nothing_listens_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(SessionError, match=r"127\.0\.0\.1:1"):
        connect()


@pytest.mark.parametrize(("failures", "starts"), [(1, 2), (2, 2)])
def test_a_busy_machine_gets_a_second_try(
    failures: int, starts: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import ray

    tried = []

    def init(**settings: Any) -> SimpleNamespace:
        tried.append(settings)
        if len(tried) <= failures:
            raise Exception("The current node timed out during startup. This could happen because ...")  # Ray's own
        return SimpleNamespace(dashboard_url="")

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)  # the Ray that the tests share stays
    monkeypatch.setattr(ray, "init", init)
    if failures < starts:
        connect()
    else:
        with pytest.raises(SessionError, match="Ray does not start on this machine"):
            connect()
    assert len(tried) == starts
    assert tried[0] == tried[-1]
    assert "trying once more" in capsys.readouterr().err


def test_what_else_keeps_ray_from_starting_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def init(**_: Any) -> None:
        tried.append(1)
        raise ValueError("no room on the disk")

    tried: list[int] = []
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(SessionError, match="no room on the disk"):
        connect()
    assert len(tried) == 1


def test_a_cluster_left_running_on_the_machine_is_not_joined_unasked() -> None:
    command = [sys.executable, "-c", "from seisray.session import connect; connect(dashboard=False)"]
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    with tempfile.TemporaryDirectory(prefix="sr", ignore_cleanup_errors=True) as folder:  # sockets' paths are short
        kept = Path(folder) / "ray" / "ray_current_cluster"
        kept.parent.mkdir()
        kept.write_text("127.0.0.1:1")
        done = subprocess.run(
            command, env=environment | {"RAY_TMPDIR": folder}, capture_output=True, text=True, timeout=100
        )
    assert done.returncode == 0, done.stderr
