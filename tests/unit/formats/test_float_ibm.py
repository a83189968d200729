import struct
from pathlib import Path

import numpy as np
import pytest
import segyio
from hypothesis import given
from hypothesis import strategies as st

from seisray.formats.segy.float_ibm import CACHED_WORDS, float32_to_ibm, ibm_to_float32


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


def test_every_first_byte_is_bit_for_bit_what_float64_rounds_to() -> None:
    """Exponents whose values overflow, underflow or become denormal are among them, with mantissas of every kind."""
    mantissas = np.array([0, 1, 2, 3, 0xFFFFF, 0x100000, 0x100001, 0x7FFFFF, 0x800000, 0x800001, 0xFFFFFE, 0xFFFFFF])
    words = np.arange(256)[:, None] << 24 | np.concatenate(
        [mantissas, np.random.default_rng(0).integers(0, 2**24, 500)]
    )
    with np.errstate(over="ignore"):
        value = np.ldexp((words & 0xFFFFFF).astype(float), 4 * (words >> 24 & 127) - 280)
        expected = np.copysign(value, np.where(words >> 31, -1.0, 1.0)).astype(np.float32)
    assert np.isinf(expected).any()
    assert ((expected != 0) & (np.abs(expected) < np.finfo(np.float32).tiny)).any()
    found = ibm_to_float32(words.astype(np.uint32))
    assert found.shape == words.shape
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("size", [0, 1, CACHED_WORDS - 1, CACHED_WORDS, CACHED_WORDS + 1, 3 * CACHED_WORDS + 7])
def test_pieces_join_without_a_seam(size: int) -> None:
    numbers = np.arange(size)
    words = (0x46000000 + numbers).astype(np.uint32)  # integers under one exponent
    np.testing.assert_array_equal(ibm_to_float32(words), numbers.astype(np.float32))
    assert (words == 0x46000000 + numbers).all()


@pytest.mark.parametrize(("word", "value"), [(0x7FFFFFFF, np.inf), (0xFFFFFFFF, -np.inf), (0x00000001, 0.0)])
def test_beyond_float32_is_infinite_and_below_it_is_zero(word: int, value: float) -> None:
    assert ibm_to_float32(np.array([word], dtype=np.uint32))[0] == value


def test_words_go_there_and_back_bit_for_bit() -> None:
    rng = np.random.default_rng(1)
    words = rng.integers(2, size=10**5, dtype=np.uint32) << 31 | rng.integers(34, 96, 10**5, dtype=np.uint32) << 24
    words |= rng.integers(2**20, 2**24, 10**5, dtype=np.uint32)
    np.testing.assert_array_equal(float32_to_ibm(ibm_to_float32(words)), words)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_any_float_is_within_the_mantissa_of_its_ibm_word(value: float) -> None:
    back = ibm_to_float32(float32_to_ibm(np.float32([value])))[0]
    np.testing.assert_allclose(back, np.float32(value), rtol=2.0**-20, atol=2.0**-149)
    assert np.signbit(back) == np.signbit(np.float32(value)) or value == 0
