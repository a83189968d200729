import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seisray.errors import ConfigError, NotFoundError
from seisray.formats.segy.layout import ReadAs
from seisray.gather import Gather
from seisray.inspection import files as inspection
from seisray.inspection.facts import FieldFacts, Inspection
from seisray.inspection.files import inspect, survey_name
from seisray.storage import locate

N_TRACES, N_SAMPLES = 12, 128
Line = Callable[..., Path]


def put(path: Path, byte: int, values: Any, dtype: str = ">i4", n_samples: int = N_SAMPLES) -> None:
    """Overwrite one trace header field of a SEG-Y file with 4-byte samples."""
    data = bytearray(path.read_bytes())
    blocks = np.frombuffer(data, dtype=np.uint8, offset=3600).reshape(-1, 240 + 4 * n_samples)
    raw = np.broadcast_to(np.asarray(values, dtype=dtype), len(blocks)).copy().view(np.uint8)
    blocks[:, byte - 1 : byte - 1 + np.dtype(dtype).itemsize] = raw.reshape(len(blocks), -1)
    path.write_bytes(data)


@pytest.fixture
def line(tmp_path: Path, line_gathers: Callable[..., list[Gather]], write_segy: Callable[..., Path]) -> Line:
    """Return a function that writes a line of shots, FFIDs 101 and on, as line.sgy."""

    def write(n: int = 6, name: str = "line.sgy", *, format: int = 5, endian: str = "big", **how: Any) -> Path:
        return write_segy(tmp_path / name, line_gathers(n, **how), format=format, endian=endian)

    return write


@pytest.fixture
def by_receiver(tmp_path: Path, line_gathers: Callable[..., list[Gather]], write_segy: Callable[..., Path]) -> Path:
    """Return a file whose traces are sorted by receiver: 12 receivers with 6 shots each."""
    path = write_segy(tmp_path / "line.sgy", line_gathers(6))
    data = path.read_bytes()
    traces = np.frombuffer(data, np.uint8, offset=3600).reshape(6, N_TRACES, -1)
    path.write_bytes(data[:3600] + traces.swapaxes(0, 1).tobytes())
    return path


def field(found: Inspection, name: str) -> FieldFacts:
    return next(one for one in found.fields if one.name == name)


def tail(found: Inspection, file: Path) -> list[str]:
    """Return what the command to run says behind the file."""
    words = shlex.split(found.command or "")
    return words[words.index(str(file)) + 1 :]


def test_a_plain_file_needs_no_options(line: Line) -> None:
    path = line()
    found = inspect([str(path)])
    assert shlex.split(found.command or "") == ["seisray", "ingest", "line", str(path)]
    assert found.key is not None
    assert (found.key.gather_traces, found.key.contiguous) == (N_TRACES, True)
    assert "FFID (bytes 9-12) changes every 12 traces, the channel counter's period" in found.key.evidence[0]


def test_a_file_is_described(line: Line) -> None:
    file = inspect([str(line(format=1))]).files[0]
    assert (file.kind, file.byte_order, file.sample_format) == ("SEG-Y", "big endian", "IBM float")
    assert (file.n_traces, file.n_samples, file.sample_interval_us, file.duration_ms) == (72, 128, 1000, 128)
    assert file.n_traces_read == 72


def test_little_endian_is_seen(line: Line) -> None:
    file = inspect([str(line(endian="little"))]).files[0]
    assert file.byte_order == "little endian"
    assert next(one for one in file.fields if one.name == "ffid").maximum == 106


def test_fields_are_zero_constant_counting_or_in_steps(line: Line) -> None:
    found = inspect([str(line())])
    patterns = {name: field(found, name).pattern for name in ("ffid", "channel", "coordinate_scalar", "receiver_z")}
    assert patterns == {"ffid": "steps", "channel": "counts", "coordinate_scalar": "constant", "receiver_z": "zero"}
    ffid = field(found, "ffid")
    assert (ffid.place, ffid.minimum, ffid.maximum, ffid.run_traces, ffid.n_changes) == ("9-12", 101, 106, (12, 12), 5)
    assert ffid.direction == "rises"


@pytest.mark.parametrize("constant", [0, 7])
def test_a_constant_ffid_gives_way_to_the_shot_point(line: Line, constant: int) -> None:
    path = line()
    put(path, 9, constant)
    found = inspect([str(path)])
    assert tail(found, path) == ["--header=ffid=17"]
    assert found.key is not None
    assert found.key.evidence[0] == "FFID (bytes 9-12) is constant"
    assert found.key.evidence[1].startswith("bytes 17-20 change every 12 traces")
    assert found.key.evidence[1].endswith("pass --header ffid=17")


