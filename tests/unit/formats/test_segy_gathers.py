import struct
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segyio
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import SegyError
from seisray.formats.segy.file import SegyLayout, read_layout
from seisray.formats.segy.gathers import Reading, gathers_starting_in, pieces_of, read_range
from seisray.formats.segy.headers import header_mapping
from seisray.formats.segy.key import gather_key
from seisray.gather import Gather, Reject

LineGathers = Callable[..., list[Gather]]
WriteSegy = Callable[..., Path]


def layout_of(data: bytes) -> SegyLayout:
    return read_layout(reader(data), len(data), "f.sgy")


def reader(data: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, length: data[offset : offset + length]


def reading_of(data: bytes, header: Sequence[str] = (), group_by: str = "ffid", **options: str) -> Reading:
    mapping = header_mapping(header)
    return Reading(
        survey="s",
        name="f",
        source_file="f.sgy",
        source=3,
        layout=layout_of(data),
        key=gather_key(group_by, mapping),
        mapping=mapping,
        **options,  # type: ignore[arg-type]
    )


def read(data: bytes, cuts: Sequence[int] = (), **options: Any) -> list[Gather | Reject]:
    """Return what ranges that tile the file at `cuts` yield, in order."""
    reading = reading_of(data, **options)
    edges = [0, *sorted(cuts), reading.layout.n_traces]
    found: list[Gather | Reject] = []
    for first, stop in pairwise(edges):
        if first < stop:
            blocks = read_range(reader(data), reading.layout, first, stop)
            found += gathers_starting_in(blocks, first, reader(data), reading)
    return found


def gathers_of(data: bytes, **options: Any) -> list[Gather]:
    found = read(data, **options)
    assert all(isinstance(gather, Gather) for gather in found)
    return [gather for gather in found if isinstance(gather, Gather)]


def by_segyio(path: Path, endian: str = "big") -> np.ndarray:
    with segyio.open(str(path), ignore_geometry=True, endian=endian) as file:
        return np.array(file.trace.raw[:])


def put(data: bytes, byte: int, format: str, value: float) -> bytes:
    """Return a file with a header value changed; bytes count from 1."""
    changed = bytearray(data)
    struct.pack_into(format, changed, byte - 1, value)
    return bytes(changed)


@pytest.fixture(scope="module")
def file(line_gathers: LineGathers, write_segy: WriteSegy, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return an IEEE file of 3 gathers of 12 traces of 128 samples."""
    return write_segy(tmp_path_factory.mktemp("segy") / "f.sgy", line_gathers()).read_bytes()


TRACE_BYTES = 240 + 4 * 128


@pytest.mark.parametrize("format", [1, 5])
@pytest.mark.parametrize("endian", ["big", "little"])
def test_samples_are_bit_for_bit_what_segyio_reads(
    format: int, endian: str, line_gathers: LineGathers, write_segy: WriteSegy, tmp_path: Path
) -> None:
    path = write_segy(tmp_path / "f.sgy", line_gathers(), format=format, endian=endian)
    samples = np.concatenate([gather.samples for gather in gathers_of(path.read_bytes())])
    np.testing.assert_array_equal(samples.view(np.uint32), by_segyio(path, endian).view(np.uint32))


@pytest.mark.parametrize(("format", "dtype"), [(3, ">i2"), (8, ">i1")])
def test_whole_numbers_become_the_same_floats(format: int, dtype: str, file: bytes) -> None:
    numbers = np.array([[-100, 0, 1, 127], [5, 6, 7, 8]]).astype(dtype)
    head = put(put(file[:3600], 3225, ">h", format), 3221, ">H", 4)
    trace_headers = [put(file[3600:3840], 115, ">H", 4) for _ in numbers]
    data = head + b"".join(header + row.tobytes() for header, row in zip(trace_headers, numbers, strict=True))
    np.testing.assert_array_equal(gathers_of(data)[0].samples, numbers.astype(np.float32))


sizes = st.lists(st.sampled_from([1, 2, 3, 5, 17, 63, 64, 65, 130]), min_size=1, max_size=6)


@given(sizes=sizes, cuts=st.lists(st.integers(0, 800), max_size=8), start=st.integers(-3, 3))
def test_ranges_that_tile_a_file_yield_each_gather_once(sizes: list[int], cuts: list[int], start: int) -> None:
    gathers = [
        Gather(
            survey="s",
            gather_id="",
            source_file="",
            ffid=start + i,
            shot_point=0,
            sample_interval_us=500,
            samples=np.full((size, 2), i) + np.arange(size)[:, None] / 256,
        )
        for i, size in enumerate(sizes)
    ]
    data = raw_file(gathers)
    found = [gather for gather in read(data, [cut for cut in cuts if cut < sum(sizes)])]
    assert [gather.ffid for gather in found] == [gather.ffid for gather in gathers]
    for ours, theirs in zip(found, gathers, strict=True):
        np.testing.assert_array_equal(ours.samples, theirs.samples)


def raw_file(gathers: Sequence[Gather]) -> bytes:
    """Return a rev 0 file with FFIDs and samples alone, made without seisray's writer."""
    head = bytearray(3600)
    struct.pack_into(">H", head, 3216, round(gathers[0].sample_interval_us))
    struct.pack_into(">H", head, 3220, gathers[0].n_samples)
    struct.pack_into(">h", head, 3224, 5)
    body = b""
    for gather in gathers:
        for row in gather.samples:
            body += struct.pack(">8xi228x", gather.ffid) + row.astype(">f4").tobytes()
    return bytes(head) + body


def test_every_single_cut_of_a_real_file_yields_what_segyio_reads(
    file: bytes, line_gathers: LineGathers, write_segy: WriteSegy, tmp_path: Path
) -> None:
    expected = by_segyio(write_segy(tmp_path / "f.sgy", line_gathers()))
    for cut in range(1, 36):
        found = [gather.samples for gather in read(file, [cut])]
        assert len(found) == 3
        np.testing.assert_array_equal(np.concatenate(found), expected)


def test_ranges_of_one_trace_each_still_yield_whole_gathers(file: bytes) -> None:
    assert [gather.n_traces for gather in read(file, range(36))] == [12, 12, 12]


def test_headers_are_read_by_the_standard(file: bytes, line_gathers: LineGathers) -> None:
    for found, made in zip(gathers_of(file), line_gathers(), strict=True):
        assert (found.ffid, found.shot_point, found.sample_interval_us) == (made.ffid, made.shot_point, 1000.0)
        assert found.gather_id == f"f-{made.ffid}"
        np.testing.assert_array_equal(found.channel, made.channel)
        np.testing.assert_allclose(found.source_x_m, made.source_x_m)
        np.testing.assert_allclose(found.receiver_x_m, made.receiver_x_m)


def test_a_quantity_that_is_zero_on_every_trace_is_unknown(file: bytes) -> None:
    found = gathers_of(file)[0]
    assert np.isnan([found.offset_m, found.source_z_m, found.receiver_z_m]).all()
    np.testing.assert_array_equal(found.source_y_m, 0)  # x is known, so y = 0 is a place


def test_another_place_of_the_ffid_can_be_named(file: bytes) -> None:
    by_shot_point = gathers_of(file, header=["ffid=17"])
    assert [gather.ffid for gather in by_shot_point] == [1, 2, 3]


def test_traces_marked_dead_are_not_live(file: bytes) -> None:
    first = gathers_of(put(file, 3600 + 29, ">h", 2))[0]
    np.testing.assert_array_equal(np.flatnonzero(~first.live), [0, 2])


def test_the_delay_is_kept_and_does_not_shift(
    line_gathers: LineGathers, write_segy: WriteSegy, tmp_path: Path, file: bytes
) -> None:
    path = write_segy(tmp_path / "f.sgy", line_gathers(delay_ms=-10))
    late, plain = gathers_of(path.read_bytes())[0], gathers_of(file)[0]
    assert late.delay_ms == -10
    np.testing.assert_array_equal(late.samples, plain.samples)


def test_extended_text_headers_are_skipped(file: bytes) -> None:
    head = put(put(file[:3600], 3501, ">B", 1), 3505, ">h", 2)
    longer = gathers_of(head + bytes(6400) + file[3600:])
    np.testing.assert_array_equal(longer[2].samples, gathers_of(file)[2].samples)


@pytest.mark.parametrize(
    ("change", "named"), [(-1, "cut short"), (7, "cut short"), (-12 * TRACE_BYTES - 4, "cut short")]
)
def test_a_file_that_does_not_hold_whole_traces_is_refused(change: int, named: str, file: bytes) -> None:
    data = file + bytes(change) if change > 0 else file[:change]
    with pytest.raises(SegyError, match=rf"f\.sgy: {len(data)} bytes .*{named}"):
        layout_of(data)


@pytest.mark.parametrize(
    ("byte", "value", "named"),
    [
        (3221, 0, "0 samples a trace"),
        (3217, 0, "at 0 us"),
        (3225, 0, "format code 0"),
        (3225, 99, "format code 99"),
    ],
)
def test_a_file_header_that_lies_is_refused(byte: int, value: int, named: str, file: bytes) -> None:
    with pytest.raises(SegyError, match=named):
        layout_of(put(file, byte, ">H", value))


@pytest.mark.parametrize("size", [0, 10, 3600, 3839, 3840, 100_000])
def test_a_text_file_is_no_segy(size: int) -> None:
    text = (b"shot,receiver,time\n" * 6000)[:size]
    with pytest.raises(SegyError, match="is not a SEG-Y file"):
        layout_of(text)


@pytest.mark.parametrize(
    ("byte", "named"), [(115, "n_samples 77"), (117, "sample_interval_us 77"), (109, "recording delays from 0 to 77")]
)
def test_a_gather_whose_trace_headers_disagree_is_rejected(byte: int, named: str, file: bytes) -> None:
    found = read(put(file, 3600 + 5 * TRACE_BYTES + byte, ">h", 77))
    assert [type(gather) for gather in found] == [Reject, Gather, Gather]
    assert isinstance(found[0], Reject)
    assert (found[0].ffid, found[0].first_byte, found[0].n_traces) == (101, 3600, 12)
    assert named in found[0].reason


def test_feet_become_metres(file: bytes) -> None:
    metres, feet = gathers_of(file)[0], gathers_of(put(file, 3255, ">h", 2))[0]
    np.testing.assert_allclose(feet.receiver_x_m, 0.3048 * metres.receiver_x_m)
    np.testing.assert_allclose(feet.receiver_z_m, 0.3048 * metres.receiver_z_m)
    assert np.isfinite(metres.receiver_x_m).all()


def test_coordinates_that_are_angles_stay_unknown(file: bytes) -> None:
    first, second = gathers_of(put(file, 3600 + 89, ">h", 2))[:2]
    assert np.isnan(first.receiver_x_m).all()
    assert np.isfinite(second.receiver_x_m).all()


def test_the_time_scalar_reaches_the_delay(line_gathers: LineGathers, write_segy: WriteSegy, tmp_path: Path) -> None:
    data = write_segy(tmp_path / "f.sgy", line_gathers(1, delay_ms=-15)).read_bytes()
    layout = layout_of(data)
    for trace in range(layout.n_traces):
        data = put(data, layout.offset(trace) + 215, ">h", -10)
    assert gathers_of(data)[0].delay_ms == -1.5


def test_a_trace_knows_its_record_its_place_in_the_file_and_its_header(file: bytes) -> None:
    third = gathers_of(file)[2]
    np.testing.assert_array_equal(third.field_record, 103)
    np.testing.assert_array_equal(third.source, 3)
    np.testing.assert_array_equal(third.source_trace, np.arange(25, 37))
    assert third.trace_headers[5].tobytes() == file[3600 + 29 * TRACE_BYTES :][:240]


def test_a_key_of_two_headers_tells_gathers_apart(file: bytes) -> None:
    changed = file
    for trace in range(6, 12):
        changed = put(changed, 3600 + trace * TRACE_BYTES + 13, ">i", 77)
    found = gathers_of(changed, header=["source_line=13"], group_by="source_line,shot_point")
    assert [(gather.gather_id, gather.n_traces) for gather in found][5:8] == [("f-6-1", 1), ("f-77-1", 6), ("f-1-2", 1)]


def test_a_gather_too_large_to_be_one_is_refused(file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seisray.formats.segy.gathers.LARGEST_GATHER_BYTES", 20 * TRACE_BYTES)
    constant = file
    for trace in range(36):
        constant = put(constant, 3600 + trace * TRACE_BYTES + 9, ">i", 0)
    with pytest.raises(SegyError, match=r"f\.sgy: ffid, header byte 9 \(int32\), is 0 on more than .* --group-by"):
        read(constant, cuts=[8])


def test_pieces_of_ranges_hold_every_trace_once(file: bytes) -> None:
    reading = reading_of(file, group_by="channel")
    pieces = [
        piece
        for first, stop in ((0, 17), (17, 36))
        for piece in pieces_of(read_range(reader(file), reading.layout, first, stop), first, reading)
    ]
    assert all(isinstance(piece, Gather) for piece in pieces)
    traces = np.concatenate([piece.source_trace for piece in pieces])  # type: ignore[union-attr]
    assert sorted(traces) == list(range(1, 37))


@pytest.mark.parametrize(
    ("unit", "origin", "value", "expected_ms"),
    [("ms", "first-sample", 30, 30), ("ms", "shot", 30, 40), ("us", "shot", 20000, 30), ("samples", "shot", 25, 25)],
)
def test_first_breaks_in_headers_have_a_unit_and_an_origin(
    unit: str,
    origin: str,
    value: int,
    expected_ms: float,
    line_gathers: LineGathers,
    write_segy: WriteSegy,
    tmp_path: Path,
) -> None:
    data = write_segy(tmp_path / "f.sgy", line_gathers(1, delay_ms=-10)).read_bytes()
    data = put(data, 3600 + 4 * TRACE_BYTES + 201, ">i", value)
    (gather,) = gathers_of(data, header=["first_break=201"], pick_unit=unit, pick_origin=origin)
    np.testing.assert_array_equal(np.flatnonzero(gather.labelled), [4])
    assert gather.first_break_ms[4] == expected_ms


def test_a_first_break_in_a_header_beyond_the_record_rejects_the_gather(file: bytes) -> None:
    found = read(put(file, 3600 + 201, ">i", 5000), header=["first_break=201"])
    assert [type(one) for one in found] == [Reject, Gather, Gather]
    assert isinstance(found[0], Reject)
    assert "trace 1 has a first break at 5000 ms" in found[0].reason
