import struct
from pathlib import Path

import numpy as np
import pytest
import segyio
from hypothesis import given
from hypothesis import strategies as st

from seisray.formats.float_ibm import ibm_to_float32


def by_segyio(words: np.ndarray, path: Path) -> np.ndarray:
    """Return what segyio makes of words, one trace of 1000 samples after the other."""
    head = bytearray(3600)
    struct.pack_into(">H", head, 3216, 1000)
    struct.pack_into(">H", head, 3220, 1000)
    struct.pack_into(">h", head, 3224, 1)
    traces = words.reshape(-1, 1000).astype(">u4")
    path.write_bytes(bytes(head) + b"".join(bytes(240) + trace.tobytes() for trace in traces))
    with segyio.open(str(path), ignore_geometry=True) as file:
        return file.trace.raw[:].ravel()


def test_known_words() -> None:
    found = ibm_to_float32(np.array([0x41100000, 0xC276A000, 0x00000000], dtype=np.uint32))
    np.testing.assert_array_equal(found, np.float32([1.0, -118.625, 0.0]))


def test_a_million_normalised_words_are_bit_for_bit_what_segyio_gives(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sign, exponent = (
        rng.integers(2, size=10**6, dtype=np.uint32),
        rng.integers(64 - 30, 64 + 32, 10**6, dtype=np.uint32),
    )
    words = sign << 31 | exponent << 24 | rng.integers(2**20, 2**24, 10**6, dtype=np.uint32)
    expected = by_segyio(words, tmp_path / "ibm.sgy")
    np.testing.assert_array_equal(ibm_to_float32(words).view(np.uint32), expected.view(np.uint32))


@given(sign=st.sampled_from([1, -1]), exponent=st.integers(-30, 31), mantissa=st.integers(0, 2**24 - 1))
def test_any_word_is_its_mantissa_times_a_power_of_sixteen(sign: int, exponent: int, mantissa: int) -> None:
    word = (sign < 0) << 31 | exponent + 64 << 24 | mantissa
    expected = np.float32(np.ldexp(float(sign * mantissa), 4 * exponent - 24))
    assert ibm_to_float32(np.array([word], dtype=np.uint32))[0] == expected


@pytest.mark.parametrize(("word", "value"), [(0x7FFFFFFF, np.inf), (0xFFFFFFFF, -np.inf), (0x00000001, 0.0)])
def test_beyond_float32_is_infinite_and_below_it_is_zero(word: int, value: float) -> None:
    assert ibm_to_float32(np.array([word], dtype=np.uint32))[0] == value
