"""Smoothing by a bell curve."""

import numpy as np
from numpy.typing import NDArray


def smooth(values: NDArray[np.float64], scale: float, axis: int = -1) -> NDArray[np.float64]:
    """Return values smoothed along one axis by a Gaussian, `scale` samples its standard deviation; ends mirror."""
    length = values.shape[axis]
    mirrored = np.concatenate([values, np.flip(values, axis)], axis)
    response = np.exp(-2.0 * (np.pi * scale * np.fft.rfftfreq(2 * length)) ** 2)
    shape = [1] * values.ndim
    shape[axis] = len(response)
    spectrum = np.fft.rfft(mirrored, axis=axis) * response.reshape(shape)
    back = np.fft.irfft(spectrum, n=2 * length, axis=axis)
    kept: NDArray[np.float64] = np.take(back, np.arange(length), axis)
    return kept
