import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import segyio

from seisray.errors import ExistsError, StorageError
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest
from seisray.ingest.export import export_segy

pytestmark = pytest.mark.usefixtures("ray_session")

LineGathers = Callable[..., list[Gather]]
WriteSegy = Callable[..., Path]
FLOAT32 = IngestConfig(encoding="float32")


@pytest.mark.parametrize("format", [1, 5])
@pytest.mark.parametrize("endian", ["big", "little"])
def test_a_float32_survey_gives_the_same_bytes(
    format: int, endian: str, line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    path = write_segy(tmp_path / "line.sgy", line_gathers(), format=format, endian=endian)
    ingest("line", [str(path)], store=store, config=FLOAT32)
    made = export_segy("line", str(tmp_path / "out"), store=store)
    assert made.files == [str(tmp_path / "out" / "line.sgy")]
    assert Path(made.files[0]).read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("small_ranges")
def test_regrouped_traces_go_back_to_where_they_were(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    path = write_segy(tmp_path / "line.sgy", line_gathers())
    ingest("line", [str(path)], store=store, config=IngestConfig(encoding="float32", group_by="receiver"))
    made = export_segy("line", str(tmp_path / "out"), store=store)
    # the receiver that recorded nothing is no part of the survey
    whole = np.frombuffer(path.read_bytes()[3600:], dtype=np.uint8).reshape(36, -1)
    kept = np.delete(whole, [2, 14, 26], axis=0)
    assert Path(made.files[0]).read_bytes() == path.read_bytes()[:3600] + kept.tobytes()
    assert (made.n_traces, made.n_left_out) == (33, 3)


def test_an_int16_survey_comes_back_within_its_quantisation(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    path = write_segy(tmp_path / "line.sgy", line_gathers(), format=1)
    ingest("line", [str(path)], store=store)
    (file,) = export_segy("line", str(tmp_path / "out"), store=store).files
    with segyio.open(str(path), ignore_geometry=True) as old, segyio.open(file, ignore_geometry=True) as new:
        assert [dict(header) for header in old.header] == [dict(header) for header in new.header]
        assert old.text[0] == new.text[0]
        peak = np.abs(old.trace.raw[:]).max(axis=1, keepdims=True)
        assert (np.abs(new.trace.raw[:] - old.trace.raw[:]) <= 0.51 * peak / 32767).all()


def test_no_file_is_written_over(line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path) -> None:
    path = write_segy(tmp_path / "line.sgy", line_gathers())
    ingest("line", [str(path)], store=store)
    with pytest.raises(ExistsError, match=r"line\.sgy exists; export into another folder"):
        export_segy("line", str(tmp_path), store=store)


def test_seg2_records_become_one_segy_file(data_folder: Path, store: str, tmp_path: Path) -> None:
    records = [str(data_folder / "soda_lakes" / "raw" / f"Shot_0100{i}.sg2") for i in (1, 2)]
    ingest("soda", records, store=store, config=FLOAT32)
    (file,) = export_segy("soda", str(tmp_path / "out"), store=store).files
    again = ingest("again", [file], store=store, config=FLOAT32)
    assert (again.n_gathers, again.n_traces) == (2, 192)


def test_what_stands_behind_the_traces_comes_back_too(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    path = write_segy(tmp_path / "line.sgy", line_gathers())
    data = bytearray(path.read_bytes() + b"T" * 3200)
    data[3500] = 2  # revision
    struct.pack_into(">h", data, 3502, 1)  # all traces have one length
    struct.pack_into(">i", data, 3528, 1)  # one trailer
    path.write_bytes(data)
    survey = ingest("line", [str(path)], store=store, config=FLOAT32)
    assert survey.n_traces == 36
    (file,) = export_segy("line", str(tmp_path / "out"), store=store).files
    assert Path(file).read_bytes() == data


def test_files_that_differ_in_their_suffix_alone_keep_their_own_names(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    files = [
        str(write_segy(tmp_path / f"line.{end}", line_gathers(2, seed=i))) for i, end in enumerate(("sgy", "segy"))
    ]
    ingest("line", files, store=store, config=FLOAT32)
    made = export_segy("line", str(tmp_path / "out"), store=store).files
    assert [Path(file).name for file in made] == ["line-sgy.sgy", "line-segy.segy"]
    assert [Path(file).read_bytes() for file in made] == [Path(file).read_bytes() for file in files]


def test_a_folder_that_cannot_be_written_is_named(
    line_gathers: LineGathers, write_segy: WriteSegy, store: str, tmp_path: Path
) -> None:
    path = write_segy(tmp_path / "line.sgy", line_gathers())
    ingest("line", [str(path)], store=store)
    with pytest.raises(StorageError, match=r"line\.sgy"):
        export_segy("line", str(path), store=store)
