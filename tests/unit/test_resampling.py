"""Gathers at another sampling interval: the same record, with as many samples a period as a picker knows."""

import math

import numpy as np
import pytest
from wavelets import wavelet_gather as gather

from seisray.resampling import resample, resample_gather, resampling_factor, samples_per_period


@pytest.mark.parametrize("interval_us", [250.0, 500.0, 1000.0, 2000.0])
@pytest.mark.parametrize("hz", [25.0, 60.0])
def test_a_period_has_the_samples_that_the_wavelet_gives_it(interval_us: float, hz: float) -> None:
    found = samples_per_period([gather(interval_us, hz=hz)])
    assert found * interval_us / 1e6 * hz == pytest.approx(1, abs=0.2)


def test_loud_dead_and_broken_traces_do_not_change_what_a_period_is() -> None:
    plain = gather(1000.0)
    odd = plain.samples.copy()
    odd[0] *= 1e6
    odd[1] = 0
    odd[2, 7] = np.nan
    assert samples_per_period([plain.replace(samples=odd, live=[True, False, True, True])]) == pytest.approx(
        samples_per_period([plain]), rel=0.05
    )


def test_silence_has_no_period() -> None:
    assert math.isnan(samples_per_period([gather(1000.0).replace(samples=np.zeros((4, 100)), live=[False] * 4)]))
    assert math.isnan(samples_per_period([]))


def test_short_records_have_one() -> None:
    assert samples_per_period([gather(1000.0, record_ms=40.0)]) > 2


def test_factors_are_powers_of_two() -> None:
    assert [resampling_factor(10, wanted) for wanted in (10, 13, 15, 40, 5, 3)] == [1, 1, 2, 4, 0.5, 0.25]


@pytest.mark.parametrize("factor", [4.0, 2.0, 0.5])
def test_a_resampled_record_is_that_of_the_other_interval(factor: float) -> None:
    there = gather(1000.0, hz=40.0)
    made = resample_gather(there, factor)
    wanted = gather(1000.0 / factor, hz=40.0)
    assert made.sample_interval_us == wanted.sample_interval_us
    assert made.samples.shape == wanted.samples.shape
    np.testing.assert_allclose(made.samples, wanted.samples, atol=0.02)
    np.testing.assert_array_equal(made.first_break_ms, there.first_break_ms)


def test_a_factor_of_one_changes_nothing() -> None:
    there = gather(1000.0)
    assert resample_gather(there, 1.0) is there
    assert resample(there.samples, 1.0) is there.samples
