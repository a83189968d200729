"""Panels to learn from: labelled gathers as they could have been recorded as well."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seisray.config import AugmentConfig, PanelConfig
from seisray.disturbances import Labelled, disturb, rustle
from seisray.transforms import Samples, compress, each_sample, pad_to, running_rms


class LabelledPanel(NamedTuple):
    """A panel to learn from.

    samples: (traces, samples) normalised. first_break: (traces,) fractional samples, -1 = none in the panel.
    known: (traces,) False where nobody said whether there is one.
    """

    samples: Samples
    first_break: NDArray[np.float32]
    known: NDArray[np.bool_]


def augment(
    samples: Samples,
    first_break: NDArray[np.float32],
    rng: np.random.Generator,
    panel: PanelConfig,
    config: AugmentConfig,
    others: Sequence[Labelled] = (),
) -> LabelledPanel:
    """Return a random panel of a labelled gather that could have been recorded as well, or of noise alone.

    samples: (n_traces, n_samples); first_break: (n_traces,) in samples, NaN = not labelled. Traces of zeros are known
    to have no first break. Traces are normalised as whole records are when they are picked, times a random factor; what
    lies before a record and behind it is zero, as it is for a network that picks.
    others: gathers at the same sampling interval whose noise and shots may disturb this one.
    """
    step = _trace_step(len(samples), rng, panel, config)
    width = (panel.traces - 1) * step + 1
    first = int(rng.integers(max(len(samples) - width, 0) + 1))
    rows = slice(first, first + width, step)
    window = disturb((samples[rows], first_break[rows]), rng, config, others, stretch=panel.samples)
    window = pad_to(window, panel.traces, panel.samples)
    breaks = first_break[rows]
    breaks = np.pad(breaks, (0, panel.traces - len(breaks)), constant_values=np.nan)
    rms = each_sample(running_rms(window, panel.samples), window.shape[1])

    stretch = np.exp(rng.uniform(-1, 1) * np.log(config.stretch))
    start = rng.uniform(-config.shift, config.shift) * panel.samples
    if rng.random() < config.late:
        start = rng.uniform(0, max(window.shape[1] - panel.samples / stretch, 1))
    silent = rms[:, -1] == 0
    starts = start + _shifts(rng, panel, config)
    window, rms = (_resample(one, starts, 1 / stretch, panel.samples) for one in (window, rms))
    breaks = (breaks - starts) * stretch

    if rng.random() < config.flip:
        window, breaks, rms, silent = window[::-1], breaks[::-1], rms[::-1], silent[::-1]
    if rng.random() < config.polarity:
        window = -window
    if config.reversed:
        window = np.where(rng.random((panel.traces, 1)) < config.reversed, -window, window)
    noise = rng.normal(size=window.shape) * rms * (config.noise * rng.random() ** 2)
    dead = (rng.random(panel.traces) < config.dead) | silent
    window = np.where(dead[:, None], 0, window + noise).astype(np.float32)
    if config.empty and rng.random() < config.empty:
        window = np.where(dead[:, None], 0, rustle(panel.traces, panel.samples, rng) * rms).astype(np.float32)
        dead = np.ones(panel.traces, bool)
    known = np.isfinite(breaks) | dead
    inside = np.isfinite(breaks) & ~dead & (breaks >= 0) & (breaks <= panel.samples - 1)
    gain = panel.gain * np.exp(rng.uniform(-1, 1) * np.log(config.gain))
    each = np.exp(rng.uniform(-1, 1, size=(panel.traces, 1)) * np.log(config.trace_gain))
    return LabelledPanel(compress(window, rms / each, gain), np.where(inside, breaks, -1).astype(np.float32), known)


def _trace_step(n_traces: int, rng: np.random.Generator, panel: PanelConfig, config: AugmentConfig) -> int:
    """Return 2 or 3, of those that leave a panel full, where a gather of n_traces is to be thinned out; else 1."""
    fitting = [step for step in (2, 3) if (panel.traces - 1) * step < n_traces]
    if not (fitting and config.decimate and rng.random() < config.decimate):
        return 1
    return int(rng.choice(fitting))


def _shifts(rng: np.random.Generator, panel: PanelConfig, config: AugmentConfig) -> NDArray[np.float64]:
    """Return (traces,) by how many samples each trace is brought forward: along a line, and each by itself."""
    if not (config.moveout or config.statics):
        return np.zeros(panel.traces)
    steepest = config.moveout * panel.samples / panel.traces  # in samples from trace to trace
    line = rng.uniform(-1, 1) * steepest * (np.arange(panel.traces) - rng.uniform(0, panel.traces))
    return line + rng.random() * config.statics * rng.normal(size=panel.traces)


def _resample(samples: Samples, starts: NDArray[np.float64], step: float, n_samples: int) -> Samples:
    """Return (n_traces, n_samples) values at starts, starts + step, ... by linear interpolation; zeros outside."""
    position = starts[:, None] + step * np.arange(n_samples)
    outside = (position < 0) | (position > samples.shape[1] - 1)
    left = np.clip(np.floor(position).astype(int), 0, samples.shape[1] - 2)
    weight = (position - left).astype(np.float32)
    before, after = (np.take_along_axis(samples, at, axis=1) for at in (left, left + 1))
    values = before * (1 - weight) + after * weight
    return np.where(outside, np.float32(0), values)
