"""Scores of generated panels, on synthetic panels: arrivals of random slope and onset in a little noise."""

import numpy as np
import pytest
from numpy.typing import NDArray

from seisray.config import WatchConfig
from seisray.metrics.samples import amplitude_distance, diversity, score_samples, spectrum_distance
from seisray.transforms import normalise

Panels = NDArray[np.float32]


def panels(n: int, seed: int) -> Panels:
    """Return (n, 16, 64): a decaying wave behind a dipping first arrival."""
    rng = np.random.default_rng(seed)
    onset = rng.uniform(5, 40, (n, 1, 1)) + rng.uniform(-1, 1, (n, 1, 1)) * np.arange(16)[:, None]
    after = np.clip(np.arange(64) - onset, 0, None)
    waves = np.sin(0.8 * after) * np.exp(-after / 10) + rng.normal(scale=0.02, size=(n, 16, 64))
    return normalise(waves.astype(np.float32), 3.0)


@pytest.fixture(scope="module")
def real() -> Panels:
    return panels(128, 0)


@pytest.fixture(scope="module")
def floor(real: Panels) -> float:
    return score_samples(real, panels(128, 1))["sample_distance"]


def white_noise(like: Panels) -> Panels:
    return normalise(np.random.default_rng(2).normal(size=like.shape).astype(np.float32), 3.0)


def test_other_real_panels_are_near(floor: float) -> None:
    assert floor < 0.2


def test_the_same_panels_are_at_zero(real: Panels) -> None:
    assert score_samples(real, real)["sample_distance"] == 0


def test_white_noise_is_far(real: Panels, floor: float) -> None:
    assert score_samples(real, white_noise(real))["sample_distance"] > 5 * floor


def test_a_collapsed_generator_is_far(real: Panels, floor: float) -> None:
    alike = np.repeat(panels(1, 3), 128, axis=0)
    assert score_samples(real, alike)["sample_distance"] > 5 * floor


def test_noise_does_not_hide_a_collapse(real: Panels, floor: float) -> None:
    alike = np.repeat(panels(1, 3), 128, axis=0)
    alike += 0.1 * np.random.default_rng(4).normal(size=alike.shape).astype(np.float32)
    assert score_samples(real, alike)["diversity_ratio"] < 0.2
    assert score_samples(real, alike)["sample_distance"] > 5 * floor


def test_the_spectrum_tells_the_order_of_samples_though_amplitudes_are_the_same(real: Panels) -> None:
    shuffled = np.random.default_rng(5).permuted(real, axis=2)
    assert amplitude_distance(real, shuffled) == pytest.approx(0, abs=1e-6)
    assert spectrum_distance(real, shuffled) > 5 * spectrum_distance(real, panels(128, 1))


def test_amplitudes_ten_times_too_small_are_a_factor_of_ten_in_the_spectrum(real: Panels) -> None:
    assert spectrum_distance(real, real / 10) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("modes", [2, 8, 32])
def test_few_panels_again_and_again_are_a_collapse_however_unlike_they_are(real: Panels, modes: int) -> None:
    repeated = np.tile(panels(modes, 3), (len(real) // modes, 1, 1))
    repeated += 0.02 * repeated.std() * np.random.default_rng(4).normal(size=repeated.shape).astype(np.float32)
    assert score_samples(real, repeated)["diversity_ratio"] < 0.5 * WatchConfig().collapse_ratio


def test_diversity_is_the_mean_distance_of_two_panels_and_the_median_one_to_the_nearest() -> None:
    three = np.stack([np.full((8, 16), level) for level in (0, 1, 4)]).astype(np.float32)
    assert diversity(three) == pytest.approx(np.array([8 / 3, 1]) * np.sqrt(8 * 16))


def test_sets_of_other_sizes_can_be_compared(real: Panels, floor: float) -> None:
    assert score_samples(real, panels(96, 6))["sample_distance"] < 2 * floor + 0.1


def test_what_is_not_finite_has_no_score(real: Panels) -> None:
    broken = real.copy()
    broken[3, 2, 1] = np.nan
    assert all(np.isnan(value) for value in score_samples(real, broken).values())


def test_silence_has_a_score(real: Panels) -> None:
    assert np.isfinite(score_samples(real, np.zeros_like(real))["sample_distance"])
