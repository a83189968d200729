"""Picks that follow their neighbours: of the candidates of each trace, those that make the best line together."""

import numpy as np
from numpy.typing import NDArray

from seisray.picking.decode import Candidates

N_CANDIDATES = 8  # of a trace: more hardly ever have a probability to speak of
_LEAST = 1e-9  # probability that still counts


def smoothest(found: Candidates, sample_interval_ms: float, weight: float) -> NDArray[np.intp]:
    """Return (n_traces,) which candidate of each trace belongs to the likeliest line through all.

    A line's logarithm of probability is the sum of its candidates', less weight for each millisecond from one trace to
    the next (Viterbi 1967). Traces that are dead, or surely have no first break, are stepped over, and so many traces
    share the difference.
    """
    chosen = np.zeros(len(found.live), int)
    best_there = found.probability[:, 0]
    traces = np.flatnonzero(found.live & (best_there > 0) & (best_there >= found.none))
    if not traces.size:
        return chosen
    probability = found.probability[traces]  # (n, K), 0 = no candidate, which no line may choose
    gain = np.where(probability > 0, np.log(np.maximum(probability, _LEAST)), -np.inf)
    time_ms = found.time[traces] * sample_interval_ms
    before = np.empty(gain.shape, int)
    best = gain[0]
    for i in range(1, len(traces)):
        apart_ms = np.abs(time_ms[i][:, None] - time_ms[i - 1]) / (traces[i] - traces[i - 1])
        line = best - weight * apart_ms  # (K now, K before)
        before[i] = line.argmax(axis=1)
        best = gain[i] + line.max(axis=1)
    at = int(best.argmax())
    for i in range(len(traces) - 1, -1, -1):
        chosen[traces[i]] = at
        at = before[i, at] if i else at
    return chosen
