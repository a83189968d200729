import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.picking.decode import decode

LIVE = np.array([True])


def bell(centre: float, sigma: float = 1.5, *, none: float = -20.0, n_samples: int = 100) -> np.ndarray:
    """Return (1, n_samples + 1) logits of a Gaussian about `centre`, with a logit for "no pick"."""
    time = np.arange(n_samples)
    return np.append(-0.5 * ((time - centre) / sigma) ** 2, none)[None].astype(np.float32)


@given(st.floats(10, 89))
def test_the_centre_of_a_bell_is_found_between_samples(centre: float) -> None:
    picks = decode(bell(centre), LIVE, 250.0)
    assert picks.pick_ms[0] == pytest.approx(0.25 * centre, abs=0.25 * 0.01)


def test_sigma_is_the_width_of_the_bell() -> None:
    assert decode(bell(50.3), LIVE, 250.0).sigma_ms[0] == pytest.approx(0.25 * 1.5, rel=0.01)


@pytest.mark.parametrize("centre", [0, 99])
def test_a_peak_at_the_edge_stays_inside_the_record(centre: float) -> None:
    picks = decode(bell(centre, 0.3), LIVE, 1000.0)
    assert picks.pick_ms[0] == pytest.approx(centre, abs=0.01)
    assert picks.probability[0] <= 1.0 + 1e-6


def test_a_sure_pick_is_ok() -> None:
    picks = decode(bell(50), LIVE, 250.0)
    assert picks.flag[0] == "ok"
    assert picks.probability[0] == pytest.approx(1, abs=1e-3)


def test_a_likelier_no_pick_gives_none() -> None:
    picks = decode(bell(50, none=5.0), LIVE, 250.0)
    assert np.isnan([picks.pick_ms[0], picks.sigma_ms[0]]).all()
    assert picks.flag[0] == "low_probability"
    assert 0 < picks.probability[0] < 0.1


def test_an_unsure_pick_is_kept_and_flagged() -> None:
    two = np.logaddexp(np.logaddexp(bell(20), bell(50)), bell(80) + 0.1)
    picks = decode(two.astype(np.float32), LIVE, 250.0)
    assert picks.pick_ms[0] == pytest.approx(20.0, abs=0.01)
    assert picks.flag[0] == "low_probability"
    assert picks.probability[0] == pytest.approx(np.exp(0.1) / (2 + np.exp(0.1)), abs=0.01)


def test_a_pick_takes_no_mass_from_another_event() -> None:
    both = np.logaddexp(bell(20, none=-20), bell(60, none=-20) + 2).astype(np.float32)
    assert decode(both, LIVE, 1000.0).pick_ms[0] == pytest.approx(60, abs=0.01)


def test_dead_traces_have_no_pick() -> None:
    picks = decode(np.concatenate([bell(50), bell(50)]), np.array([False, True]), 250.0)
    assert picks.flag.tolist() == ["dead", "ok"]
    assert np.isnan(picks.pick_ms).tolist() == [True, False]
    assert picks.probability[0] == 0


def test_large_logits_do_not_overflow() -> None:
    assert decode(1e4 * bell(50), LIVE, 250.0).pick_ms[0] == pytest.approx(12.5, abs=1e-3)
