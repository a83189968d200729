import struct

import numpy as np
import pytest
import segyio
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import ConfigError
from seisray.formats.segy.headers import OPTIONAL, STANDARD, HeaderField, header_mapping

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
FORMATS = [*INTEGERS, "float32", "float64"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("byte_order", [">", "<"])
def test_what_is_written_is_read_back(format: str, byte_order: str) -> None:
    field = HeaderField(byte=181, format=format)
    blocks = np.zeros((3, 240), dtype=np.uint8)
    field.write(blocks, np.array([1, 30, 127]), byte_order)
    np.testing.assert_array_equal(field.read(blocks, byte_order), [1, 30, 127])


@given(
    format=st.sampled_from(FORMATS),
    byte_order=st.sampled_from("><"),
    byte=st.integers(1, 480),
    raw=st.binary(min_size=2 * 480, max_size=2 * 480),
)
def test_any_place_is_read_as_struct_reads_it(format: str, byte_order: str, byte: int, raw: bytes) -> None:
    code = dict(zip(FORMATS, "bhiqBHIQfd", strict=True))[format]
    field = HeaderField(byte=byte, format=format)
    blocks = np.frombuffer(raw, np.uint8).reshape(2, 480)
    if field.last_byte > 480:
        with pytest.raises(
            ConfigError, match=rf"^f\.sgy: header bytes {byte}-{field.last_byte} .*beyond the 480 bytes"
        ):
            field.check_within(480, "f.sgy")
        with pytest.raises(ConfigError):
            field.read(blocks, byte_order)
        return
    field.check_within(480, "f.sgy")
    expected = [struct.unpack_from(byte_order + code, raw, trace * 480 + byte - 1)[0] for trace in range(2)]
    found = field.read(blocks, byte_order)
    np.testing.assert_array_equal(found, np.array(expected, dtype=found.dtype))
    assert found.dtype == np.dtype(format)


@pytest.mark.parametrize("format", INTEGERS)
def test_whole_numbers_keep_their_range(format: str) -> None:
    limits = np.iinfo(format)
    blocks = np.zeros((2, 240), dtype=np.uint8)
    HeaderField(byte=1, format=format).write(blocks, np.array([limits.min, limits.max], dtype=format), ">")
    assert HeaderField(byte=1, format=format).read(blocks, ">").tolist() == [limits.min, limits.max]


def test_the_last_byte_that_is_allowed_is_named() -> None:
    with pytest.raises(ConfigError, match=r"bytes 238-241 \(int32\) .* 240 bytes .*; expected byte 237 at most"):
        HeaderField(byte=238).check_within(240, "f.sgy")


def test_bytes_count_from_one() -> None:
    blocks = np.arange(240, dtype=np.uint8)[None]
    assert HeaderField(byte=1, format="uint16").read(blocks, ">")[0] == 0x0001


def test_the_other_byte_order_swaps() -> None:
    blocks = np.arange(240, dtype=np.uint8)[None]
    assert HeaderField(byte=1, format="uint16").read(blocks, "<")[0] == 0x0100


def test_the_last_bytes_of_a_header_can_be_used() -> None:
    blocks = np.zeros((1, 240), dtype=np.uint8)
    blocks[0, 236:] = [0, 0, 1, 2]
    assert HeaderField(byte=237).read(blocks, ">")[0] == 258


def test_a_change_keeps_the_format_of_the_standard_unless_told() -> None:
    mapping = header_mapping(["delay_ms=111", "ffid=17:int16"])
    assert mapping["delay_ms"] == HeaderField(byte=111, format="int16")
    assert mapping["ffid"] == HeaderField(byte=17, format="int16")
    assert mapping["channel"] == STANDARD["channel"]


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_has_no_place_in_the_standard_has_one_only_where_it_is_given(name: str) -> None:
    assert name not in header_mapping([])
    assert header_mapping([f"{name}=233"])[name] == HeaderField(byte=233, format="int32")
    assert header_mapping([f"{name}=233:float64"])[name] == HeaderField(byte=233, format="float64")


@pytest.mark.parametrize(("name", "byte"), [("cdp", 21), ("inline", 189), ("crossline", 193)])
def test_stacked_data_have_their_places(name: str, byte: int) -> None:
    assert STANDARD[name] == HeaderField(byte=byte, format="int32")


def test_places_are_segyios() -> None:
    keys = segyio.TraceField
    for name, key in {
        "ffid": keys.FieldRecord,
        "channel": keys.TraceNumber,
        "shot_point": keys.EnergySourcePoint,
        "cdp": keys.CDP,
        "trace_code": keys.TraceIdentificationCode,
        "offset": keys.offset,
        "receiver_z": keys.ReceiverGroupElevation,
        "source_z": keys.SourceSurfaceElevation,
        "elevation_scalar": keys.ElevationScalar,
        "coordinate_scalar": keys.SourceGroupScalar,
        "source_x": keys.SourceX,
        "source_y": keys.SourceY,
        "receiver_x": keys.GroupX,
        "receiver_y": keys.GroupY,
        "coordinate_units": keys.CoordinateUnits,
        "delay_ms": keys.DelayRecordingTime,
        "n_samples": keys.TRACE_SAMPLE_COUNT,
        "sample_interval_us": keys.TRACE_SAMPLE_INTERVAL,
        "inline": keys.INLINE_3D,
        "crossline": keys.CROSSLINE_3D,
        "time_scalar": keys.ScalarTraceHeader,
    }.items():
        assert STANDARD[name].byte == int(key)


@pytest.mark.parametrize(
    "change",
    [
        "ffid",
        "ffid=",
        "fold=9",
        "ffid=x",
        "ffid=9:int128",
        "ffid=0",
        "=9",
        "ffid=-1",
        "ffid=²",
        "ffid=" + 5000 * "9",
    ],
)
def test_an_impossible_place_is_refused(change: str) -> None:
    with pytest.raises(ConfigError):
        header_mapping([change])
