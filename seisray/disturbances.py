"""What geophones record beside the shot.

Each kind is a function that returns samples (n_traces, n_samples), to be added in units of the RMS of each trace;
`rustle` takes the place of a record.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from seisray.config import AugmentConfig
from seisray.transforms import Samples, pad_to, trace_rms

STRENGTH = (0.01, 0.3)
"""RMS or, of a plane wave, peak of what is added, against the RMS of the trace: at least and at most."""
HUM = (0.005, 0.24)
"""Cycles a sample: those of 50 and 60 Hz at sampling intervals of 0.1 to 4 ms."""
PERIODS = (8.0, 64.0)
"""Samples, of a plane wave's wavelets."""
MOVEOUT = 8.0
"""Samples a trace at most, of a plane wave."""
SMOOTHEST = 16
"""Samples that noise alone is the mean of, at most."""
GAP = 256
"""Samples between the wavelets of a plane wave in the mean."""
FINER = 4
"""Times of a plane wave are looked up between samples so many to one, linearly."""
GUARD = 24
"""Samples before a first break that may already belong to it, as where labels are of its first peak."""
SHORTEST = 32
"""Samples that recorded noise is cut from at least, before it repeats."""
LATEST = 256
"""Samples by which a later shot may come later than it must, at most."""

Labelled = tuple[Samples, NDArray[np.float32]]
"""Samples (n_traces, n_samples) and first breaks (n_traces,) in samples, NaN = not labelled."""


def disturb(
    labelled: Labelled,
    rng: np.random.Generator,
    config: AugmentConfig,
    others: Sequence[Labelled] = (),
    *,
    stretch: int | None = None,
) -> Samples:
    """Return the samples (n_traces, n_samples) with what happens to disturb them, each kind at a random strength.

    others: gathers that recorded noise and later shots are taken from; without any there are none. Dead traces stay
    so. stretch: see `trace_rms`. Kinds that are off draw nothing from rng.
    """
    samples, first_break = labelled
    n_traces, n_samples = samples.shape
    added = []
    if config.hum and rng.random() < config.hum:
        added.append(hum(n_traces, n_samples, rng))
    if config.plane_wave and rng.random() < config.plane_wave:
        added.append(plane_wave(n_traces, n_samples, rng))
    if others and config.recorded and rng.random() < config.recorded:
        added.append(recorded_noise(_one_of(others, rng), n_traces, n_samples, rng))
    if others and config.later_shot and rng.random() < config.later_shot:
        added.append(later_shot(_one_of(others, rng), first_break, n_samples, rng, stretch=stretch))
    if not added:
        return samples
    total = sum(_between(*STRENGTH, rng) * one for one in added)
    return (samples + trace_rms(samples, stretch) * total).astype(np.float32)


def _one_of(others: Sequence[Labelled], rng: np.random.Generator) -> Labelled:
    return others[int(rng.integers(len(others)))]


