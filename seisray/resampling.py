"""Gathers at another sampling interval: brought to where a period has the samples that a picker learned from."""

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.transforms import Samples, trace_rms
from seisray.units import ms_to_sample

SMALLEST_FRACTION = 64  # denominators of resampling factors, at most


def samples_per_period(gathers: Iterable[Gather]) -> float:
    """Return the samples in a period of the frequency below which half of the energy lies, traces counting alike.

    NaN where no live trace has energy. The median, unlike the mean, is not moved by noise far above the signal.
    """
    return _period(gather.samples[_whole(gather)] for gather in gathers)


def first_break_period(gathers: Sequence[Gather]) -> float:
    """Return the same of what follows the first breaks, as long as a period of whole records; NaN where none is known.

    Of whole records most is ground roll, which on soft ground is several times slower than what is picked.
    """
    length = samples_per_period(gathers)
    return math.nan if math.isnan(length) else _period(_after_first_breaks(one, math.ceil(length)) for one in gathers)


def _whole(gather: Gather) -> NDArray[np.bool_]:
    return np.asarray(gather.live & np.isfinite(gather.samples).all(axis=1))


def _after_first_breaks(gather: Gather, length: int) -> Samples:
    """Return (n, about 5/4 length) samples, a quarter of them before the first breaks; of records that hold as much."""
    start = ms_to_sample(gather.first_break_ms, gather.sample_interval_us) - length // 4
    usable = _whole(gather) & (start >= 0) & (start + 5 * length // 4 <= gather.n_samples)  # NaN is neither
    at = np.round(start[usable]).astype(int)[:, None] + np.arange(5 * length // 4)
    return np.take_along_axis(gather.samples[usable], np.minimum(at, gather.n_samples - 1), axis=1)


def _period(records: Iterable[Samples]) -> float:
    energy = np.zeros(0)
    for traces in records:
        if not traces.size:
            continue
        frequency, found = signal.welch(
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
    """Say how finely a network sees records: the sampling interval it learned at, and the samples in a period there."""

    interval_us: float
    samples_per_period: float


def in_one_tempo(gathers: Sequence[Gather], tempo: Tempo | None = None) -> tuple[list[Gather], float]:
    """Return labelled gathers of surveys at several sampling intervals in one, and their `first_break_period` then.

    tempo: of a picker that goes on learning; by default that of the first gather. Gathers of its interval stay as they
    are. Raises ConfigError where an interval has silent gathers only.
    """
    factors, wanted = tempo_factors(gathers, tempo, period_of=first_break_period)
    return [resample_gather(gather, factors[gather.sample_interval_us]) for gather in gathers], wanted


def tempo_factors(
    gathers: Sequence[Gather],
    tempo: Tempo | None = None,
    *,
    period_of: Callable[[Sequence[Gather]], float] = samples_per_period,
) -> tuple[dict[float, float], float]:
    """Return by which factor gathers of each interval are to be resampled, and the samples in a period then.

    period_of: how the samples in a period are told, those of `tempo`, too. What is resampled is told on standard error,
    in a line for each interval.
    """
    factors = {tempo.interval_us: 1.0} if tempo else {}
    wanted = tempo.samples_per_period if tempo else math.nan
    for interval_us in dict.fromkeys(gather.sample_interval_us for gather in gathers):
        if interval_us in factors:
            continue
        own = [gather for gather in gathers if gather.sample_interval_us == interval_us]
        period = period_of(own)
        if math.isnan(period):
            raise ConfigError(
                f"the gathers sampled at {interval_us:g} us are silent, or all their first breaks lie too near the "
                "ends of the records; leave them out"
            )
        wanted = period if math.isnan(wanted) else wanted
        factors[interval_us] = factor = resampling_factor(period, wanted)
        if factor != 1:
            shown = f"{len(own)} gathers sampled at {interval_us:g} us are resampled to {interval_us / factor:g} us"
            print(f"{shown}: a period has {period:.0f} samples, {wanted:.0f} are expected", file=sys.stderr)
    return factors, wanted
