"""Precision, recall, density, coverage and novelty, on clusters and collapsed sets."""

import numpy as np
import pytest
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.metrics.coverage import density_coverage, distances, precision_recall
from seisray.metrics.novelty import novelty

Features = NDArray[np.float64]


def normal(n: int, seed: int, at: float = 0.0) -> Features:
    return np.random.default_rng(seed).normal(at, 1, size=(n, 6))


def test_distances_are_euclidean() -> None:
    one, other = normal(5, 0), normal(7, 1)
    assert distances(one, other) == pytest.approx(np.linalg.norm(one[:, None] - other[None], axis=2))


def test_disjoint_clusters_have_neither_precision_nor_recall() -> None:
    assert precision_recall(normal(60, 0), normal(60, 1, at=50)) == (0, 0)
    assert density_coverage(normal(60, 0), normal(60, 1, at=50)) == (0, 0)


def test_a_set_is_precise_and_complete_for_itself() -> None:
    real = normal(60, 0)
    assert precision_recall(real, real) == (1, 1)
    assert density_coverage(real, real).coverage == 1


def test_half_of_the_modes_are_precise_but_half_recalled() -> None:
    real = np.concatenate([normal(100, 0), normal(100, 1, at=50)])
    found = precision_recall(real, normal(200, 2))
    assert found.precision > 0.8
    assert found.recall == pytest.approx(0.5, abs=0.1)


def test_good_and_bad_halves_are_recalled_but_half_precise() -> None:
    found = precision_recall(normal(200, 0), np.concatenate([normal(100, 1), normal(100, 2, at=50)]))
    assert found.precision == pytest.approx(0.5, abs=0.1)
    assert found.recall > 0.8


def test_reach_is_the_distance_to_the_kth_other_point() -> None:
    real, fake = np.array([[0.0], [1.0], [3.0], [7.0]]), np.array([[9.9], [11.1], [30.0], [40.0]])
    # the reach of 7 to its first neighbour is 4, to its second 6
    assert precision_recall(real, fake, neighbours=1).precision == 0.25
    assert precision_recall(real, fake, neighbours=2).precision == 0.5


def test_a_collapsed_set_covers_little_though_it_is_dense() -> None:
    real = normal(300, 0)
    found = density_coverage(real, np.repeat(real[:4] * 0.5, 75, axis=0))
    assert found.coverage < 0.3
    assert found.density > 0.5


def test_sets_drawn_alike_have_density_1_and_the_coverage_that_theory_says() -> None:
    found = density_coverage(normal(600, 0), normal(600, 1))
    assert found.density == pytest.approx(1, abs=0.1)
    assert found.coverage == pytest.approx(1 - 0.5**5, abs=0.04)


def test_too_few_panels_are_refused_with_the_number_needed() -> None:
    with pytest.raises(ConfigError, match="3 panels have no 3 neighbours each; measure more than 3"):
        precision_recall(normal(3, 0), normal(60, 1))


def test_what_is_drawn_alike_is_as_new_as_held_out_panels() -> None:
    found = novelty(normal(300, 0), normal(200, 1), normal(200, 2))
    assert found.novelty == pytest.approx(1, abs=0.1)
    assert found.copied == pytest.approx(0.05, abs=0.05)


def test_copies_are_not_new() -> None:
    train = normal(300, 0)
    found = novelty(train, normal(200, 1), train[:200] + 0.01 * normal(200, 2))
    assert found.novelty < 0.05
    assert found.copied == 1


def test_a_few_copies_among_new_panels_show_in_the_share() -> None:
    train = normal(300, 0)
    found = novelty(train, normal(200, 1), np.concatenate([train[:50], normal(150, 2)]))
    assert found.novelty > 0.7
    assert 0.25 <= found.copied < 0.4