def _between(low: float, high: float, rng: np.random.Generator) -> float:
    """Return a number within low..high, any factor as likely as another."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def hum(n_traces: int, n_samples: int, rng: np.random.Generator) -> Samples:
    """Return a sinusoid of random frequency, RMS 1 on all traces, or on each 0 to 1 and with a phase of its own."""
    cycles = _between(*HUM, rng) * np.arange(n_samples)
    phase, rms = np.full((n_traces, 1), rng.random()), np.ones((n_traces, 1))
    if rng.random() < 0.5:  # each geophone by its own cable
        phase, rms = rng.random((n_traces, 1)), rng.random((n_traces, 1))
    return (np.sqrt(2) * rms * np.sin(2 * np.pi * (cycles + phase))).astype(np.float32)


def rustle(n_traces: int, n_samples: int, rng: np.random.Generator) -> Samples:
    """Return noise, each trace for itself and all of one colour, from white to the mean of SMOOTHEST samples; RMS 1."""
    white = rng.normal(size=(n_traces, n_samples))
    smooth = uniform_filter1d(white, round(_between(1, SMOOTHEST, rng)), axis=1, mode="wrap")  # as loud at its ends
    return _over(smooth, trace_rms(smooth))


def plane_wave(n_traces: int, n_samples: int, rng: np.random.Generator) -> Samples:
    """Return Ricker wavelets that cross the spread at random times, all from one side at one slowness; peak 1."""
    moveout = rng.uniform(-MOVEOUT, MOVEOUT)  # samples a trace
    reach = abs(moveout) * (n_traces - 1) / 2
    time = np.arange(-reach, n_samples + reach, 1 / FINER)
    arrival = rng.uniform(time[0], time[-1], 1 + rng.poisson(len(time) / FINER / GAP))[:, None]
    x = (np.pi * (time - arrival) / _between(*PERIODS, rng)) ** 2
    wave = (rng.uniform(-1, 1, arrival.shape) * (1 - 2 * x) * np.exp(-x)).sum(axis=0)
    delay = moveout * (np.arange(n_traces) - (n_traces - 1) / 2)
    crossed = np.interp(np.arange(n_samples) - delay[:, None], time, wave / np.abs(wave).max())
    return crossed.astype(np.float32)


def recorded_noise(other: Labelled, n_traces: int, n_samples: int, rng: np.random.Generator) -> Samples:
    """Return what a gather recorded before its first breaks, to and fro for as long as it takes; RMS about 1 a trace.

    Traces keep their order and what they share. Those nobody labelled are left out, and those with much shorter noise
    than others; zeros where none is left.
    """
    samples, first_break = other
    ends = np.where(np.isfinite(first_break), first_break, 0).astype(int) - GUARD
    usable = np.flatnonzero((ends >= max(SHORTEST, ends.max() / 2)) & samples.any(axis=1))
    if not usable.size:
        return np.zeros((n_traces, n_samples), np.float32)
    rows = usable[(rng.integers(usable.size) + np.arange(n_traces)) % usable.size]
    quiet = samples[rows, : ends[rows].min()]
    quiet = quiet - quiet.mean(axis=1, keepdims=True, dtype=np.float64)  # a constant leaves exact zeros
    quiet = _over(quiet, trace_rms(quiet))
    to_and_fro = np.concatenate([quiet, quiet[:, ::-1]], axis=1)
    return to_and_fro[:, (rng.integers(to_and_fro.shape[1]) + np.arange(n_samples)) % to_and_fro.shape[1]]


def later_shot(
    other: Labelled,
    first_break: NDArray[np.float32],
    n_samples: int,
    rng: np.random.Generator,
    *,
    stretch: int | None = None,
) -> Samples:
    """Return another gather, all its traces delayed alike so that none begins before the first break it disturbs.

    first_break: (n_traces,) in samples of the record to be disturbed, NaN = not labelled. Each trace is zero up to
    there, and is so throughout where either gather is not labelled: nobody knows what comes first. RMS 1, see
    `trace_rms` for stretch, from the other's first breaks on.
    """
    n_traces = len(first_break)
    row = int(rng.integers(max(len(other[0]) - n_traces, 0) + 1))
    shot = pad_to(other[0][row : row + n_traces], n_traces, n_samples)
    begin = np.full(n_traces, np.nan)
    own = other[1][row : row + n_traces]
    begin[: len(own)] = own
    begin -= GUARD
    both = np.isfinite(begin) & np.isfinite(first_break)
    delay = int(np.ceil(np.max((first_break - begin)[both], initial=0))) + int(rng.integers(LATEST))
    late = np.zeros((n_traces, n_samples), np.float32)
    late[:, delay:] = _over(shot, trace_rms(shot, stretch))[:, : max(n_samples - delay, 0)]
    rise = (np.arange(n_samples) - delay - np.where(both, begin, np.inf)[:, None]) / GUARD
    return (late * np.clip(rise, 0, 1)).astype(np.float32)


def _over(samples: NDArray[np.floating], rms: NDArray[np.float64]) -> Samples:
    """Return samples (n_traces, n_samples) over the RMS (n_traces, 1); traces of zeros stay so."""
    return np.divide(samples, rms, out=np.zeros(samples.shape), where=rms > 0).astype(np.float32)
