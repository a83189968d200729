from collections.abc import Callable
from pathlib import Path

import pytest

from seisray import shards
from seisray.gather import Gather
from seisray.ingest import parts
from seisray.registry import Store, Survey

TRACE_BYTES = 240 + 4 * 128


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store")


@pytest.fixture
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Split even these files into tasks, of 7 traces each."""
    monkeypatch.setattr(parts, "SMALLEST_RANGE_BYTES", 7 * TRACE_BYTES)


@pytest.fixture
def gathers_in(store: str) -> Callable[[Survey], dict[str, Gather]]:
    """Return a function that gives the gathers of a survey by their id, each of which is there once."""

    def read(survey: Survey) -> dict[str, Gather]:
        place = Store(store)
        found = [g for i in range(len(survey.shards)) for g in shards.read_gathers(place.shard(survey, i))]
        assert len({gather.gather_id for gather in found}) == len(found) == survey.n_gathers
        return {gather.gather_id: gather for gather in found}

    return read


@pytest.fixture
def content() -> Callable[[str | Path], dict[str, bytes]]:
    """Return a function that gives every file below a folder with its bytes."""

    def read(folder: str | Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}

    return read
