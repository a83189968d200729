"""IBM System/360 hexadecimal floats to IEEE float32, the format code 1 of SEG-Y."""

import numpy as np
from numpy.typing import NDArray

# value = (-1)^sign * 16^(exponent - 64) * mantissa / 2^24; the 256 possible first bytes make one table.
_FIRST_BYTE = np.arange(256)
_FACTOR = np.where(_FIRST_BYTE < 128, 1.0, -1.0) * 16.0 ** ((_FIRST_BYTE & 0x7F) - 64) / 2.0**24


def ibm_to_float32(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Return native IBM words of any shape as float32; normalised words are bit for bit what segyio gives.

    Values beyond float32 become infinite, smaller ones than its smallest become 0. (segyio 1.9 misreads words whose
    mantissa begins with a zero digit.)
    """
    with np.errstate(over="ignore"):
        return (_FACTOR[words >> 24] * (words & 0x00FFFFFF)).astype(np.float32)
