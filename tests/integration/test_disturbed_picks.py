"""Picking that loses a worker and its driver on the way gives the very files of a calm run."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "chaos_picks.py"


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_killed_workers_and_drivers_change_no_byte() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    settings = ["--kinds", "worker", "driver", "--shards", "24", "--samples", "250", "--local", "--json"]
    with tempfile.TemporaryDirectory(prefix="sr", ignore_cleanup_errors=True) as folder:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), *settings],
            env=environment | {"RAY_TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=850,
        )
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["disturbances"], found["runs_of_the_driver"]) == ({"worker": 1, "driver": 1}, 2)
    assert (found["parts"], found["parts_that_differ"], found["faults"]) == (24, 0, [])
    assert found["traces"] == 24 * 2 * 48
