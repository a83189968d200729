import numpy as np
import pytest

from seisray.synthetic.smooth import smooth


def test_constant_stays_as_it_is() -> None:
    np.testing.assert_allclose(smooth(np.full((3, 50), 2.0), 4.0), 2.0)


def test_spike_becomes_a_bell_of_the_given_width() -> None:
    spike = np.zeros(201)
    spike[100] = 1.0
    bell = smooth(spike, 6.0)
    at = np.arange(201) - 100
    assert np.sum(bell) == pytest.approx(1.0)
    assert np.sqrt(np.sum(bell * at**2)) == pytest.approx(6.0, rel=0.02)


def test_axis_is_respected() -> None:
    ramp = np.repeat(np.arange(20.0)[:, None], 5, axis=1)
    np.testing.assert_allclose(smooth(ramp, 3.0, axis=1), ramp, atol=1e-9)
