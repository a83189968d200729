import numpy as np
import pytest

from seisray.errors import PicksError
from seisray.metrics.calibration import Bin, calibration_error, reliability
from seisray.metrics.picks import score_picks, sureness


def test_a_probability_that_is_true_has_no_error() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(200_000)
    assert calibration_error(probability, rng.random(200_000) < probability) < 0.01


def test_one_that_says_too_much_is_off_by_as_much() -> None:
    assert calibration_error([0.95] * 10, [True] * 5 + [False] * 5) == pytest.approx(0.45)


def test_bins_without_picks_are_left_out() -> None:
    found = reliability([0.0, 0.05, 1.0], [False, True, True])
    assert found == [Bin(2, pytest.approx(0.025), 0.5), Bin(1, 1.0, 1.0)]


def test_nothing_has_no_error() -> None:
    assert np.isnan(calibration_error([], []))


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(PicksError, match=r"probabilities have shape \(2,\)"):
        reliability([0.1, 0.2], [True])
    with pytest.raises(PicksError, match=r"probabilities have shape \(2,\)"):
        sureness([1.0], [1.0], [0.1, 0.2])


def test_picks_without_a_label_or_a_time_say_nothing_of_the_probability() -> None:
    said, right = sureness([10.0, 20.0, np.nan, 40.0], [12.0, 23.0, 30.0, np.nan], [0.9, 0.6, 0.1, 0.8])
    assert (said.tolist(), right.tolist()) == ([0.9, 0.6], [True, False])
    score = score_picks([10.0, 20.0], [12.0, 23.0], sample_interval_us=250, probability=[0.9, 0.6])
    assert score.ece_2ms == pytest.approx((0.1 + 0.6) / 2)
    assert np.isnan(score_picks([10.0], [12.0], sample_interval_us=250).ece_2ms)
