"""Conversions between samples and time, and the SEG-Y scalar rule."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def sample_to_ms(sample: ArrayLike, sample_interval_us: float) -> NDArray[np.float64]:
    """Return the time in ms from the first sample of fractional sample indices; NaN stays NaN."""
    return np.asarray(sample, dtype=np.float64) * (sample_interval_us / 1000.0)


def ms_to_sample(time_ms: ArrayLike, sample_interval_us: float) -> NDArray[np.float64]:
    """Return the fractional sample index of times in ms from the first sample; NaN stays NaN."""
    return np.asarray(time_ms, dtype=np.float64) * (1000.0 / sample_interval_us)


def apply_scalar(value: ArrayLike, scalar: ArrayLike) -> NDArray[np.float64]:
    """Return header values with their scalar applied: positive multiplies, negative divides, 0 counts as 1.

    value, scalar: (n_traces,) integers. Source: SEG-Y rev 1, trace header bytes 69-72.
    """
    factor = np.asarray(scalar, dtype=np.float64)
    factor = np.where(factor == 0, 1.0, factor)
    return np.asarray(value, dtype=np.float64) * np.where(factor < 0, -1.0 / factor, factor)
