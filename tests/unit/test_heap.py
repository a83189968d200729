"""What a process pays for new memory: faults of its pages, which the kernel counts."""

import os
import platform
import subprocess
import sys

import pytest

from seisray.heap import keep_heap

ARRAYS = """
import resource
import numpy as np
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def use():
    held = [np.ones(700_000, np.float32) for _ in range(8)]
use()
before = faults()
for _ in range(20):
    use()
print(faults() - before)
"""


def faults(first: str) -> int:
    # a test before this one may have started Ray, whose switches for workers do the same from outside
    bare = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    done = subprocess.run([sys.executable, "-c", first + ARRAYS], capture_output=True, text=True, check=True, env=bare)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_memory_that_was_freed_is_used_again() -> None:
    assert faults("from seisray.heap import keep_heap\nassert keep_heap()") < faults("") / 20


def test_other_platforms_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_heap()
