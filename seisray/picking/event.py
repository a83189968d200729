"""What of a wavelet a pick marks: moving picks to an onset, a peak, a trough or a zero crossing near them."""

import numpy as np
from numpy.typing import NDArray

from seisray.config import Event
from seisray.transforms import Samples

_LEAST = 1e-12  # variance, relative to the window's: silence before an onset has none


def nearest_event(samples: Samples, at: NDArray[np.float64], event: Event, reach: float) -> NDArray[np.float64]:
    """Return (n_traces,) where the nearest event of each trace lies, in samples; `at` where none is within reach.

    samples: (n_traces, n_samples). at: (n_traces,) picks in samples, NaN = none. Peaks and troughs are those of the
    parabola through three samples, zero crossings those of the line between two. onset: where the record within reach
    of the pick splits best into two of different variance (Maeda 1985).
    """
    moved = at.copy()
    for i in np.flatnonzero(np.isfinite(at)):
        first = max(int(np.floor(at[i] - reach)) - 1, 0)
        window = samples[i, first : int(np.ceil(at[i] + reach)) + 2].astype(np.float64)
        found = _FINDERS[event](window) + first
        found = found[np.abs(found - at[i]) <= reach]
        if found.size:
            moved[i] = found[np.abs(found - at[i]).argmin()]
    return moved


def _peaks(window: NDArray[np.float64]) -> NDArray[np.float64]:
    left, middle, right = window[:-2], window[1:-1], window[2:]
    place = np.flatnonzero((middle > left) & (middle >= right))
    bend = left[place] - 2 * middle[place] + right[place]
    return np.asarray(place + 1 + 0.5 * (left[place] - right[place]) / bend)


def _zeros(window: NDArray[np.float64]) -> NDArray[np.float64]:
    now, then = window[:-1], window[1:]
    place = np.flatnonzero((now != 0) & (now * then <= 0))
    return np.asarray(place + now[place] / (now[place] - then[place]))


def _onsets(window: NDArray[np.float64]) -> NDArray[np.float64]:
    n = len(window)
    if n < 6 or not window.any():
        return np.empty(0)
    scaled = window / np.abs(window).max()
    least = _LEAST + scaled.var() * _LEAST
    split = np.arange(2, n - 2)
    cost = [k * np.log(scaled[:k].var() + least) + (n - k) * np.log(scaled[k:].var() + least) for k in split]
    return np.asarray(split[[int(np.argmin(cost))]], dtype=np.float64)


_FINDERS = {
    "peak": _peaks,
    "trough": lambda window: _peaks(-window),
    "zero": _zeros,
    "onset": _onsets,
}
