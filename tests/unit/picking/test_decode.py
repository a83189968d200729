import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.picking.decode import Candidates, candidates, decide, decode, joined

LIVE = np.array([True])


def bell(centre: float, sigma: float = 1.5, *, none: float = -20.0, n_samples: int = 100) -> np.ndarray:
    """Return (1, n_samples + 1) logits of a Gaussian about `centre`, with a logit for "no pick"."""
    time = np.arange(n_samples)
    return np.append(-0.5 * ((time - centre) / sigma) ** 2, none)[None].astype(np.float32)


@given(st.floats(10, 89))
def test_the_centre_of_a_bell_is_found_between_samples(centre: float) -> None:
    picks = decode(bell(centre), LIVE, 250.0)
    assert picks.pick_ms[0] == pytest.approx(0.25 * centre, abs=0.25 * 0.01)


@pytest.mark.parametrize("cut", [-1, -4])
@pytest.mark.parametrize("seed", range(5))
def test_the_last_digits_of_logits_do_not_move_picks_along_a_flat_top(cut: float, seed: int) -> None:
    flat = np.minimum(bell(50, 2.0), cut)
    noisy = flat + np.random.default_rng(seed).normal(0, 0.02, flat.shape).astype(np.float32)
    assert abs(int(noisy[0, :-1].argmax()) - 50) >= 1  # so the peak itself moves
    assert decode(noisy, LIVE, 1000.0).pick_ms[0] == pytest.approx(50, abs=0.15)


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


def two_events(likelier: float) -> np.ndarray:
    """Return logits of events at samples 20 and 60, the second likelier by a factor of e to the power given."""
    return np.logaddexp(bell(20), bell(60) + likelier).astype(np.float32)


def test_candidates_come_likeliest_first() -> None:
    found = candidates(two_events(1.0), LIVE, n=4)
    assert found.time[0, :2] == pytest.approx([60, 20], abs=0.01)
    assert found.probability[0, :2] == pytest.approx(np.array([np.e, 1]) / (1 + np.e), abs=1e-3)


def test_a_weaker_event_beside_a_stronger_one_keeps_its_time_and_probability() -> None:
    logits = np.logaddexp(bell(50), bell(62) - np.log(9)).astype(np.float32)
    found = candidates(logits, LIVE, n=8)
    assert found.time[0, :2] == pytest.approx([50, 62], abs=0.5)
    assert found.probability[0, :2] == pytest.approx([0.9, 0.1], abs=1e-3)
    assert not found.probability[0, 2:].any()


def test_a_broad_event_is_found_however_many_peaks_lead_to_it() -> None:
    time = np.arange(100)
    mass = np.exp(-0.5 * ((time - 60.7) / 4.0) ** 2)
    mass *= 0.53 / mass.sum()
    mass[20], mass[50] = 0.4, 0.07
    logits = np.append(np.log(mass + 1e-12), -20)[None].astype(np.float32)
    found = candidates(logits, LIVE, n=8)
    there = found.probability[0] > 0.1
    assert found.time[0, there] == pytest.approx([20, 60.7], abs=0.5)


@pytest.mark.parametrize("n", [1, 8])
def test_the_highest_peak_leads_to_its_top_however_far_that_is(n: int) -> None:
    time = np.arange(100)
    mass = np.exp(-0.5 * ((time - 62) / 4.0) ** 2)
    mass *= 0.88 / mass.sum()
    mass[50] = 0.12
    found = candidates(np.append(np.log(mass + 1e-12), -20)[None].astype(np.float32), LIVE, n=n)
    assert found.time[0, 0] == pytest.approx(62, abs=0.5)
    assert found.probability[0].sum() < 1


def test_equal_logits_have_the_same_first_candidate_however_many_there_are() -> None:
    logits = np.zeros((1, 101), np.float32)
    assert candidates(logits, LIVE).time[0, 0] == candidates(logits, LIVE, n=8).time[0, 0]


def test_peaks_that_lead_to_one_top_are_one_candidate() -> None:
    flat = np.minimum(bell(50, 2.0), -4)
    noisy = flat + np.random.default_rng(0).normal(0, 0.02, flat.shape).astype(np.float32)
    found = candidates(noisy, LIVE, n=8)
    assert found.probability[0, 0] > 0.9
    assert found.probability[0, 1:].max() < 1e-3


