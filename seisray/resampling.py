"""Gathers at another sampling interval: brought to where a period has the samples that a picker learned from."""

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction

import numpy as np
import scipy  # its signal, a second of every command's start, is imported where it is used
from numpy.typing import NDArray

from seisray.gather import Gather
from seisray.transforms import Samples, trace_rms

SMALLEST_FRACTION = 64  # denominators of resampling factors, at most

Factors = Mapping[tuple[str, float], float]
"""By how much gathers are resampled, by survey and sampling interval."""


def samples_per_period(gathers: Iterable[Gather]) -> float:
    """Return the `median_period` of whole records: of their live traces without NaN or infinite samples."""
    return median_period(gather.samples[whole_traces(gather)] for gather in gathers)


def whole_traces(gather: Gather) -> NDArray[np.bool_]:
    """Return (n_traces,) which traces are live, and finite throughout."""
    return np.asarray(gather.live & np.isfinite(gather.samples).all(axis=1))


def median_period(records: Iterable[Samples]) -> float:
    """Return the samples in a period of the frequency below which half of the energy lies, traces counting alike.

    records: (n_traces, n_samples), any of each. NaN where there is no energy. The median, unlike the mean, is not moved
    by noise far above the signal.
    """
    energy = np.zeros(0)
    for traces in records:
        if not traces.size:
            continue
        frequency, found = scipy.signal.welch(
            traces / np.maximum(trace_rms(traces), np.finfo(np.float32).tiny),
            nperseg=min(512, traces.shape[1]),
            nfft=512 if traces.shape[1] < 512 else None,
            axis=-1,
        )
        energy = (energy if energy.size else np.zeros(len(frequency))) + found.sum(axis=0)
    if not energy.any():
        return math.nan
    return float(1 / np.interp(0.5, np.cumsum(energy) / energy.sum(), frequency))


def resampling_factor(period: float, wanted: float) -> float:
    """Return the power of two by which samples are multiplied so that a period has about as many as wanted.

    Pickers meet stretched records as they learn, so that a factor in between would gain nothing.
    """
    return float(2.0 ** round(math.log2(wanted / period)))


def resample(samples: Samples, factor: float) -> Samples:
    """Return (n_traces, ceil(n_samples * factor)) band-limited samples; the first one lies where it lay."""
    if factor == 1:
        return samples
    ratio = Fraction(factor).limit_denominator(SMALLEST_FRACTION)
    made = scipy.signal.resample_poly(samples, ratio.numerator, ratio.denominator, axis=1)
    return np.ascontiguousarray(made, dtype=np.float32)


def resample_gather(gather: Gather, factor: float) -> Gather:
    """Return a gather at another sampling interval; its first breaks stay where they are."""
    if factor == 1:
        return gather
    return gather.replace(
        samples=resample(gather.samples, factor), sample_interval_us=gather.sample_interval_us / factor
    )
