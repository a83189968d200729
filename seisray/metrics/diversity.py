"""How much the panels of a set differ in where their energy lies; near 0 after a collapse.

Measured with 128 panels of 32 x 128 from three field surveys, of which k are repeated with a little noise; ratio to the
field by the mean distance of two panels, and by that to the nearest:

    k             1     2     4     8     16    32    64    all 128, of other gathers
    mean        0.05  0.50  0.92  0.99  1.02  1.06  1.08    1.09
    nearest     0.06  0.06  0.06  0.06  0.06  0.07  0.07    1.05
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Panels = NDArray[np.float32]

CELLS = (8, 16)
"""A panel is divided into so many cells, traces by time, to say where its energy lies."""
LEAST_RATIO = 1e-3
"""What a perfect collapse counts as, so that its logarithm stays finite."""


class Diversity(NamedTuple):
    """How far apart the panels of a set lie: any two of them, in the mean, and each from the nearest, in the median."""

    mean: float
    nearest: float


def diversity(panels: Panels) -> Diversity:
    """Return how far apart the panels of a set lie; 0 where all are alike.

    panels: (n, traces, samples), n >= 2. Panels are compared by the mean |amplitude| in CELLS: noise, which differs
    from pixel to pixel even where a generator has collapsed, averages out; what remains is where the arrivals lie. The
    mean sees a generator of one panel, the nearest also one of several, each made again and again; it falls as sets
    grow, so compare sets of one size.
    """
    n, n_traces, n_samples = panels.shape
    rows, columns = min(CELLS[0], n_traces), min(CELLS[1], n_samples)
    inside = np.abs(panels[:, : n_traces // rows * rows, : n_samples // columns * columns])
    cells = inside.reshape(n, rows, n_traces // rows, columns, n_samples // columns).mean(axis=(2, 4)).reshape(n, -1)
    cells = cells.astype(np.float64)
    square = np.einsum("ij,ij->i", cells, cells)
    apart = np.sqrt(np.maximum(square[:, None] + square[None] - 2 * cells @ cells.T, 0))  # (n, n)
    np.fill_diagonal(apart, 0)
    total = float(apart.sum())
    np.fill_diagonal(apart, np.inf)
    return Diversity(total / (n * (n - 1)), float(np.median(apart.min(axis=1))))


def diversity_ratio(real: Panels, fake: Panels) -> float:
    """Return the diversity of the fake panels over that of the real ones, at least LEAST_RATIO; 1 is as it should be.

    real, fake: (n, traces, samples), n >= 2 each; of the larger set as many count as the smaller one has. Of the two
    distances the one that speaks more for a collapse.
    """
    n = min(len(real), len(fake))
    pairs = zip(diversity(fake[:n]), diversity(real[:n]), strict=True)
    return max(min(of_fake / max(of_real, 1e-12) for of_fake, of_real in pairs), LEAST_RATIO)
