from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.errors import SegyError
from seisray.formats.segy.file import SegyLayout, read_layout
from seisray.formats.segy.text import decode_text, end_of_text, read_text_headers, text_encoding

MakeSegy = Callable[..., bytes]
LINES = [f"C{i + 1:>2} CLIENT: NOBODY, LINE 7 (TEST) 100%" for i in range(40)]
PAGE = "".join(line.ljust(80) for line in LINES)


def reader(data: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, length: data[offset : offset + length]


def layout_of(data: bytes) -> SegyLayout:
    return read_layout(reader(data), len(data), "f.sgy")


@pytest.mark.parametrize("encoding", ["ascii", "cp037"])
def test_forty_lines_are_read_in_either_code(encoding: str) -> None:
    assert text_encoding(PAGE.encode(encoding)) == encoding
    assert decode_text(PAGE.encode(encoding)).split("\n") == LINES


@pytest.mark.parametrize("record", [b"", bytes(3200), b"\xff" * 3200, b"\n" * 3200, b"\x40" * 3200, b" " * 3200])
def test_what_is_no_text_still_has_forty_lines(record: bytes) -> None:
    assert decode_text(record).count("\n") == 39


@given(st.binary(max_size=3300))
def test_any_bytes_become_forty_printable_lines(record: bytes) -> None:
    lines = decode_text(record).split("\n")
    assert len(lines) == 40
    assert all(len(line) <= 80 and line.isprintable() for line in lines)


@pytest.mark.parametrize("encoding", ["ascii", "cp037"])
def test_extended_text_headers_follow_the_first(encoding: str, make_segy: MakeSegy) -> None:
    texts = ["((SEG: Location Data))\n".ljust(3200).encode(encoding), "((SEG: EndText))".ljust(3200).encode(encoding)]
    data = make_segy(np.zeros((2, 5), "i2"), format=3, revision=(1, 0), texts=texts)
    found = read_text_headers(reader(data), layout_of(data))
    assert [text.split("\n")[0] for text in found] == ["C 1 made by hand", "((SEG: Location Data))", "((SEG: EndText))"]
    assert all(text.count("\n") == 39 for text in found)


def test_a_file_without_extended_text_has_one(make_segy: MakeSegy) -> None:
    data = make_segy(np.zeros((2, 5), "i2"), format=3)
    assert len(read_text_headers(reader(data), layout_of(data))) == 1


def test_text_longer_than_a_screen_is_not_read(make_segy: MakeSegy) -> None:
    data = make_segy(np.zeros((2, 5), "i2"), format=3, revision=(1, 0), texts=[b"x"] * 200)
    assert len(read_text_headers(reader(data), layout_of(data))) == 64


@pytest.mark.parametrize("stanza", ["((SEG: EndText))", "((seg:endtext))", "(( SEG : ENDTEXT ))"])
@pytest.mark.parametrize("encoding", ["ascii", "cp037"])
@pytest.mark.parametrize("records", [1, 2, 16, 17, 40])
def test_the_end_is_found_in_any_spelling(stanza: str, encoding: str, records: int) -> None:
    texts = [f"text {i}".ljust(3200) for i in range(records)]
    texts[-1] = ("goes on".ljust(80) + stanza).ljust(3200)
    data = bytes(3600) + "".join(texts).encode(encoding) + bytes(10_000)
    assert end_of_text(reader(data), len(data), "f.sgy") == 3600 + 3200 * records


def test_the_search_for_the_end_is_bounded() -> None:
    reads = []

    def read_at(offset: int, length: int) -> bytes:
        reads.append(length)
        return bytes(length)

    with pytest.raises(SegyError, match=r"^f\.sgy: .*none of the 1024 records"):
        end_of_text(read_at, 10**12, "f.sgy")
    assert sum(reads) == 1024 * 3200
