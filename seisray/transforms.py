"""Gathers to panels: windows, normalisation and augmentation, as pure functions of arrays."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seisray.config import AugmentConfig, PanelConfig

Samples = NDArray[np.float32]


def normalise(samples: Samples, gain: float, stretch: int | None = None) -> Samples:
    """Return asinh(gain * x / RMS), trace by trace: (..., n_samples). Traces of zeros stay zero.

    stretch: see `trace_rms`.
    """
    return compress(samples, trace_rms(samples, stretch), gain)


def compress(samples: Samples, rms: NDArray[np.float64], gain: float) -> Samples:
    """Return asinh(gain * x / RMS); rms: (..., 1), where it is 0 the trace is."""
    scaled = np.divide(samples * gain, rms, out=np.zeros(samples.shape), where=rms > 0)
    return np.arcsinh(scaled).astype(np.float32)


def trace_rms(samples: Samples, stretch: int | None = None) -> NDArray[np.float64]:
    """Return the RMS of each trace: (..., n_samples) -> (..., 1).

    stretch: of the loudest so many samples in a row, so that it does not depend on how long the record goes on; a
    shorter record counts as followed by zeros.
    """
    power = np.square(samples, dtype=np.float64)
    if stretch is None:
        return np.sqrt(np.mean(power, axis=-1, keepdims=True))
    total = np.cumsum(power, axis=-1)
    loudest = total[..., :stretch][..., -1:]
    if samples.shape[-1] > stretch:
        within = total[..., stretch:] - total[..., :-stretch]
        loudest = np.maximum(loudest, within.max(axis=-1, keepdims=True))
    return np.sqrt(loudest / stretch)


def pad_to(samples: Samples, n_traces: int, n_samples: int) -> Samples:
    """Return samples with zeros added behind either axis up to the given size; larger axes stay."""
    more = [(0, max(wanted - there, 0)) for wanted, there in zip((n_traces, n_samples), samples.shape, strict=True)]
    return np.pad(samples, more) if any(after for _, after in more) else samples


def cut_panels(samples: Samples, rng: np.random.Generator, config: PanelConfig, n: int) -> Samples:
    """Return (n, traces, samples) normalised random windows of a gather: (n_traces, n_samples), live traces.

    Too few traces are mirrored at the last one: a generator cannot make the silence of zeros, by which D would win. Too
    short a record is followed by zeros. Windows start early more often than late, since first breaks lie early in the
    record; half are mirrored in offset, half reversed in polarity, as spreads and geophones are.
    """
    return cut_labelled(samples, np.full(len(samples), np.nan, np.float32), rng, config, n)[0]


def cut_labelled(
    samples: Samples, first_break: NDArray[np.float32], rng: np.random.Generator, config: PanelConfig, n: int
) -> tuple[Samples, NDArray[np.float32]]:
    """Return the windows that `cut_panels` cuts, and (n, traces) first breaks in samples of the window, NaN = none.

    first_break: (n_traces,) in samples of the record, NaN = not labelled. Those beyond a window are none of its.
    """
    padded = pad_to(_mirrored(samples, config.traces), config.traces, config.samples)
    breaks = _mirrored(first_break[:, None], config.traces)[:, 0]
    breaks = np.pad(breaks, (0, len(padded) - len(breaks)), constant_values=np.nan)
    room_traces, room_samples = padded.shape[0] - config.traces, padded.shape[1] - config.samples
    panels = np.empty((n, config.traces, config.samples), dtype=np.float32)
    places = np.empty((n, config.traces), dtype=np.float32)
    for panel, place in zip(panels, places, strict=True):
        trace = rng.integers(room_traces + 1)
        start = int(rng.beta(1, 3) * (room_samples + 1))
        turn = slice(None, None, -1 if rng.random() < 0.5 else 1)
        window = padded[trace : trace + config.traces, start : start + config.samples][turn]
        panel[:] = normalise(window, config.gain) * (1 if rng.random() < 0.5 else -1)
        place[:] = breaks[trace : trace + config.traces][turn] - start
    return panels, np.where((places >= 0) & (places <= config.samples - 1), places, np.float32(np.nan))


def _mirrored(samples: Samples, n_traces: int) -> Samples:
    return np.pad(samples, ((0, max(n_traces - len(samples), 0)), (0, 0)), mode="reflect")


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
) -> LabelledPanel:
    """Return a random panel of a labelled gather that could have been recorded as well.

    samples: (n_traces, n_samples); first_break: (n_traces,) in samples, NaN = not labelled. Traces of zeros are known
    to have no first break. Traces are normalised as whole records are when they are picked, times a random factor.
    """
    padded = pad_to(samples, panel.traces, panel.samples)
    breaks = np.pad(first_break, (0, len(padded) - len(first_break)), constant_values=np.nan)
    first = int(rng.integers(len(padded) - panel.traces + 1))
    rows = slice(first, first + panel.traces)
    window, breaks = padded[rows], breaks[rows]
    rms = trace_rms(window, panel.samples)

    stretch = np.exp(rng.uniform(-1, 1) * np.log(config.stretch))
    start = rng.uniform(-config.shift, config.shift) * panel.samples
    if rng.random() < config.late:
        start = rng.uniform(0, max(padded.shape[1] - panel.samples / stretch, 1))
    window = _resample(window, start, 1 / stretch, panel.samples)
    breaks = (breaks - start) * stretch

    if rng.random() < config.flip:
        window, breaks, rms = window[::-1], breaks[::-1], rms[::-1]
    if rng.random() < config.polarity:
        window = -window
    noise = rng.normal(size=window.shape) * rms * (config.noise * rng.random() ** 2)
    dead = (rng.random(panel.traces) < config.dead) | (rms[:, 0] == 0)
    window = np.where(dead[:, None], 0, window + noise).astype(np.float32)
    known = np.isfinite(breaks) | dead
    inside = np.isfinite(breaks) & ~dead & (breaks >= 0) & (breaks <= panel.samples - 1)
    gain = panel.gain * np.exp(rng.uniform(-1, 1) * np.log(config.gain))
    return LabelledPanel(compress(window, rms, gain), np.where(inside, breaks, -1).astype(np.float32), known)


def _resample(samples: Samples, start: float, step: float, n_samples: int) -> Samples:
    """Return (n_traces, n_samples) values at start, start + step, ... by linear interpolation; zeros outside."""
    position = start + step * np.arange(n_samples)
    outside = (position < 0) | (position > samples.shape[1] - 1)
    left = np.clip(np.floor(position).astype(int), 0, samples.shape[1] - 2)
    weight = (position - left).astype(np.float32)
    values = samples[:, left] * (1 - weight) + samples[:, left + 1] * weight
    return np.where(outside, np.float32(0), values)
