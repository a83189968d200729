"""Whether fake panels lie among real ones, and real ones among fake ones, judged by nearest neighbours in features."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError

Features = NDArray[np.float64]

PRECISION_NEIGHBOURS = 3
DENSITY_NEIGHBOURS = 5


class PrecisionRecall(NamedTuple):
    """precision: share of the fake among the real ones. recall: share of the real among the fake ones."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """density: real neighbourhoods that hold a fake one, over those expected. coverage: share of them that hold any."""

    density: float
    coverage: float


def precision_recall(real: Features, fake: Features, neighbours: int = PRECISION_NEIGHBOURS) -> PrecisionRecall:
    """Return which share of each set lies within reach of the other (Kynkäänniemi et al. 2019, 1904.06991).

    real, fake: (n, features), n > neighbours, else ConfigError. A point reaches to its `neighbours`-th nearest of its
    own set. One far point reaches far: a few outliers among fakes raise the recall.
    """
    apart = distances(real, fake)
    precision = (apart <= _reach(real, neighbours)[:, None]).any(axis=0).mean()
    recall = (apart <= _reach(fake, neighbours)[None]).any(axis=1).mean()
    return PrecisionRecall(float(precision), float(recall))


def density_coverage(real: Features, fake: Features, neighbours: int = DENSITY_NEIGHBOURS) -> DensityCoverage:
    """Return density and coverage, which outliers sway less (Naeem et al. 2020, 2002.09797).

    real, fake: (n, features), n > neighbours of the real ones, else ConfigError. Density is 1 where both are drawn
    alike and can exceed it. Coverage then is about 1 - 0.5**neighbours with equal numbers, and falls with fewer fakes.
    """
    inside = distances(real, fake) <= _reach(real, neighbours)[:, None]  # (n_real, n_fake)
    return DensityCoverage(float(inside.sum(axis=0).mean() / neighbours), float(inside.any(axis=1).mean()))


def distances(x: Features, y: Features) -> Features:
    """Return the Euclidean distances (n_x, n_y) of (n_x, features) from (n_y, features)."""
    square = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1)[None] - 2 * x @ y.T
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def _reach(points: Features, neighbours: int) -> Features:
    """Return the distance of each point to its `neighbours`-th nearest other one: (n,)."""
    if len(points) <= neighbours:
        raise ConfigError(f"{len(points)} panels have no {neighbours} neighbours each; measure more than {neighbours}")
    apart = distances(points, points)
    np.fill_diagonal(apart, 0)
    return np.asarray(np.partition(apart, neighbours, axis=1)[:, neighbours])  # place 0 is the point itself
