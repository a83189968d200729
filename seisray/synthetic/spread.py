"""A spread: where the receivers of a shot stand along the line of shots, and across it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ACROSS = (0.1, 0.8)
"""How far from the shots' line another one lies, in lengths of a spread."""
FARTHEST_M = 500.0
"""How far it lies at most: half of the way to the next line of shots."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Hold (n_traces,) metres from where the spread begins."""

    along_m: NDArray[np.float64]
    across_m: NDArray[np.float64]


def farthest_across_m(n_traces: int, spacing_m: float) -> float:
    """Return how far from the line of shots receivers stand at most."""
    return min(ACROSS[1] * n_traces * spacing_m, FARTHEST_M)


def random_spread(rng: np.random.Generator, n_traces: int, spacing_m: float, off_line: float) -> Spread:
    """Return receivers on the line of the shots, or, with the probability off_line, all or part of them on another.

    Of two lines that record a shot together the one ends in the middle of its gather, and the other begins there.
    """
    trace = np.arange(n_traces, dtype=np.float64)
    across_m = np.zeros(n_traces)
    if rng.random() < off_line:
        across_m += min(rng.uniform(*ACROSS) * n_traces * spacing_m, FARTHEST_M)
        if rng.random() < 0.5:
            first = rng.integers(n_traces // 4, 3 * n_traces // 4 + 1)
            across_m[slice(first) if rng.random() < 0.5 else slice(first, None)] = 0.0
            trace = np.where(trace < first, trace, trace - first)
    along_m = (trace + 0.5) * spacing_m
    return Spread(along_m, across_m)
