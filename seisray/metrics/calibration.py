"""Whether a probability means what it says."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seisray.errors import PicksError

BINS = 10


class Bin(NamedTuple):
    """Hold the picks whose probability lies in one tenth of 0..1: how many, their mean, and the share that are hits."""

    n: int
    probability: float
    hit_rate: float


def reliability(probability: ArrayLike, hit: ArrayLike) -> list[Bin]:
    """Return the bins that hold any pick, from improbable to probable.

    probability: (n,) in 0..1. hit: (n,) whether the pick is right. Raises PicksError where shapes differ.
    """
    said, right = np.asarray(probability, dtype=np.float64), np.asarray(hit, dtype=np.float64)
    if said.shape != right.shape:
        raise PicksError(f"probabilities have shape {said.shape}, hits {right.shape}; expected the same")
    place = np.clip((said * BINS).astype(int), 0, BINS - 1)
    return [
        Bin(int(own.sum()), float(said[own].mean()), float(right[own].mean()))
        for own in (place == one for one in range(BINS))
        if own.any()
    ]


def calibration_error(probability: ArrayLike, hit: ArrayLike) -> float:
    """Return the mean distance of probability and hit rate over bins, by the picks in each; NaN where there are none.

    The expected calibration error of Guo et al. 2017, 1706.04599; shapes as for `reliability`.
    """
    bins = reliability(probability, hit)
    total = sum(one.n for one in bins)
    return sum(one.n * abs(one.probability - one.hit_rate) for one in bins) / total if total else float("nan")
