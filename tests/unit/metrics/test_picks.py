"""Scores against values worked out by hand."""

import json

import numpy as np
import pytest

from seisray.errors import ConfigError, PicksError
from seisray.metrics.picks import hit_rate, residual_ms, score_picks

NAN = float("nan")


def test_residual_is_pick_minus_first_break() -> None:
    np.testing.assert_array_equal(residual_ms([12.0, NAN, 5.0], [10.0, 10.0, NAN]), [2.0, NAN, NAN])


def test_residual_refuses_shapes_that_would_broadcast() -> None:
    with pytest.raises(PicksError, match=r"\(3,\)"):
        residual_ms([1.0, 2.0, 3.0], [1.0])


def test_hit_rate_counts_a_missing_pick_as_a_miss() -> None:
    assert hit_rate([10.0, NAN], [10.0, 10.0], 2.0) == 0.5


def test_hit_rate_leaves_unlabelled_traces_out() -> None:
    assert hit_rate([10.0, 99.0, 99.0], [10.0, NAN, NAN], 2.0) == 1.0


def test_hit_rate_includes_the_tolerance_itself() -> None:
    assert hit_rate([12.0, 8.0, 12.01], [10.0, 10.0, 10.0], 2.0) == pytest.approx(2 / 3)


def test_hit_rate_survives_float32_storage() -> None:
    first_break = np.arange(0, 1000, 7.1, dtype=np.float32)
    assert hit_rate(first_break + np.float32(2.0), first_break, 2.0) == 1.0


def test_hit_rate_treats_an_infinite_pick_as_missing() -> None:
    assert hit_rate([np.inf, 10.0], [10.0, 10.0], 2.0) == 0.5


def test_hit_rate_refuses_a_negative_tolerance() -> None:
    with pytest.raises(ConfigError, match="tolerance_ms is -1"):
        hit_rate([1.0], [1.0], -1.0)


@pytest.mark.parametrize("labels", [[NAN, NAN], []])
def test_nothing_labelled_is_an_error(labels: list[float]) -> None:
    with pytest.raises(PicksError, match=f"none of {len(labels)} traces"):
        score_picks(labels, labels, sample_interval_us=250)


@pytest.mark.parametrize("interval", [0.0, -250.0, NAN])
def test_sample_interval_must_be_positive(interval: float) -> None:
    with pytest.raises(ConfigError, match="sample_interval_us"):
        score_picks([1.0], [1.0], sample_interval_us=interval)


def test_coverage_is_the_picked_share_of_labelled_traces() -> None:
    score = score_picks([1.0, NAN, NAN, 4.0], [1.0, 1.0, 1.0, NAN], sample_interval_us=250)
    assert (score.n_labelled, score.n_picked, score.coverage) == (3, 1, pytest.approx(1 / 3))


def test_errors_in_ms_match_closed_forms() -> None:
    score = score_picks([13.0, 6.0, 10.0, NAN], [10.0, 10.0, 10.0, 10.0], sample_interval_us=250)  # +3, -4, 0, missed
    assert score.mae_ms == pytest.approx(7 / 3)
    assert score.rmse_ms == pytest.approx(np.sqrt(25 / 3))
    assert score.bias_ms == pytest.approx(-1 / 3)
    assert score.median_residual_ms == 0.0


def test_hit_rates_at_1_2_and_4_ms() -> None:
    score = score_picks([10.5, 11.5, 13.5, NAN], [10.0] * 4, sample_interval_us=250)
    assert (score.hit_rate_1ms, score.hit_rate_2ms, score.hit_rate_4ms) == (0.25, 0.5, 0.75)


def test_debiased_hit_rate_ignores_one_constant() -> None:
    first_break = np.array([10.0, 20.0, 30.0, 40.0])
    score = score_picks(first_break + np.array([7.0, 7.5, 6.5, 30.0]), first_break, sample_interval_us=250)
    assert (score.hit_rate_2ms, score.hit_rate_2ms_debiased) == (0.0, 0.75)


def test_debiased_hit_rate_still_counts_missing_picks() -> None:
    assert score_picks([15.0, NAN], [10.0, 10.0], sample_interval_us=250).hit_rate_2ms_debiased == 0.5


def test_hr_at_k_is_strict() -> None:
    first_break = np.full(4, 100.0)
    samples_off = np.array([0, 1, -3, 5])
    score = score_picks(first_break + 2.0 * samples_off, first_break, sample_interval_us=2000)
    assert (score.hr_at_1, score.hr_at_3, score.hr_at_5, score.hr_at_7) == (0.25, 0.5, 0.75, 1.0)


def test_hr_at_1_asks_for_the_same_whole_sample() -> None:
    assert score_picks([100.9, 101.1], [100.0, 100.0], sample_interval_us=2000).hr_at_1 == 0.5


def test_hr_at_k_counts_a_missing_pick_as_an_error() -> None:
    assert score_picks([10.0, NAN], [10.0, 10.0], sample_interval_us=1000).hr_at_9 == 0.5


def test_without_any_pick_errors_are_unknown_and_rates_zero() -> None:
    score = score_picks([NAN], [10.0], sample_interval_us=1000)
    assert (score.hit_rate_4ms, score.hr_at_9, score.hit_rate_2ms_debiased) == (0.0, 0.0, 0.0)
    assert np.isnan(score.mae_ms)


def test_to_dict_is_strict_json() -> None:
    values = score_picks([NAN], [10.0], sample_interval_us=1000).to_dict()
    assert json.loads(json.dumps(values, allow_nan=False))["mae_ms"] is None
    assert values["n_labelled"] == 1
