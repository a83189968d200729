"""What geophones record beside the shot.

Each kind is a function that returns samples (n_traces, n_samples), to be added in units of the RMS of each trace.
"""

import numpy as np

from seisray.config import AugmentConfig
from seisray.transforms import Samples, trace_rms

STRENGTH = (0.01, 0.3)
"""RMS or, of a plane wave, peak of what is added, against the RMS of the trace: at least and at most."""
HUM = (0.005, 0.24)
"""Cycles a sample: those of 50 and 60 Hz at sampling intervals of 0.1 to 4 ms."""
PERIODS = (8.0, 64.0)
"""Samples, of a plane wave's wavelets."""
MOVEOUT = 8.0
"""Samples a trace at most, of a plane wave."""
GAP = 256
"""Samples between the wavelets of a plane wave in the mean."""
FINER = 4
"""Times of a plane wave are looked up between samples so many to one, linearly."""


def disturb(
    samples: Samples, rng: np.random.Generator, config: AugmentConfig, *, stretch: int | None = None
) -> Samples:
    """Return a record (n_traces, n_samples) with what happens to disturb it, each kind at a random strength.

    Dead traces stay so. stretch: see `trace_rms`. Kinds that are off draw nothing from rng.
    """
    n_traces, n_samples = samples.shape
    added = []
    if config.hum and rng.random() < config.hum:
        added.append(hum(n_traces, n_samples, rng))
    if config.plane_wave and rng.random() < config.plane_wave:
        added.append(plane_wave(n_traces, n_samples, rng))
    if not added:
        return samples
    total = sum(_between(*STRENGTH, rng) * one for one in added)
    return (samples + trace_rms(samples, stretch) * total).astype(np.float32)


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