@pytest.mark.parametrize(
    ("byte", "dtype", "place"), [(181, ">i4", "181"), (235, ">i2", "235:int16"), (197, ">i4", "197")]
)
def test_a_shot_number_is_found_wherever_it_stands(line: Line, byte: int, dtype: str, place: str) -> None:
    path = line()
    put(path, 9, 0)
    put(path, 17, 0)
    for coordinate in (73, 77):
        put(path, coordinate, 0)
    put(path, 233, np.arange(72), ">i2")
    put(path, byte, np.repeat(np.arange(2001, 2007), N_TRACES), dtype)
    found = inspect([str(path)])
    assert tail(found, path) == [f"--header=ffid={place}"]
    assert field(inspect([str(path)], header=[f"ffid={place}"]), "ffid").maximum == 2006


def test_of_two_numbers_the_one_that_keeps_step_with_the_channels_is_the_shots(line: Line) -> None:
    path = line()
    for byte in (9, 17, 73, 77):
        put(path, byte, 0)
    put(path, 181, np.repeat(np.arange(12), 6))
    put(path, 205, np.repeat(np.arange(6), N_TRACES))
    assert tail(inspect([str(path)]), path) == ["--header=ffid=205"]


def test_a_little_endian_shot_number_is_found_too(line: Line) -> None:
    path = line(endian="little")
    put(path, 9, 0)
    put(path, 17, 0)
    put(path, 233, np.repeat(np.arange(2001, 2007), N_TRACES), "<i4")
    assert tail(inspect([str(path)]), path) == ["--header=ffid=233"]


def test_the_channel_number_in_place_of_the_ffid_is_no_shot_number(line: Line) -> None:
    path = line()
    put(path, 9, np.tile(np.arange(1, N_TRACES + 1), 6))
    assert tail(inspect([str(path)]), path) == ["--header=ffid=17"]


def test_an_ffid_of_several_shots_gives_way_to_a_finer_number(line: Line) -> None:
    path = line()
    put(path, 9, np.repeat([5, 6, 7], 2 * N_TRACES))
    assert tail(inspect([str(path)]), path) == ["--header=ffid=17"]


def test_shots_without_a_number_are_told_apart_by_their_position(line: Line) -> None:
    path = line()
    put(path, 9, 0)
    put(path, 17, 0)
    assert tail(inspect([str(path)]), path) == ["--group-by=source_x,source_y"]


def test_a_file_sorted_by_receiver_is_grouped_so(by_receiver: Path) -> None:
    found = inspect([str(by_receiver)])
    assert tail(found, by_receiver) == ["--group-by=receiver"]
    assert found.key is not None
    assert "FFID (bytes 9-12) changes at every trace (6 values seen, some come back)" in found.key.evidence
    assert found.key.gather_traces == 6
    assert field(found, "ffid").comes_back


def test_a_file_sorted_by_what_has_no_name_is_grouped_by_its_bytes(by_receiver: Path) -> None:
    for byte in (73, 77, 81, 85):
        put(by_receiver, byte, 0)
    put(by_receiver, 17, 0)
    put(by_receiver, 13, np.repeat(np.arange(12), 6))
    put(by_receiver, 205, np.repeat(np.arange(501, 513), 6))
    assert tail(inspect([str(by_receiver)]), by_receiver) == ["--group-by=205:int32"]


def test_traces_in_no_order_keep_the_ffid_and_are_said_to_be_scattered(line: Line) -> None:
    path = line()
    rng = np.random.default_rng(1)
    for byte in (9, 13, 17, 73, 81):
        put(path, byte, rng.permutation(np.repeat(np.arange(101, 107), N_TRACES)))
    found = inspect([str(path)])
    assert tail(found, path) == []
    assert found.key is not None
    assert not found.key.contiguous


def test_a_file_without_any_number_says_that_none_was_found(line: Line) -> None:
    path = line()
    for byte in (9, 17, 73, 81):
        put(path, byte, 0)
    found = inspect([str(path)])
    assert found.key is not None
    assert not found.key.found


def test_a_file_of_one_gather_is_one_gather(line: Line) -> None:
    found = inspect([str(line(1))])
    assert found.key is not None
    assert (found.key.found, found.key.gather_traces) == (True, N_TRACES)


def test_one_file_a_shot_is_grouped_by_the_ffid(line: Line, tmp_path: Path) -> None:
    for number in range(4):
        line(1, f"shot{number}.sgy", first_ffid=300 + number)
    found = inspect([str(tmp_path)])
    assert tail(found, tmp_path) == []
    assert found.key is not None
    assert "changes every 12 traces" in found.key.evidence[0]


def test_the_geometry_of_a_file_is_told(line: Line) -> None:
    found = inspect([str(line())])
    assert found.geometry == (
        "6 source positions: x 0.2 to 10.2 m, y 0.0 m",
        "12 receiver positions: x 0.0 to 22.0 m, y 0.0 m",
    )


