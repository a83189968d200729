"""A node that is lost in mid-training: with a replacement, without one, and where nothing is left to go on with."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from killing import check_same_weights

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1200)]
SCRIPT = Path(__file__).parents[1] / "lost_node.py"


@pytest.fixture(scope="module")
def outcomes(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what four runs came to on a cluster that loses nodes, and what was said."""
    store = tmp_path_factory.mktemp("nodes") / "store"
    shutil.copytree(tiny_store / "surveys", store / "surveys")
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    with tempfile.TemporaryDirectory(prefix="sr", ignore_cleanup_errors=True) as folder:
        settings = {"RAY_TMPDIR": folder, "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "20"}
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(store)],
            env=environment | settings,
            capture_output=True,
            text=True,
            timeout=1100,
        )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"said": done.stderr, "store": str(store)}


def test_with_a_node_in_its_place_the_run_ends_as_an_undisturbed_one(outcomes: dict[str, Any]) -> None:
    calm, replaced = outcomes["calm"], outcomes["replaced"]
    assert calm["resumed_at"] == []
    assert len(replaced["resumed_at"]) >= 1, "no node was lost"
    assert replaced["losses"] == calm["losses"]
    check_same_weights(outcomes["store"], "replaced", "calm")
    assert "workers failed: " in outcomes["said"]


def test_without_one_it_goes_on_with_fewer_workers_if_it_may(outcomes: dict[str, Any]) -> None:
    fewer, calm = outcomes["fewer"], outcomes["calm"]
    (resumed_at, *_) = fewer["resumed_at"]
    assert fewer["losses"][:resumed_at] == calm["losses"][:resumed_at]
    assert [step for step, _, _ in fewer["losses"]] == [step for step, _, _ in calm["losses"]]


def test_where_it_may_not_it_says_why_it_waits_and_fails_in_one_line(outcomes: dict[str, Any]) -> None:
    error = outcomes["hopeless"]["error"]
    assert error.startswith("no room for 2 workers of 1 CPU each in ")
    assert "2 nodes with 1 of 1 CPU free" in error
    assert "\n" not in error
    assert "waiting for room for 2 workers of 1 CPU each, up to 45 s (train.wait_s): 2 nodes with" in outcomes["said"]
