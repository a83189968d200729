"""A walk through latent space that ends where it began."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seisray.errors import ConfigError

POINTS_A_KEY = 64


class Walk:
    """A smooth closed path over the sphere on which normal latent vectors lie, walked at constant angular speed.

    A closed Catmull-Rom spline through the keys, brought back to the sphere and measured along its arc, is smooth at
    the keys too, where one slerp after the other would turn a corner. Between close points of it we slerp (Shoemake
    1985). Nearly all of a normal distribution in many dimensions has length sqrt(latent): straight lines between its
    vectors leave what the generator was trained on, arcs do not.
    """

    def __init__(self, keys: NDArray[np.float64]) -> None:
        """Lay the path through keys (n_keys, latent), n_keys >= 3, latent >= 2; their lengths do not matter."""
        n_keys, latent = keys.shape
        if n_keys < 3 or latent < 2:
            raise ConfigError(f"a closed walk needs 3 keys in 2 dimensions or more, got {n_keys} in {latent}")
        self.radius = float(np.sqrt(latent))
        spline = _catmull_rom(_unit(keys))
        self._points = _unit(np.concatenate([spline, spline[:1]]))  # (n_points + 1, latent), closed
        step_rad = _angle_rad(self._points[:-1], self._points[1:])
        self._reached_rad = np.concatenate([[0.0], np.cumsum(step_rad)])

    @classmethod
    def random(cls, *, latent: int, keys: int, seed: int) -> "Walk":
        """Return a walk past random keys."""
        return cls(np.random.default_rng(seed).standard_normal((keys, latent)))

    @property
    def length_rad(self) -> float:
        """Return the angle of the whole walk."""
        return float(self._reached_rad[-1])

    def at(self, turn: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return latent vectors (n, latent) at shares of the way (n,); 0 and 1 are the same place."""
        angle_rad = np.mod(turn, 1.0) * self.length_rad
        left = np.searchsorted(self._reached_rad, angle_rad, side="right") - 1
        left = np.minimum(left, len(self._points) - 2)
        step_rad = self._reached_rad[left + 1] - self._reached_rad[left]
        share = np.divide(
            angle_rad - self._reached_rad[left], step_rad, out=np.zeros_like(step_rad), where=step_rad > 0
        )
        return (self.radius * slerp(self._points[left], self._points[left + 1], share)).astype(np.float32)


def slerp(start: NDArray[np.float64], end: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit vectors (n, latent) a share (n,) of the arc from start to end, both (n, latent) of any length."""
    start, end = _unit(start), _unit(end)
    angle_rad = _angle_rad(start, end)
    sine = np.sin(angle_rad)
    arc = sine > 1e-9  # else they are one point, or opposite ones that no single arc joins
    weights = [
        np.divide(np.sin(part * angle_rad), sine, out=part.copy(), where=arc)[:, None] for part in (1 - share, share)
    ]
    return _unit(weights[0] * start + weights[1] * end)


class WalkedNoise:
    """Noise for a generator that changes as slowly as its latent vectors do.

    Noise drawn anew for each panel flickers. This one walks past `keys` random drawings and back to the first, always
    with unit variance; one key holds it still. Only the drawings near by are in memory.
    """

    def __init__(self, draw: Callable[[], list[Tensor]], *, keys: int, seed: int) -> None:
        """Walk past what `draw` returns, by torch's global random state: (1, ...) of each layer."""
        self._draw, self.keys, self.seed = draw, keys, seed
        self._drawn: dict[int, list[Tensor]] = {}  # by key

    def at(self, turn: NDArray[np.float64]) -> list[Tensor]:
        """Return (n, ...) of each layer at shares of the way (n,); 0 and 1 are the same place."""
        place = np.mod(turn, 1.0) * self.keys
        left = np.floor(place).astype(np.intp)
        which = (left + np.array([[-1], [0], [1], [2]])) % self.keys  # (4, n)
        near = np.unique(which)
        weights = np.zeros((len(left), len(near)))
        np.add.at(weights, (np.arange(len(left)), np.searchsorted(near, which)), _spline_weights(place - left))
        share = torch.from_numpy(_unit(weights).astype(np.float32))  # (n, n_near)
        self._drawn = {key: self._drawn.get(key) or self._draw_key(key) for key in near.tolist()}
        layers = zip(*self._drawn.values(), strict=True)
        return [torch.tensordot(share, torch.cat(fields), 1) for fields in layers]

    def _draw_key(self, key: int) -> list[Tensor]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(hash((self.seed, key)) % 2**63)
            return self._draw()


def _catmull_rom(keys: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points (n_keys * POINTS_A_KEY, latent) of the closed spline through keys."""
    near = np.stack([np.roll(keys, shift, axis=0) for shift in (1, 0, -1, -2)])  # (4, keys, latent)
    weights = _spline_weights(np.arange(POINTS_A_KEY) / POINTS_A_KEY)
    return np.einsum("wp,wkl->kpl", weights, near).reshape(-1, keys.shape[1])


def _spline_weights(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights (4, n) of the keys before, at, after and beyond, a share u (n,) of the way to the next."""
    before, at = -u + 2 * u**2 - u**3, 2 - 5 * u**2 + 3 * u**3
    after, beyond = u + 4 * u**2 - 3 * u**3, u**3 - u**2
    return np.stack([before, at, after, beyond]) / 2


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(length, 1e-12)


def _angle_rad(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return angles between unit vectors (n, latent), exact for small ones too (Kahan)."""
    across, along = np.linalg.norm(one - other, axis=1), np.linalg.norm(one + other, axis=1)
    angle: NDArray[np.float64] = 2 * np.arctan2(across, along)
    return angle