def test_a_file_without_coordinates_asks_for_a_geometry(line: Line) -> None:
    path = line()
    for byte in (73, 77, 81, 85):
        put(path, byte, 0)
    assert "--geometry" in inspect([str(path)]).geometry[0]


def test_offsets_that_disagree_with_the_coordinates_are_odd(line: Line) -> None:
    path = line()
    put(path, 37, 500)
    assert any("offsets disagree with the coordinates on 72 of 72" in one for one in inspect([str(path)]).oddities)


def test_coordinates_that_were_not_filled_in_are_no_positions(line: Line) -> None:
    path = line()
    x = np.where(np.arange(72) < 3, 0, 35_400_000 + np.arange(72))
    for byte in (73, 77):
        put(path, byte, x)
    found = inspect([str(path)])
    assert found.geometry[0].startswith("69 source positions: x 354,000")
    assert any("0, 0 on 3 traces read" in one for one in found.oddities)


def test_a_shot_at_the_origin_of_a_local_grid_is_one(line: Line) -> None:
    path = line()
    put(path, 73, np.repeat(100 * np.arange(6), N_TRACES))
    assert inspect([str(path)]).geometry[0] == "6 source positions: x 0.0 to 5.0 m, y 0.0 m"


def test_angles_are_no_positions(line: Line) -> None:
    path = line()
    put(path, 89, 2, ">i2")
    assert "coordinates are angles" in inspect([str(path)]).geometry[0]


@pytest.mark.parametrize(
    ("byte", "dtype", "values", "said"),
    [
        (109, ">i2", -10, "recording delay \N{MINUS SIGN}10 ms"),
        (29, ">i2", 9, "trace codes 9"),
        (117, ">u2", np.where(np.arange(72) == 40, 500, 1000), "1 of 72 trace headers say 500 us a sample"),
    ],
)
def test_what_is_odd_in_headers_is_said(line: Line, byte: int, dtype: str, values: Any, said: str) -> None:
    path = line()
    put(path, byte, values, dtype)
    assert any(said in one for one in inspect([str(path)]).oddities)


def test_amplitudes_are_told(
    line_gathers: Callable[..., list[Gather]], write_segy: Callable[..., Path], tmp_path: Path
) -> None:
    gathers = line_gathers(2)
    gathers[0].samples[4, 10] = np.nan
    gathers[1].samples[7] = np.clip(gathers[1].samples[7], -5, 5)
    samples = inspect([str(write_segy(tmp_path / "line.sgy", gathers))]).files[0].samples
    assert samples is not None
    assert (samples.n_traces, samples.n_dead, samples.n_not_finite, samples.n_clipped) == (24, 2, 1, 1)
    assert samples.peak == pytest.approx(max(np.nanmax(np.abs(gather.samples)) for gather in gathers))


def test_files_that_differ_are_compared(line: Line, tmp_path: Path) -> None:
    line(2, "a.sgy")
    line(2, "b.sgy", sample_interval_us=500.0, format=1)
    odd = " ".join(inspect([str(tmp_path)]).oddities)
    assert "sample intervals: 1000 us, 500 us" in odd
    assert "sample formats: IBM float, IEEE float" in odd


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no field files"):
        inspect([str(tmp_path)])


def test_files_that_cannot_be_read_are_told_and_left_out_of_the_command(line: Line, tmp_path: Path) -> None:
    good = line()
    cut, text = tmp_path / "cut.sgy", tmp_path / "text.sgy"
    cut.write_bytes(good.read_bytes()[:-100])
    text.write_text("no seismics here\n" * 400)
    gone = tmp_path / "gone.sgy"
    found = inspect([str(cut), str(text), str(gone), str(good)])
    assert [file.error is None for file in found.files] == [False, False, False, True]
    assert "bytes" in str(found.files[0].error)
    assert shlex.split(found.command or "")[2:] == [tmp_path.name, str(good)]
    assert any("3 of 4 files cannot be read" in one for one in found.oddities)


