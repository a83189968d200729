"""Gathers to panels: windows and normalisation, as pure functions of arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.config import PanelConfig

Samples = NDArray[np.float32]
BLOCK = 16  # samples by which a running RMS moves on
LARGEST_FACTOR = 1e38  # that float32 holds, with some room


def normalise(samples: Samples, gain: float, stretch: int | None = None, out: Samples | None = None) -> Samples:
    """Return asinh(gain * x / RMS), trace by trace: (..., n_samples). Traces of zeros stay zero.

    stretch: for `running_rms`, None = by the RMS of the whole trace. out: where to, if not to a new array.
    """
    rms = trace_rms(samples) if stretch is None else running_rms(samples, stretch)
    return compress(samples, rms, gain, out)


def compress(samples: Samples, rms: NDArray[np.floating], gain: float, out: Samples | None = None) -> Samples:
    """Return asinh(gain * x / RMS), to 4e-7, 0 where the RMS is. rms: see `each_sample`. out: as of `normalise`.

    By the logarithm, which processors take of eight numbers at a time: a fifth of the time of np.arcsinh.
    """
    n_samples = samples.shape[-1]
    factor = np.divide(gain, rms, out=np.zeros(rms.shape), where=rms > 0)
    narrow = np.minimum(factor, LARGEST_FACTOR).astype(np.float32)  # in double it takes three times as long
    scaled = samples * each_sample(narrow, n_samples)
    if (factor > LARGEST_FACTOR).any():
        scaled *= each_sample(np.maximum(factor / LARGEST_FACTOR, 1).astype(np.float32), n_samples)
    size = np.abs(scaled)
    found = np.multiply(size, size, out=out)
    found += 1
    np.sqrt(found, out=found)
    found += size
    np.log(found, out=found)
    return np.copysign(found, scaled, out=found)


def trace_rms(samples: Samples, stretch: int | None = None) -> NDArray[np.float64]:
    """Return the RMS of each trace: (..., n_samples) -> (..., 1).

    stretch: of the loudest so many samples in a row, so that it does not depend on how long the record goes on; a
    shorter record counts as followed by zeros.
    """
    power = np.square(samples, dtype=np.float64)
    if stretch is None:
        return np.sqrt(np.mean(power, axis=-1, keepdims=True))
    total = power[..., :stretch].sum(axis=-1, keepdims=True)
    if samples.shape[-1] > stretch:
        more = np.subtract(power[..., stretch:], power[..., :-stretch])  # than before, a sample later
        np.cumsum(more, axis=-1, out=more)
        total += np.maximum(more.max(axis=-1, keepdims=True), 0)
    return np.sqrt(total / stretch)


def running_rms(samples: Samples, stretch: int) -> NDArray[np.float64]:
    """Return by what samples are to be measured, BLOCK after BLOCK: (..., n_samples) -> (..., n_blocks).

    That is the RMS of the loudest `stretch` samples in a row that begin at most half a stretch later: so what comes one
    and a half stretches after a first break, ground roll say, does not make it small, wherever in the record it lies.
    The record counts as followed by zeros; where all up to there is silent it is 0.
    """
    n_blocks, n_long, n_ahead = -(-samples.shape[-1] // BLOCK), max(stretch // BLOCK, 1), stretch // 2 // BLOCK
    whole = samples.shape[-1] // BLOCK
    power = np.zeros((*samples.shape[:-1], n_blocks + n_long))
    parts = samples[..., : whole * BLOCK].reshape(*samples.shape[:-1], whole, BLOCK)
    np.einsum("...k,...k->...", parts, parts, dtype=np.float64, out=power[..., :whole])
    power[..., n_blocks - 1] += np.square(samples[..., whole * BLOCK :], dtype=np.float64).sum(axis=-1)
    total = np.cumsum(power, axis=-1)
    loudest = total[..., n_long - 1 : -1].copy()
    loudest[..., 1:] -= total[..., : n_blocks - 1]
    np.maximum.accumulate(loudest, axis=-1, out=loudest)
    ahead = np.minimum(np.arange(n_blocks) + n_ahead, n_blocks - 1)
    return np.sqrt(np.maximum(loudest[..., ahead], 0) / (n_long * BLOCK))


def each_sample(values: NDArray[Any], n_samples: int) -> NDArray[Any]:
    """Return values to multiply (..., n_samples) by: (..., 1) and (..., n_samples) as they are, a BLOCK's repeated."""
    return values if values.shape[-1] in (1, n_samples) else np.repeat(values, BLOCK, axis=-1)[..., :n_samples]


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
    padded = pad_to(mirrored(samples, config.traces), config.traces, config.samples)
    breaks = mirrored(first_break[:, None], config.traces)[:, 0]
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


def mirrored(samples: Samples, n_traces: int) -> Samples:
    """Return at least n_traces, those that are missing mirrored at the last one: (n_traces, n_samples)."""
    return np.pad(samples, ((0, max(n_traces - len(samples), 0)), (0, 0)), mode="reflect")
