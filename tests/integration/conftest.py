"""What the integration tests share: a tiny survey in a store of its own, and a proxy that makes an S3 server fail."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faulty_proxy import FaultyProxy

from seisray import patience, storage
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


@pytest.fixture
def proxy(s3: str, s3_environment: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """Yield a proxy before the S3 server, through which every location goes; 2 s of silence are too long for it."""
    with FaultyProxy(s3_environment["s3"]) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        monkeypatch.setattr(patience, "STALL_S", 2.0)
        forget = storage._s3.cache_clear
        forget()
        yield proxy
        forget()
