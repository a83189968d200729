import numpy as np
import pytest

from seisray.errors import ConfigError
from seisray.formats.headers import STANDARD, HeaderField, header_mapping

FORMATS = ["int16", "int32", "uint16", "uint32", "float32"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("byte_order", [">", "<"])
def test_what_is_written_is_read_back(format: str, byte_order: str) -> None:
    field = HeaderField(byte=181, format=format)
    blocks = np.zeros((3, 240), dtype=np.uint8)
    field.write(blocks, np.array([1, 300, 32767]), byte_order)
    np.testing.assert_array_equal(field.read(blocks, byte_order), [1, 300, 32767])


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


@pytest.mark.parametrize("change", ["ffid", "ffid=", "fold=9", "ffid=x", "ffid=9:int64", "ffid=0", "ffid=238", "=9"])
def test_an_impossible_place_is_refused(change: str) -> None:
    with pytest.raises(ConfigError):
        header_mapping([change])
