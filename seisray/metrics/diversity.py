"""How much the panels of a set differ in where their energy lies; near 0 after a collapse."""

import numpy as np
from numpy.typing import NDArray

Panels = NDArray[np.float32]

CELLS = (8, 16)
"""A panel is divided into so many cells, traces by time, to say where its energy lies."""
LEAST_RATIO = 1e-3
"""What a perfect collapse counts as, so that its logarithm stays finite."""


def diversity(panels: Panels) -> float:
    """Return the mean distance between two panels of a set; 0 where all are alike.

    panels: (n, traces, samples), n >= 2. Panels are compared by the mean |amplitude| in CELLS: noise, which differs
    from pixel to pixel even where a generator has collapsed, averages out; what remains is where the arrivals lie.
    """
    n, n_traces, n_samples = panels.shape
    rows, columns = min(CELLS[0], n_traces), min(CELLS[1], n_samples)
    inside = np.abs(panels[:, : n_traces // rows * rows, : n_samples // columns * columns])
    cells = inside.reshape(n, rows, n_traces // rows, columns, n_samples // columns).mean(axis=(2, 4)).reshape(n, -1)
    cells = cells.astype(np.float64)
    square = np.einsum("ij,ij->i", cells, cells)
    apart = np.sqrt(np.maximum(square[:, None] + square[None] - 2 * cells @ cells.T, 0))  # (n, n)
    np.fill_diagonal(apart, 0)
    return float(apart.sum() / (n * (n - 1)))


def diversity_ratio(real: Panels, fake: Panels) -> float:
    """Return the diversity of the fake panels over that of the real ones, at least LEAST_RATIO; 1 is as it should be.

    real, fake: (n, traces, samples), n >= 2 each.
    """
    return max(diversity(fake) / max(diversity(real), 1e-12), LEAST_RATIO)