@pytest.mark.parametrize("gap", [50, 80, 118])
def test_what_is_most_improbable_keeps_its_place(gap: float) -> None:
    logits = np.logaddexp(bell(80), bell(3.4) - gap).astype(np.float32)
    found = candidates(logits, LIVE, n=8)
    assert found.time[0, :2] == pytest.approx([80, 3.4], abs=0.1)
    assert found.spread[0, 1] == pytest.approx(1.5, rel=0.1)
    assert (found.time >= 0).all()
    window = candidates(logits, LIVE, allowed=np.array([[0.0, 20.0]]))
    assert window.time[0, 0] == pytest.approx(3.4, abs=0.1)


def test_the_likeliest_of_many_is_the_only_one_of_one() -> None:
    logits = np.random.default_rng(0).normal(size=(7, 201)).astype(np.float32) * 4
    one, many = (decide(candidates(logits, np.ones(7, bool), n=n), 250.0) for n in (1, 8))
    np.testing.assert_array_equal(one.pick_ms, many.pick_ms)
    np.testing.assert_array_equal(one.probability, many.probability)


def test_a_plateau_of_certainty_has_one_candidate() -> None:
    found = candidates(bell(50), LIVE, n=5)
    assert (found.probability[0] > 1e-3).tolist() == [True, False, False, False, False]


def test_what_lies_outside_the_window_is_not_picked_and_stays_as_probable() -> None:
    logits = two_events(1.0)
    picks = decide(candidates(logits, LIVE, allowed=np.array([[10.0, 40.0]])), 1000.0)
    assert picks.pick_ms[0] == pytest.approx(20, abs=0.01)
    assert picks.probability[0] == pytest.approx(1 / (1 + np.e), abs=1e-3)
    assert picks.flag[0] == "low_probability"


@pytest.mark.parametrize("n", [1, 3])
def test_what_lies_beyond_a_window_neither_draws_a_pick_nor_counts_for_it(n: int) -> None:
    logits = np.logaddexp(bell(38, 0.8), bell(46, 0.8) + 1.5).astype(np.float32)
    picks = decide(candidates(logits, LIVE, n=n, allowed=np.array([[0.0, 42.5]])), 1000.0)
    assert picks.pick_ms[0] == pytest.approx(38, abs=0.1)
    assert picks.probability[0] == pytest.approx(1 / (1 + np.exp(1.5)), abs=1e-3)
    assert picks.flag[0] == "low_probability"


@pytest.mark.parametrize("n", [1, 3])
def test_a_pick_stays_in_its_window_where_the_event_lies_beyond(n: int) -> None:
    picks = decide(candidates(bell(50, 3.0), LIVE, n=n, allowed=np.array([[30.0, 47.5]])), 1000.0)
    assert 44 < picks.pick_ms[0] <= 47.5
    assert picks.probability[0] < 0.25


@pytest.mark.parametrize("n", [1, 3])
def test_a_window_beside_the_record_leaves_nothing_to_pick(n: int) -> None:
    picks = decide(candidates(bell(50), LIVE, n=n, allowed=np.array([[200.0, np.inf]])), 1000.0)
    assert np.isnan(picks.pick_ms[0])
    assert (picks.flag[0], picks.probability[0]) == ("outside_window", 0)


def test_tiles_join_to_what_the_gather_gives_at_once() -> None:
    logits, live = np.random.default_rng(1).normal(size=(9, 81)).astype(np.float32), np.arange(9) != 4
    parts = [candidates(logits[part], live[part], n=3) for part in (slice(0, 4), slice(4, 9))]
    whole = decide(candidates(logits, live, n=3), 250.0)
    np.testing.assert_array_equal(decide(joined(parts), 250.0).pick_ms, whole.pick_ms)


def test_a_line_says_where_a_pick_is_not_whether_there_is_one() -> None:
    found = Candidates(
        time=np.array([[80.0, 30.0]]),
        spread=np.ones((1, 2)),
        probability=np.array([[0.4, 0.25]]),
        none=np.array([0.35]),
        live=LIVE,
    )
    picks = decide(found, 1000.0, chosen=np.array([1]))
    assert picks.pick_ms[0] == 30.0
    assert (picks.flag[0], picks.probability[0]) == ("low_probability", 0.25)
