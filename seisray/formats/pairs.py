"""Pairs of whole numbers, such as FFID and channel, that are sorted and found many at a time."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Pairs = NDArray[np.complex128]
"""(n,): first + 1j * second. NumPy orders complex numbers by the real, then the imaginary part."""

LARGEST = 2**53
"""Whole numbers up to this one are exact in a pair."""


def pairs(first: ArrayLike, second: ArrayLike) -> Pairs:
    """Return the pairs of two arrays of whole numbers, of one shape."""
    found = np.empty(np.broadcast_shapes(np.shape(first), np.shape(second)), dtype=np.complex128)
    found.real, found.imag = first, second
    return found


def find_rows(among: Pairs, wanted: Pairs) -> NDArray[np.int64]:
    """Return the row of each wanted pair in `among`, which is sorted; -1 = not there."""
    if not len(among):
        return np.full(wanted.shape, -1, dtype=np.int64)
    row = np.minimum(np.searchsorted(among, wanted), len(among) - 1)
    return np.where(among[row] == wanted, row, -1)
