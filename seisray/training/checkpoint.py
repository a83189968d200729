"""Checkpoints: all that a step class needs to go on exactly."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray.train
import torch

from seisray.errors import TrainingError

FILE = "state.pt"


@contextmanager
def checkpoint(state: Mapping[str, Any]) -> Iterator[ray.train.Checkpoint]:
    """Hold a state in a Ray Train checkpoint, to be reported while the context is open."""
    with tempfile.TemporaryDirectory() as folder:
        torch.save(dict(state), Path(folder) / FILE)
        yield ray.train.Checkpoint.from_directory(folder)


def load_checkpoint(found: ray.train.Checkpoint | None) -> dict[str, Any]:
    """Return the state in a checkpoint; nothing in it can execute. Raises TrainingError where there is none."""
    if found is None:
        raise TrainingError("the run left no checkpoint; run it again with --restart")
    with found.as_directory() as folder:
        state: dict[str, Any] = torch.load(Path(folder) / FILE, map_location="cpu", weights_only=True)
        return state
