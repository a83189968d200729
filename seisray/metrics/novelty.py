"""Whether fake panels are new, or copies of panels the generator learned from.

Measured in features with 1200 training panels of three field surveys, novelty and share copied: other field panels 1.01
and 0.07; exact copies 0.00 and 1.00; copies rolled by 8 samples 0.36 and 0.83; mirrored copies 0.87 and 0.28; copies
with noise at -20 dB 0.85 and 0.33. So a copy that was altered shows in the share, not in the median.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seisray.metrics.coverage import distances

Features = NDArray[np.float64]

NEAR = 0.05
"""The share of held-out real panels that counts as near to the training panels."""


class Novelty(NamedTuple):
    """What the distances to the nearest training panel say.

    novelty: median distance of fake panels over that of real ones not learned from; 1 = as new, far below 1 = copies.
    copied: share of fake panels as near as the nearest 5 % of the real ones; about 0.05 where they are as new as those.
    """

    novelty: float
    copied: float


def novelty(train: Features, real: Features, fake: Features) -> Novelty:
    """Compare how far fake and held-out real panels lie from their nearest training panel.

    train, real, fake: (n, features) of panels learned from, held out and generated. Fakes unlike anything real are new
    as well: a value above 1 is no praise.
    """
    nearest_real, nearest_fake = (distances(x, train).min(axis=1) for x in (real, fake))
    ratio = np.median(nearest_fake) / max(float(np.median(nearest_real)), 1e-12)
    return Novelty(float(ratio), float(np.mean(nearest_fake <= np.quantile(nearest_real, NEAR))))