def test_nothing_readable_leaves_no_command(tmp_path: Path) -> None:
    (tmp_path / "empty.sgy").touch()
    found = inspect([str(tmp_path / "empty.sgy")])
    assert (found.command, found.readable, found.key) == (None, (), None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=500),
    st.sampled_from([b"", b"\x55\x3a", b"\x3a\x55"]),
    st.lists(st.tuples(st.integers(3200, 3840 + 12 * 752 - 1), st.integers(0, 255)), max_size=12),
    st.integers(0, 600),
)
def test_damaged_files_never_break_it(
    damaged: Path, noise: bytes, magic: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(damaged.with_suffix(".whole").read_bytes())
    for at, value in changes:
        data[min(at, len(data) - 1)] = value
    for content in (bytes(data[: len(data) - cut]), magic + noise):
        damaged.write_bytes(content)
        found = inspect([str(damaged)])
        assert (found.command is None) == (found.files[0].error is not None)


@pytest.fixture
def damaged(line: Line, tmp_path: Path) -> Path:
    whole = line(1)
    whole.rename(tmp_path / "damaged.whole")
    return tmp_path / "damaged.sgy"


def test_a_file_of_3_gb_costs_some_megabytes(line: Line) -> None:
    path = line(40, n_traces=48, n_samples=1000)
    trace_bytes = 240 + 4000
    os.truncate(path, 3600 + 700_000 * trace_bytes)  # a sparse file: its traces past the 40th gather are zeros
    found = inspect([str(path)])
    assert found.files[0].bytes > 2.9e9
    assert found.bytes_read < 22 << 20
    assert found.files[0].n_traces == 700_000


def test_gathers_longer_than_a_window_are_measured_by_single_headers(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = line(4, n_traces=700)
    monkeypatch.setattr(inspection, "WINDOW_BYTES", 64 << 10)  # 85 traces
    found = inspect([str(path)])
    assert found.key is not None
    assert found.key.gather_traces == 700
    assert "changes after 700 traces (4 values seen, none comes back)" in found.key.evidence[0]
    assert found.bytes_read < 700_000


def test_only_the_beginning_of_very_long_traces_is_read(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    path = line(2, n_samples=4096)
    monkeypatch.setattr(inspection, "WINDOW_BYTES", 4096)
    found = inspect([str(path)])
    assert found.bytes_read < 300_000
    assert found.files[0].samples is not None
    assert found.files[0].samples.peak > 0


def test_of_many_files_some_are_read(line: Line, tmp_path: Path) -> None:
    for number in range(60):
        line(1, f"shot{number:02}.sgy", first_ffid=number)
    found = inspect([str(tmp_path)])
    assert (found.n_found, len(found.files)) == (60, inspection.MOST_FILES)
    assert field(found, "ffid").minimum == 0
    assert field(found, "ffid").maximum == 59


def test_a_remote_file_gets_the_same_answer(line: Line, s3: str) -> None:
    path = line()
    remote = f"{s3}/inspect/line.sgy"
    locate(remote).write_bytes(path.read_bytes())
    here, there = inspect([str(path)]), inspect([remote])
    assert (here.fields, here.key, here.geometry) == (there.fields, there.key, there.geometry)
    assert shlex.split(there.command or "") == ["seisray", "ingest", "line", remote]


def test_names_are_quoted_for_the_shell(line: Line) -> None:
    path = line(name="line 1; rm -r.sgy")
    assert shlex.split(inspect([str(path)]).command or "") == ["seisray", "ingest", "line_1_rm_-r", str(path)]


def test_what_the_user_says_is_in_the_command(line: Line) -> None:
    path = line()
    found = inspect([str(path)], header=["ffid=17"], read_as=ReadAs(sample_format=5))
    assert tail(found, path) == ["--header=ffid=17", "--sample-format=5"]


def test_a_wrong_header_is_an_error(line: Line) -> None:
    with pytest.raises(ConfigError):
        inspect([str(line())], header=["nothing=9"])


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["/a/b/line 1.sgy"], "line_1"),
        (["/a/b"], "b"),
        (["/a/b/1.sgy", "/a/b/2.sgy"], "b"),
        (["s3://bucket/x/y.sgy"], "y"),
    ],
)
def test_a_survey_is_named_after_its_files(files: Sequence[str], name: str) -> None:
    assert survey_name(files) == name


def test_the_picture_is_written_where_it_is_wanted(line: Line, tmp_path: Path) -> None:
    picture = tmp_path / "look.png"
    assert inspect([str(line())], picture=str(picture)).picture == str(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("where", "gather_traces", "kind"),
    [("geostack/geostack.sgy", 48, "SEG-Y"), ("danube_island", 48, "SEG-Y"), ("soda_lakes/raw", 96, "SEG-2")],
)
def test_the_real_surveys_need_no_options(data_folder: Path, where: str, gather_traces: int, kind: str) -> None:
    found = inspect([str(data_folder / where)])
    assert tail(found, data_folder / where) == []
    assert found.key is not None
    assert found.key.gather_traces == gather_traces
    assert {file.kind for file in found.files} == {kind}


def test_a_seg2_record_tells_its_words_and_its_delay(data_folder: Path) -> None:
    found = inspect([str(data_folder / "soda_lakes" / "raw" / "Shot_01007.sg2")])
    assert "INSTRUMENT DMT_SUMMIT" in found.files[0].text
    assert "recording delay \N{MINUS SIGN}10 ms" in found.oddities


def test_of_large_seg2_records_two_are_read(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "ALL_BYTES", 100_000)
    found = inspect([str(data_folder / "soda_lakes")])
    assert [Path(file.uri).stem for file in found.files] == ["Shot_01001", "Shot_01060"]
