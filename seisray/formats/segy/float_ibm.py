"""IBM System/360 hexadecimal floats to IEEE float32, the format code 1 of SEG-Y."""

import numpy as np
from numpy.typing import NDArray

CACHED_WORDS = 1 << 14  # words and two temporaries of that size stay in a core's own cache


def ibm_to_float32(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Return native IBM words of any shape as float32; normalised words are bit for bit what segyio gives.

    Values beyond float32 become infinite, smaller ones than its smallest become 0. (segyio 1.9 misreads words whose
    mantissa begins with a zero digit.)
    """
    found = np.array(words, dtype=np.uint32, order="C")
    decode_in_place(found)
    return found.view(np.float32)


def decode_in_place(words: NDArray[np.uint32]) -> None:
    """Turn contiguous native IBM words into the bits of their float32.

    value = sign * mantissa * 2^(4 exponent - 280). The first byte alone, its lower bits cleared, reads as the float32
    f = sign * 2^(2 exponent - 127), so value = mantissa * f * |f| * 2^-26. Every factor is exact and only the last
    product rounds: denormals and infinities come out as from float64, without its traffic.
    """
    flat = words.reshape(-1)
    size = min(flat.size, CACHED_WORDS)
    mantissas, firsts = np.empty(size, dtype=np.uint32), np.empty(size, dtype=np.uint32)
    scale = np.float32(2.0**-26)
    with np.errstate(over="ignore", under="ignore"):
        for start in range(0, flat.size, CACHED_WORDS):
            word = flat[start : start + CACHED_WORDS]
            value = word.view(np.float32)
            mantissa, first = mantissas[: word.size], firsts[: word.size]
            np.bitwise_and(word, 0x00FFFFFF, out=mantissa)
            np.bitwise_and(word, 0xFF000000, out=first)
            factor = first.view(np.float32)
            value[:] = mantissa.view(np.int32)  # signed, because processors convert these fast
            value *= factor
            np.abs(factor, out=factor)
            factor *= scale
            value *= factor


def float32_to_ibm(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return finite float32 of any shape as normalised native IBM words.

    Words that ibm_to_float32 read come back bit for bit; other values lose up to three bits of their mantissa.
    """
    fraction, exponent = np.frexp(values.astype(np.float64))
    hexadecimal = -(-exponent // 4)  # value = fraction * 2^exponent = mantissa * 2^-24 * 16^hexadecimal
    mantissa = np.rint(np.abs(np.ldexp(fraction, exponent - 4 * hexadecimal + 24))).astype(np.int64)
    full = mantissa >> 24  # rounded up to the next power of 16
    mantissa >>= 4 * full
    word = (mantissa | ((hexadecimal + full + 64) << 24)) * (mantissa > 0)
    return (word | (np.signbit(values).astype(np.int64) << 31)).astype(np.uint32)
