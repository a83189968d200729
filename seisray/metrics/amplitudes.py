"""Amplitudes of panels: the share of quiet and of strong samples, of which a mean spectrum knows nothing."""

import numpy as np
from numpy.typing import NDArray

Panels = NDArray[np.float32]

QUANTILES = np.linspace(0.01, 0.99, 99)


def amplitude_distance(real: Panels, fake: Panels) -> float:
    """Return the mean distance of the two sets' amplitudes at equal quantiles, relative to the spread of the real ones.

    real, fake: (n, traces, samples), any n. The sign counts: panels of reversed polarity are further away.
    """
    apart = np.abs(np.quantile(real, QUANTILES) - np.quantile(fake, QUANTILES))
    return float(np.mean(apart) / max(float(np.std(real)), 1e-12))
