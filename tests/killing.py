"""Killing runs in the middle of their work."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path


def kill_at_checkpoint(victim: "subprocess.Popen[bytes]", run: Path, *, patience_s: float = 300) -> None:
    """Kill a command and all that it started, in a session of its own, as soon as its run's first checkpoint is there.

    run: folder of the run. Where no checkpoint comes, the command is killed all the same, and the test fails.
    """
    deadline_s = time.monotonic() + patience_s
    try:
        while not list(run.glob("checkpoint_*/state.pt")):
            assert victim.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline_s, f"no checkpoint in {patience_s:.0f} s"
            time.sleep(0.02)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
