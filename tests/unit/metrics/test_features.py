"""Fréchet and kernel distance against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from seisray.metrics.features import frechet_distance, kernel_distance

Features = NDArray[np.float64]


def normal(n: int, seed: int, dims: int = 4) -> Features:
    return np.random.default_rng(seed).normal(size=(n, dims))


def with_moments(mean: Features, covariance: Features, seed: int) -> Features:
    """Return points whose sample mean and covariance are exactly those given."""
    points = normal(200, seed, len(mean))
    points -= points.mean(axis=0)
    points = points @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(points, rowvar=False)))).T
    return points @ np.linalg.cholesky(covariance).T + mean


def test_frechet_distance_of_commuting_normals_is_the_closed_form() -> None:
    one = with_moments(np.zeros(3), np.diag([1.0, 4.0, 9.0]), 0)
    other = with_moments(np.array([1.0, -2.0, 0.0]), np.diag([4.0, 4.0, 1.0]), 1)
    assert frechet_distance(one, other) == pytest.approx(5 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2, rel=1e-9)


def test_frechet_distance_of_normals_that_do_not_commute_is_the_closed_form() -> None:
    # of 2 x 2 matrices the root has the trace (tr + 2 det^0.5)^0.5
    a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[5.0, -1.0], [-1.0, 1.0]])
    root = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a) * np.linalg.det(b)))
    found = frechet_distance(with_moments(np.zeros(2), a, 2), with_moments(np.zeros(2), b, 3))
    assert found == pytest.approx(np.trace(a + b) - 2 * root, rel=1e-9)


@given(seed=st.integers(0, 1000), n=st.integers(2, 40))
def test_frechet_distance_is_symmetric_and_never_negative(seed: int, n: int) -> None:
    one, other = normal(n, seed), 2 * normal(n + 3, seed + 1)
    assert 0 <= frechet_distance(one, other) == pytest.approx(frechet_distance(other, one), rel=1e-6, abs=1e-6)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-6)


def test_kernel_distance_is_unbiased() -> None:
    found = [kernel_distance(normal(20, 2 * seed), normal(20, 2 * seed + 1)) for seed in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert min(found) < 0


def test_kernel_distance_sees_what_the_first_two_moments_hide() -> None:
    skewed = np.random.default_rng(0).exponential(size=(400, 1)) - 1
    normals = with_moments(skewed.mean(axis=0), np.atleast_2d(skewed.var(ddof=1)), 1)
    assert frechet_distance(skewed, normals) < 1e-9
    assert kernel_distance(skewed, normals) > 1


def test_kernel_distance_of_single_points_is_the_sum_over_pairs() -> None:
    one, other = np.array([[0.0], [1.0]]), np.array([[2.0], [2.0]])
    assert kernel_distance(one, other) == pytest.approx(1 + 125 - 2 * (1 + 27) / 2)
