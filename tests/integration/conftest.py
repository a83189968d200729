"""What the integration tests share: a tiny survey in a store of its own, with first breaks on every gather."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seisray.formats.picks.first_breaks import first_breaks_csv
from seisray.ingest import IngestConfig, ingest


@pytest.fixture(scope="session")
def tiny_field_files(
    line_gathers: Callable, write_segy: Callable, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Return a SEG-Y file of eight gathers, FFID 101 to 108, and a CSV of their first breaks."""
    folder = tmp_path_factory.mktemp("field")
    gathers = line_gathers(8)
    picks = folder / "picks.csv"
    picks.write_text(first_breaks_csv(gathers))
    return write_segy(folder / "line.sgy", gathers), picks


@pytest.fixture(scope="session")
def tiny_store(
    ray_session: None, tiny_field_files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a store that holds the survey "tiny"."""
    store = tmp_path_factory.mktemp("store")
    file, picks = tiny_field_files
    ingest("tiny", [str(file)], store=str(store), config=IngestConfig(picks=str(picks)))
    return store
