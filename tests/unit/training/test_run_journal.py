from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seisray.storage import Location
from seisray.training.journal import Journal


class Unreachable:
    """A tracker whose server is away. works: calls that still get through."""

    def __init__(self, works: int) -> None:
        self.calls, self.works = list[str](), works

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if len(self.calls) > self.works:
            raise ConnectionError("no route to the server")

    def log(self, step: int, figures: object) -> None:
        self._call(f"log {step}")

    def close(self) -> None:
        self._call("close")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def board(said: list[str]) -> SimpleNamespace:
    return SimpleNamespace(put=SimpleNamespace(remote=lambda *_: None), tell=SimpleNamespace(remote=said.append))


@pytest.mark.parametrize(
    ("works", "calls"), [(0, ["log 1"]), (1, ["log 1", "log 2"]), (2, ["log 1", "log 2", "close"])]
)
def test_a_tracker_that_fails_is_told_and_the_run_goes_on(
    works: int, calls: list[str], tmp_path: Path, board: SimpleNamespace, said: list[str]
) -> None:
    tracker = Unreachable(works)
    journal = Journal(Location(str(tmp_path)), board, trackers=[tracker])
    journal.log(1, {"d_loss": 0.5})
    journal.log(2, {"d_loss": 0.25})
    journal.close(2, {"d_loss": 0.25})
    assert tracker.calls == calls
    (line,) = said
    assert line.endswith("no more figures to Unreachable: no route to the server")
    assert [row["d_loss"] for row in journal.history] == [0.5, 0.25]


def test_tensorboard_shows_figures_and_sheets(tmp_path: Path, board: SimpleNamespace) -> None:
    png = BytesIO()
    Image.new("RGB", (3, 2), (255, 0, 0)).save(png, "PNG")
    journal = Journal(Location(str(tmp_path)), board)
    journal.log(10, {"d_loss": 0.5})
    journal.sheet("samples", 10, png.getvalue())
    journal.close(10, {})
    assert (tmp_path / "samples" / "step-0000010.png").read_bytes() == png.getvalue()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("d_loss")] == [(10, 0.5)]
    (sheet,) = events.Images("samples")
    assert (sheet.step, sheet.width, sheet.height) == (10, 3, 2)
    assert Image.open(BytesIO(sheet.encoded_image_string)).getpixel((1, 1)) == (255, 0, 0)
