"""Panels to measure: arrivals of random slope and onset in noise of low frequency."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from seisray.transforms import normalise

Panels = NDArray[np.float32]
MakePanels = Callable[..., Panels]


@pytest.fixture(scope="session")
def arrivals() -> MakePanels:
    """Return a function that makes (n, traces, samples) panels: a decaying wave behind a dipping first arrival."""
    return _arrivals


def _arrivals(n: int, seed: int, *, traces: int = 32, samples: int = 128, gain: float = 3.0) -> Panels:
    rng = np.random.default_rng(seed)
    slope = rng.uniform(-0.5, 0.5, (n, 1, 1)) * np.arange(traces)[:, None]
    after = np.clip(np.arange(samples) - rng.uniform(0.1, 0.6, (n, 1, 1)) * samples - slope, 0, None)
    white = rng.normal(scale=0.05, size=(n, traces, samples))
    noise = sum(np.roll(white, lag, axis=2) for lag in range(4))
    return normalise((np.sin(0.3 * after) * np.exp(-after / 20) + noise).astype(np.float32), gain)
