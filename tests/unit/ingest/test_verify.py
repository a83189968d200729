import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from seisray import shards
from seisray.errors import FormatError, NotFoundError
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest
from seisray.ingest.verify import verify
from seisray.registry import Store

pytestmark = pytest.mark.usefixtures("ray_session")

LineGathers = Callable[..., list[Gather]]
WriteSegy = Callable[..., Path]
TRACE_BYTES = 240 + 4 * 128


@pytest.fixture
def file(line_gathers: LineGathers, write_segy: WriteSegy, tmp_path: Path) -> Path:
    return write_segy(tmp_path / "line.sgy", line_gathers(3))


def test_a_float32_survey_is_exact(file: Path, store: str) -> None:
    ingest("line", [str(file)], store=store, config=IngestConfig(encoding="float32"))
    found = verify("line", store=store)
    assert (found.n_gathers, found.n_traces, found.n_exact, found.worst_rms_error) == (3, 36, 36, 0)


def test_an_int16_survey_is_within_its_quantisation(file: Path, store: str) -> None:
    ingest("line", [str(file)], store=store)
    found = verify("line", store=store)
    assert found.n_exact == 0
    assert 0 < found.worst_rms_error <= shards.MOST_ERROR


@pytest.mark.parametrize("encoding", ["int16", "float32"])
@pytest.mark.parametrize(("byte", "what"), [(241 + 4 * 60, "samples"), (5, "trace header")])
def test_a_file_that_changed_is_found(byte: int, what: str, encoding: str, file: Path, store: str) -> None:
    ingest("line", [str(file)], store=store, config=IngestConfig(encoding=encoding))  # type: ignore[arg-type]
    data = bytearray(file.read_bytes())
    at = 3600 + 17 * TRACE_BYTES + byte - 1
    struct.pack_into(">f" if what == "samples" else ">i", data, at, 555)
    file.write_bytes(data)
    with pytest.raises(FormatError, match=rf"gather 'line-102': the {what} of trace 6 differ from trace 18 of"):
        verify("line", store=store)


def test_a_file_of_another_size_is_found(file: Path, store: str) -> None:
    ingest("line", [str(file)], store=store)
    with file.open("ab") as more:
        more.write(bytes(TRACE_BYTES))
    with pytest.raises(FormatError, match="30672 when it was ingested; it changed"):
        verify("line", store=store)


def test_a_gather_held_twice_or_lost_is_found(file: Path, store: str) -> None:
    survey = ingest("line", [str(file)], store=store)
    shard = Store(store).shard(survey, 0)
    gathers = list(shards.read_gathers(shard))
    shards.write_shard(shard, [*gathers, gathers[1]], "int16")
    with pytest.raises(FormatError, match="holds trace 13 of source 0 twice"):
        verify("line", store=store)
    shards.write_shard(shard, gathers[:2], "int16")
    with pytest.raises(FormatError, match="source 0 holds 36 traces, the gathers 24 and the rejects 0"):
        verify("line", store=store)


def test_a_survey_that_is_not_there_is_named(store: str) -> None:
    with pytest.raises(NotFoundError, match="survey 'line' does not exist"):
        verify("line", store=store)


def test_seg2_records_are_verified_too(data_folder: Path, store: str) -> None:
    records = [str(data_folder / "soda_lakes" / "raw" / f"Shot_0100{i}.sg2") for i in (1, 2)]
    ingest("soda", records, store=store)
    assert verify("soda", store=store).n_traces == 192
