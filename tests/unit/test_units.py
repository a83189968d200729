import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seisray.units import apply_scalar, ms_to_sample, sample_to_ms


def test_a_sample_at_a_quarter_millisecond() -> None:
    assert sample_to_ms(10, 250) == 2.5


@given(st.floats(-1e6, 1e6), st.integers(1, 65535))
def test_there_and_back_is_the_same_sample(sample: float, interval_us: int) -> None:
    np.testing.assert_allclose(ms_to_sample(sample_to_ms(sample, interval_us), interval_us), sample, rtol=1e-12)


def test_missing_times_stay_missing() -> None:
    np.testing.assert_array_equal(ms_to_sample([np.nan, 1.0], 500), [np.nan, 2.0])


def test_scalars_multiply_divide_or_leave_alone() -> None:
    np.testing.assert_allclose(apply_scalar([1234, 1234, 1234], [10, -100, 0]), [12340, 12.34, 1234])
