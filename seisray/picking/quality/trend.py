"""The moveout of a survey: first-break time against offset, piecewise linear and never falling."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seisray.picking.quality.robust import Floats

MOST_KNOTS = 128
TRACES_A_KNOT = 30
_STIFFNESS = (
    1e-3  # of a knot against its neighbours, as a share of the mean weight of knots: fills gaps between offsets
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend:
    """Hold the moveout at knots: offset_m rising, time_ms never falling, both (n_knots,)."""

    offset_m: Floats = field(repr=False)
    time_ms: Floats = field(repr=False)

    def at(self, offset_m: Floats) -> Floats:
        """Return the time in ms at offsets."""
        return np.interp(offset_m, self.offset_m, self.time_ms)

    def slowness_ms_per_m(self, offset_m: Floats) -> Floats:
        """Return how fast the time grows with the offset."""
        if len(self.offset_m) < 2:
            return np.zeros(len(offset_m))
        slope = np.diff(self.time_ms) / np.diff(self.offset_m)
        at = np.clip(np.searchsorted(self.offset_m, offset_m, side="right") - 1, 0, len(slope) - 1)
        return slope[at]


def place_knots(offset_m: Floats) -> Floats:
    """Return offsets for the knots of a trend: as many traces between any two, the nearest and farthest among them."""
    n = int(np.clip(len(offset_m) // TRACES_A_KNOT, 1, MOST_KNOTS))
    return np.unique(np.quantile(offset_m, np.linspace(0, 1, n + 1)))


def fit_trend(offset_m: Floats, time_ms: Floats, weight: Floats, knots_m: Floats) -> Trend:
    """Return the trend of least weighted squares through times at offsets, all (n,) and finite."""
    k = len(knots_m)
    if k == 1:
        return Trend(offset_m=knots_m, time_ms=np.array([np.average(time_ms, weights=weight)]))
    left = np.clip(np.searchsorted(knots_m, offset_m, side="right") - 1, 0, k - 2)
    share = (offset_m - knots_m[left]) / np.diff(knots_m)[left]
    normal, right = np.zeros((k, k)), np.zeros(k)
    for one, part in ((0, 1 - share), (1, share)):
        right += np.bincount(left + one, weight * part * time_ms, k)
        for other, rest in ((0, 1 - share), (1, share)):
            total = np.bincount(left, weight * part * rest, k - 1)
            normal[np.arange(k - 1) + one, np.arange(k - 1) + other] += total
    if k > 2:
        bend = np.diff(np.eye(k), 2, axis=0)
        normal += _STIFFNESS * np.trace(normal) / k * bend.T @ bend
    normal += 1e-12 * np.trace(normal) / k * np.eye(k)
    height = np.linalg.solve(normal, right)
    mass = np.bincount(left, weight * (1 - share), k) + np.bincount(left + 1, weight * share, k)
    return Trend(offset_m=knots_m, time_ms=_never_falling(height, np.maximum(mass, 1e-12)))


def _never_falling(height: NDArray[np.floating], mass: Floats) -> NDArray[np.float64]:
    """Return the nearest sequence that never falls, by pooling neighbours that do (isotonic regression)."""
    pools: list[tuple[float, float, int]] = []  # mean, mass, length
    for mean, weight in zip(height.tolist(), mass.tolist(), strict=True):
        length = 1
        while pools and pools[-1][0] > mean:
            before, its_weight, its_length = pools.pop()
            mean = (before * its_weight + mean * weight) / (its_weight + weight)
            weight, length = weight + its_weight, length + its_length
        pools.append((mean, weight, length))
    return np.repeat([pool[0] for pool in pools], [pool[2] for pool in pools])
