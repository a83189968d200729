"""Mutated SEG-Y files: an error that says so, or a read that stays within the file."""

import struct
from collections.abc import Callable

import numpy as np
import pytest

from seisray.errors import SegyError
from seisray.formats.segy.file import SegyLayout, read_layout
from seisray.formats.segy.samples import decode_samples
from seisray.formats.segy.text import read_text_headers

MakeSegy = Callable[..., bytes]
MUTATIONS_A_FILE = 1300
END = b"((SEG: EndText))"
# Where one wrong byte changes how all others are read: (byte, struct format).
FIELDS = [
    *((byte, "h") for byte in (3213, 3217, 3221, 3225, 3255, 3501, 3503, 3505)),
    *((byte, "i") for byte in (3261, 3269, 3297, 3507, 3529)),
    *((byte, "q") for byte in (3273, 3513, 3521)),
]
LIMITS = {"h": 2**15, "i": 2**31, "q": 2**63}
TELLING = [0, 1, -1, 2, -2, 3, 5, 6, 7, 9, 15, 16, 50, 240, 255, 256, 3600, 16909060, 33620995, 67305985]


@pytest.fixture(scope="module")
def files(make_segy: MakeSegy, ibm_words: Callable[[np.ndarray], np.ndarray]) -> list[bytes]:
    rng = np.random.default_rng(0)
    noise, numbers = rng.normal(size=(12, 60)), rng.integers(-999, 999, (12, 60))
    return [
        make_segy(noise.astype("f4")),
        make_segy(noise.astype("f4"), order="<"),
        make_segy(numbers.astype("i2"), format=3, revision=(1, 0), texts=[b"text"]),
        make_segy(numbers.astype("i2"), format=3, order="<", revision=(1, 0), texts=[END], binary={3505: ("h", -1)}),
        make_segy(noise, format=6, revision=(2, 0), additional=1, binary={3513: ("Q", 12)}),
        make_segy(numbers.astype("i1"), format=8, revision=(2, 1), order="<", trailers=[b"((SEG: T))"]),
        make_segy(
            numbers.astype("i4"),
            format=2,
            revision=(2, 1),
            texts=[b"x", END],
            trailers=[b"((SEG: T))"] * 2,
            binary={3505: ("h", -1), 3529: ("i", -1)},
        ),
        make_segy(ibm_words(rng.normal(size=(30, 60))), format=1),
    ]


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with header fields, bytes, or its length changed, one or several of these."""
    changed = bytearray(data)
    for kind in rng.choice(6, size=rng.integers(1, 4), p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.1]):
        at = int(rng.integers(len(changed) + 1))
        if kind == 0 and len(changed) > 3540:  # a field that decides the layout
            byte, format = FIELDS[rng.integers(len(FIELDS))]
            limit = LIMITS[format]
            value = TELLING[rng.integers(len(TELLING))] if rng.random() < 0.7 else int(rng.integers(-limit, limit))
            struct.pack_into("><"[rng.integers(2)] + format, changed, byte - 1, (value + limit) % (2 * limit) - limit)
        elif kind == 1:  # bytes anywhere, most of them in headers
            for place in np.concatenate([rng.integers(3200, 3600, 3), rng.integers(0, max(len(changed), 1), 3)]):
                if place < len(changed):
                    changed[place] = rng.integers(256)
        elif kind == 2:  # counts and intervals of trace headers
            for place in range(3600 + 114, len(changed) - 4, int(rng.integers(240, 600))):
                changed[place : place + 2] = rng.bytes(2)
        elif kind == 3:
            del changed[at:]
        elif kind == 4:
            changed[at:at] = bytes(int(rng.integers(1, 700)))
        else:
            del changed[at : at + int(rng.integers(1, 700))]
    return bytes(changed)


class Reader:
    """Read a file, and fail where a read leaves it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.reads = data, 0

    def __call__(self, offset: int, length: int) -> bytes:
        assert offset >= 0
        assert length >= 0
        assert offset + length <= len(self.data)
        self.reads += 1
        return self.data[offset : offset + length]


def read_ends(read_at: Reader, layout: SegyLayout) -> None:
    """Read the first and the last trace."""
    for trace in (0, layout.n_traces - 1):
        block = np.frombuffer(read_at(layout.offset(trace), layout.trace_bytes), np.uint8)[None]
        assert decode_samples(block, layout).shape == (1, layout.n_samples)
    assert all(text.count("\n") == 39 for text in read_text_headers(read_at, layout))


@pytest.mark.parametrize("number", range(8))
def test_mutated_files_are_refused_or_read_within_their_bytes(number: int, files: list[bytes]) -> None:
    rng = np.random.default_rng(number)
    refused = read = 0
    for _ in range(MUTATIONS_A_FILE):
        read_at = Reader(mutated(files[number], rng))
        try:
            layout = read_layout(read_at, len(read_at.data), "f.sgy")
        except SegyError as error:
            refused += str(error).startswith("f.sgy")
        else:
            assert layout.n_traces >= 1
            assert layout.n_samples >= 1
            assert layout.offset(layout.n_traces) <= len(read_at.data)
            assert 0 < layout.sample_interval_us < np.inf
            read_ends(read_at, layout)
            read += 1
        assert read_at.reads < 100
    assert refused + read == MUTATIONS_A_FILE
    assert 0.2 < refused / MUTATIONS_A_FILE < 0.99


def test_the_files_are_read_before_they_are_mutated(files: list[bytes]) -> None:
    for data in files:
        read_ends(Reader(data), read_layout(Reader(data), len(data), "f.sgy"))
