"""Checkpoints: all that a step class needs to go on exactly."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import ray.train
import torch

from seisray.errors import TrainingError
from seisray.patient_files import patient_filesystem
from seisray.storage import Location

FILE = "state.pt"


@contextmanager
def checkpoint(state: Mapping[str, Any]) -> Iterator[ray.train.Checkpoint]:
    """Hold a state in a Ray Train checkpoint, to be reported while the context is open."""
    with tempfile.TemporaryDirectory() as folder:
        torch.save(dict(state), Path(folder) / FILE)
        yield ray.train.Checkpoint.from_directory(folder)


def report(state: Mapping[str, Any], metrics: Mapping[str, float], folder: Location) -> None:
    """Report figures with a checkpoint, which is uploaded into the run's folder by seisray's own patient means."""
    with checkpoint(state) as saved:
        ray.train.report(dict(metrics), checkpoint=saved, checkpoint_upload_fn=partial(upload, folder))


def upload(folder: Location, saved: ray.train.Checkpoint, name: str) -> ray.train.Checkpoint:
    """Return the copy of a checkpoint that is kept as folder/name. Raises StorageError where it never lands.

    Arrow's own `copy_files`, by which Ray would upload it, loses errors that come when a file is closed.
    """
    target = folder / name
    with saved.as_directory() as local:
        for file in Path(local).iterdir():
            (target / file.name).write_bytes(file.read_bytes())
    return ray.train.Checkpoint(target.path, filesystem=patient_filesystem(folder))


def load_checkpoint(found: ray.train.Checkpoint | None) -> dict[str, Any]:
    """Return the state in a checkpoint; nothing in it can execute. Raises TrainingError where there is none."""
    if found is None:
        raise TrainingError("the run left no checkpoint; run it again with --restart")
    with found.as_directory() as folder:
        state: dict[str, Any] = torch.load(Path(folder) / FILE, map_location="cpu", weights_only=True)
        return state
