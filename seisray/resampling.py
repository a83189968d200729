"""Gathers at another sampling interval: brought to where a period has the samples that a picker learned from."""

import math
import sys
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy import signal

from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.transforms import Samples, trace_rms

SMALLEST_FRACTION = 64  # denominators of resampling factors, at most


def samples_per_period(gathers: Iterable[Gather]) -> float:
    """Return the samples in a period of the frequency below which half of the energy lies, traces counting alike.

    NaN where no live trace has energy. The median, unlike the mean, is not moved by noise far above the signal.
    """
    energy = np.zeros(0)
    for gather in gathers:
        traces = gather.samples[gather.live & np.isfinite(gather.samples).all(axis=1)]
        if not len(traces):
            continue
        frequency, found = signal.welch(
            traces / np.maximum(trace_rms(traces), np.finfo(np.float32).tiny),
            nperseg=min(512, gather.n_samples),
            nfft=512 if gather.n_samples < 512 else None,
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
    made = signal.resample_poly(samples, ratio.numerator, ratio.denominator, axis=1)
    return np.ascontiguousarray(made, dtype=np.float32)


def resample_gather(gather: Gather, factor: float) -> Gather:
    """Return a gather at another sampling interval; its first breaks stay where they are."""
    if factor == 1:
        return gather
    return gather.replace(
        samples=resample(gather.samples, factor), sample_interval_us=gather.sample_interval_us / factor
    )


class Tempo(NamedTuple):
    """Say how finely a picker sees records: the sampling interval it learned at, and the samples in a period there."""

    interval_us: float
    samples_per_period: float


def in_one_tempo(gathers: Sequence[Gather], tempo: Tempo | None = None) -> tuple[list[Gather], float]:
    """Return gathers of surveys at several sampling intervals in one, and the samples that a period has then.

    tempo: of a picker that goes on learning; by default that of the first gather. Gathers of its interval stay as they
    are. Raises ConfigError where an interval has silent gathers only.
    """
    factors, wanted = tempo_factors(gathers, tempo)
    return [resample_gather(gather, factors[gather.sample_interval_us]) for gather in gathers], wanted


def tempo_factors(gathers: Sequence[Gather], tempo: Tempo | None = None) -> tuple[dict[float, float], float]:
    """Return by which factor `in_one_tempo` resamples gathers of each interval, and the samples in a period then.

    What is resampled is told on standard error, in a line for each interval.
    """
    factors = {tempo.interval_us: 1.0} if tempo else {}
    wanted = tempo.samples_per_period if tempo else math.nan
    for interval_us in dict.fromkeys(gather.sample_interval_us for gather in gathers):
        if interval_us in factors:
            continue
        own = [gather for gather in gathers if gather.sample_interval_us == interval_us]
        period = samples_per_period(own)
        if math.isnan(period):
            raise ConfigError(f"the gathers sampled at {interval_us:g} us are silent; leave them out")
        wanted = period if math.isnan(wanted) else wanted
        factors[interval_us] = factor = resampling_factor(period, wanted)
        if factor != 1:
            shown = f"{len(own)} gathers sampled at {interval_us:g} us are resampled to {interval_us / factor:g} us"
            print(f"{shown}: a period has {period:.0f} samples, {wanted:.0f} are expected", file=sys.stderr)
    return factors, wanted
