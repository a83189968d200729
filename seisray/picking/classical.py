"""Classical pickers, which learn nothing: the baselines of a benchmark, and a look at labels that owes no network.

Each maps (n_traces, n_samples) to (n_traces,) first breaks in samples, NaN on traces of zeros: where its trigger first
reaches `share` of its peak. Amplitudes may have any scale. Windows are in samples; the best are shorter than a period.
"""

import numpy as np
from numpy.typing import NDArray

from seisray.transforms import Samples, trace_rms

Floats = NDArray[np.float64]

LEAST_NOISE = 0.25  # of a window that must lie before a first break, to compare with
_QUIET = 1e-6  # of a trace's mean energy, added where windows of silence would be divided by


def sta_lta(samples: Samples, *, short: int, long: int, share: float = 0.3) -> Floats:
    """Pick by the ratio of the energy in `short` samples to that in the `long` before them (Allen 1978)."""
    energy = _energy(samples)
    return _picked(_first(_ratio(energy, before=long, after=short), share), energy)


def modified_energy_ratio(samples: Samples, *, window: int, share: float = 0.3) -> Floats:
    """Pick by |x| * energy after / energy before, the MER without its cube (Wong et al. 2009, CREWES 21)."""
    energy = _energy(samples)
    return _picked(_first(np.sqrt(energy) * _ratio(energy, before=window, after=window), share), energy)


def coppens(samples: Samples, *, window: int, smoothing: int, share: float = 0.3) -> Floats:
    """Pick by the rise of the part that a leading window has of all energy so far (Coppens 1985).

    That part is smoothed by the mean of whichever of the windows around a sample varies least, which keeps its edge
    (Sabbione and Velis 2010).
    """
    energy = _energy(samples)
    total = np.cumsum(energy, axis=1)
    leading = _window_sums(energy, 1 - window, 1) / (total + energy.shape[1] * _QUIET * 10)
    rise = np.diff(_edge_preserving(leading, smoothing), axis=1, prepend=0.0)
    rise[:, : int(window * LEAST_NOISE)] = 0
    return _picked(_first(rise, share), energy)


def aic(samples: Samples, *, window: int, share: float = 0.3) -> Floats:
    """Pick where a record splits best into two of different variance (Maeda 1985), up to the peak of MER.

    window: of that energy ratio. What follows the first arrival would split off the ground roll instead.
    """
    energy = _energy(samples)
    n_samples = energy.shape[1]
    end = np.nan_to_num(modified_energy_ratio(samples, window=window, share=share)).astype(int) + window
    position = np.arange(n_samples)
    inside = position < np.clip(end, 2, n_samples)[:, None]
    scaled = _scaled(samples)
    first, second = np.cumsum(np.where(inside, scaled, 0), axis=1), np.cumsum(np.where(inside, energy, 0), axis=1)
    left = position + 1.0
    right = np.maximum(inside.sum(axis=1, keepdims=True) - left, 1)
    variance_left = second / left - (first / left) ** 2
    variance_right = (second[:, -1:] - second) / right - ((first[:, -1:] - first) / right) ** 2
    cost = left * np.log(np.maximum(variance_left, _QUIET)) + right * np.log(np.maximum(variance_right, _QUIET))
    allowed = inside & (position >= 1) & (right > 2)
    return _picked(np.minimum(np.where(allowed, cost, np.inf).argmin(axis=1) + 1, n_samples - 1), energy)


def _scaled(samples: Samples) -> Floats:
    rms = trace_rms(samples)
    return np.divide(samples, rms, out=np.zeros(samples.shape), where=rms > 0)


def _energy(samples: Samples) -> Floats:
    return np.asarray(_scaled(samples) ** 2)


def _first(trigger: Floats, share: float) -> NDArray[np.intp]:
    """Return where each trace's trigger first reaches a share of its peak: later arrivals may be stronger."""
    return np.asarray((trigger >= share * trigger.max(axis=1, keepdims=True)).argmax(axis=1))


def _ratio(energy: Floats, *, before: int, after: int) -> Floats:
    """Return the mean energy of the samples from each on over that of those before it; 0 where these are too few."""
    n = energy.shape[1]
    there = np.minimum(np.arange(n), before)
    noise = _window_sums(energy, -before, 0) / np.maximum(there, 1) + _QUIET
    return np.asarray(_window_sums(energy, 0, after) / after / noise * (there >= before * LEAST_NOISE))


def _window_sums(values: Floats, first: int, stop: int) -> Floats:
    """Return the sums over values[i + first : i + stop] for each i; beyond the record there is nothing."""
    n = values.shape[1]
    total = np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
    at = np.arange(n)
    return np.asarray(total[:, np.clip(at + stop, 0, n)] - total[:, np.clip(at + first, 0, n)])


def _edge_preserving(values: Floats, length: int) -> Floats:
    """Return the mean of the window, of those of this length that hold a sample, in which values vary least."""
    mean = _window_sums(values, 0, length) / length
    spread = _window_sums(values**2, 0, length) / length - mean**2
    spread[:, values.shape[1] - length + 1 :] = np.inf  # windows that reach beyond the record
    best, found = np.full(values.shape, np.inf), values.copy()
    for back in range(length):
        here, level = (np.roll(one, back, axis=1) for one in (spread, mean))
        here[:, :back] = np.inf
        better = here < best
        best, found = np.where(better, here, best), np.where(better, level, found)
    return found


def _picked(at: NDArray[np.intp], energy: Floats) -> Floats:
    return np.where(energy.any(axis=1), at.astype(float), np.nan)
