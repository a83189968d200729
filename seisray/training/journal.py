"""What the first worker of a run writes down: figures, TensorBoard events, sheets of generated panels."""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch.utils.tensorboard.writer import SummaryWriter

from seisray.storage import Location
from seisray.training.trackers import Tracker
from seisray.training.watchdog import Alarm

SHOW_EVERY_S = 0.5


class Journal:
    """Keep the history of a run, and the alarms raised in it.

    TensorBoard writes to a local folder, since it appends; each `publish` copies its files into the run's folder.
    """

    def __init__(
        self,
        folder: Location,
        board: Any,
        history: Sequence[dict[str, float]] = (),
        alarms: Sequence[dict[str, Any]] = (),
        trackers: Sequence[Tracker] = (),
    ) -> None:
        self.history, self.alarms = list(history), list(alarms)
        self._trackers = list(trackers)
        self._folder, self._board = folder, board
        self._local = tempfile.TemporaryDirectory()
        self._events = SummaryWriter(self._local.name)
        self._shown_s = 0.0

    def show(self, step: int, figures: dict[str, float]) -> None:
        """Put figures on the board, at most twice a second."""
        if time.monotonic() - self._shown_s >= SHOW_EVERY_S:
            self._shown_s = time.monotonic()
            self._board.put.remote(step, figures)

    def log(self, step: int, figures: dict[str, float]) -> None:
        """Add figures to the history."""
        self.history.append({"step": float(step), **figures})
        for name, value in figures.items():
            self._events.add_scalar(name, value, step)
        for tracker in list(self._trackers):
            self._survive(tracker, step, partial(tracker.log, step, figures))

    def alarm(self, alarm: Alarm) -> None:
        """Say what went wrong, and keep it."""
        self.alarms.append(asdict(alarm))
        self._board.tell.remote(str(alarm))
        self._events.add_text("alarm", str(alarm), alarm.step)
        (self._folder / "alarms.json").write_bytes(json.dumps(self.alarms, indent=1).encode())

    def go_back(self, step: int) -> None:
        """Drop what was logged after a step."""
        self.history = [row for row in self.history if row["step"] <= step]

    def sheet(self, name: str, step: int, png: bytes) -> None:
        """Keep a picture, for TensorBoard, too."""
        (self._folder / name / f"step-{step:07}.png").write_bytes(png)
        self._events.add_image(name, np.asarray(Image.open(BytesIO(png)).convert("RGB")), step, dataformats="HWC")

    def publish(self) -> None:
        """Copy the events into the store."""
        self._events.flush()
        for file in Path(self._local.name).iterdir():
            (self._folder / "tensorboard" / file.name).write_bytes(file.read_bytes())

    def close(self, step: int, figures: dict[str, float]) -> None:
        """Show the last figures, publish, and let go of the local files."""
        self._board.put.remote(step, figures)
        self.publish()
        self._events.close()
        for tracker in list(self._trackers):
            self._survive(tracker, step, tracker.close)
        self._local.cleanup()

    def _survive(self, tracker: Tracker, step: int, call: Callable[[], None]) -> None:
        """Drop a tracker that fails, whatever it is, and however long its server is away: training matters more."""
        try:
            call()
        except Exception as error:
            self._trackers.remove(tracker)
            self._board.tell.remote(f"step {step}: no more figures to {type(tracker).__name__}: {error}")
