"""Killing runs in the middle of their work, and what they must come to all the same."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import torch
from safetensors.torch import load

from seisray.registry import Store


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


def check_same_weights(store: str, model: str, other: str) -> None:
    """Fail unless two GANs in a store have the same weights, bit for bit.

    All but the filter behind the generator, which is told by samples made in another process, by FFTs of MKL.
    """
    place = Store(store)
    one, two = (load(place.weights(place.model(name)).read_bytes()) for name in (model, other))
    torch.testing.assert_close(one.pop("generator.tint"), two.pop("generator.tint"), rtol=1e-4, atol=0)
    assert one.keys() == two.keys()
    assert [name for name in one if not torch.equal(one[name], two[name])] == []
