import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.config import PanelConfig
from seisray.transforms import (
    BLOCK,
    compress,
    cut_labelled,
    cut_panels,
    each_sample,
    normalise,
    pad_to,
    running_rms,
    trace_rms,
)

PANEL = PanelConfig(traces=8, samples=128, gain=3.0)


def test_normalise_is_the_arsinh_of_the_gain_times_amplitude_over_rms() -> None:
    samples = np.float32([[3, -4, 0, 0]])
    np.testing.assert_allclose(normalise(samples, 2.0), np.arcsinh(2.0 * samples / 2.5), rtol=1e-6)


def test_faint_samples_and_loud_ones_have_their_arsinh_and_their_sign() -> None:
    samples = np.float32([[0, 1e-6, -1e-5, 1e-4, -1e-2, 1, -30, 1e3]])
    found = compress(samples, np.array([[2.3]]), 7.0)
    exact = np.arcsinh(7 * samples.astype(np.float64) / 2.3)
    np.testing.assert_allclose(found, exact, rtol=6e-7, atol=2e-7)
    np.testing.assert_array_equal(np.sign(found), np.sign(samples))


@given(st.floats(-25, 25))
def test_normalise_does_not_see_the_scale_of_a_trace(exponent: float) -> None:
    samples = np.random.default_rng(0).normal(size=(2, 50)).astype(np.float32)
    scaled = (samples * np.array([[10**exponent], [1]])).astype(np.float32)
    np.testing.assert_allclose(normalise(scaled, 3), normalise(samples, 3), rtol=1e-5, atol=1e-6)


def test_the_faintest_trace_is_normalised_and_changes_no_other() -> None:
    samples = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    samples[1] = np.round(40 * samples[1]) * np.float32(1e-44)
    found = normalise(samples, 10)
    np.testing.assert_array_equal(found[[0, 2]], normalise(samples[[0, 2]], 10))
    np.testing.assert_allclose(found[1], normalise(samples[1:2] * 2.0**100, 10)[0], rtol=1e-5)


def test_normalise_leaves_zeros() -> None:
    assert not normalise(np.zeros((2, 5), np.float32), 3).any()


@pytest.mark.parametrize("n_samples", [1, 15, 16, 63, 64, 65, 200, 203])
def test_a_running_rms_is_that_of_the_loudest_stretch_that_begins_up_to_half_a_stretch_later(n_samples: int) -> None:
    rng = np.random.default_rng(n_samples)
    samples = (rng.normal(size=(3, n_samples)) * rng.exponential(size=(3, n_samples))).astype(np.float32)
    power = np.pad(np.square(samples, dtype=np.float64), ((0, 0), (0, 64)))
    last = (n_samples - 1) // BLOCK
    for block, found in enumerate(running_rms(samples, 64).T):
        starts = [BLOCK * start for start in range(min(block + 2, last) + 1)]
        expected = np.sqrt(np.max([power[:, start : start + 64].sum(axis=1) for start in starts], axis=0) / 64)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert each_sample(running_rms(samples, 64), n_samples).shape[1] in (1, n_samples)


def test_what_comes_late_makes_no_first_break_small() -> None:
    early = np.random.default_rng(0).normal(size=(2, 300)).astype(np.float32)
    late = early * np.where(np.arange(300) < 200, 1, 1000).astype(np.float32)
    np.testing.assert_array_equal(normalise(late, 10, 64)[:, :96], normalise(early, 10, 64)[:, :96])
    assert np.abs(normalise(late, 10, 64)[:, 200:]).max() < 8
    assert not normalise(np.where(np.arange(300) < 250, 0, early), 10, 64)[:, :250].any()


def test_padding_adds_zeros_behind_and_never_cuts() -> None:
    padded = pad_to(np.ones((2, 5), np.float32), 3, 4)
    assert padded.shape == (3, 5)
    assert (padded.sum(), padded[2].sum()) == (10, 0)


def test_panels_are_normalised_windows_of_the_gather_mirrored_or_reversed() -> None:
    samples = np.random.default_rng(1).normal(size=(20, 300)).astype(np.float32)
    windows = normalise(np.lib.stride_tricks.sliding_window_view(samples, 128, axis=1), 3.0)  # (traces, starts, 128)
    seen = set()
    for panel in cut_panels(samples, np.random.default_rng(2), PANEL, 20):
        fits = np.einsum("tsn,n->ts", windows, panel[0])
        trace, start = np.unravel_index(np.abs(fits).argmax(), fits.shape)
        sign = np.sign(fits[trace, start])
        step = 1 if trace < 19 and np.allclose(panel[1], sign * windows[trace + 1, start], atol=1e-5) else -1
        rows = [trace + step * i for i in range(8)]
        np.testing.assert_allclose(panel, sign * windows[rows, start], atol=1e-5)
        seen.add((sign, step))
    assert len(seen) == 4


def test_a_gather_that_is_too_small_is_mirrored_in_traces_and_followed_by_zeros_in_time() -> None:
    samples = np.random.default_rng(3).normal(size=(3, 20)).astype(np.float32)
    panels = cut_panels(samples, np.random.default_rng(0), PANEL, 4)
    assert panels.shape == (4, 8, 128)
    assert (np.count_nonzero(panels, axis=(1, 2)) == 8 * 20).all()
    mirrored = {(0, 1, 2, 1, 0, 1, 2, 1), (1, 2, 1, 0, 1, 2, 1, 0)}  # one the other way round
    for panel in np.abs(panels[..., :20]):
        fits = np.abs(panel[:, None] - np.abs(normalise(pad_to(samples, 3, 128), 3.0)[:, :20])).max(axis=2)
        assert tuple(fits.argmin(axis=1).tolist()) in mirrored
        assert fits.min(axis=1).max() < 1e-5


def test_a_gather_of_one_trace_is_repeated() -> None:
    panels = cut_panels(
        np.random.default_rng(4).normal(size=(1, 200)).astype(np.float32), np.random.default_rng(0), PANEL, 2
    )
    assert (panels == panels[:, :1]).all()
    assert panels.any()


def test_first_breaks_move_with_their_window_and_are_none_beyond_it() -> None:
    samples = np.zeros((20, 300), np.float32)
    first_break = np.arange(20, dtype=np.float32) * 12 + 20
    first_break[5] = np.nan
    samples[np.arange(20), np.nan_to_num(first_break, nan=60).astype(int)] = 1
    panels, places = cut_labelled(samples, first_break, np.random.default_rng(0), PANEL, 30)
    peak, there = np.abs(panels).argmax(axis=2), np.abs(panels).max(axis=2) > 0
    known = np.isfinite(places)
    np.testing.assert_array_equal(places[known], peak[known])
    unlabelled = there & ~known
    assert 0 < unlabelled.sum() <= 30  # trace 5 alone has an event and no label
    assert not (known & ~there).any()


def test_panels_depend_on_the_generator_alone() -> None:
    samples = np.random.default_rng(1).normal(size=(20, 300)).astype(np.float32)
    first, again = (cut_panels(samples, np.random.default_rng(5), PANEL, 3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (cut_panels(samples, np.random.default_rng(6), PANEL, 3) != first).any()


def test_a_trace_is_as_loud_as_its_loudest_stretch() -> None:
    samples = np.zeros((2, 300), np.float32)
    samples[0, 100:150] = 4
    samples[1, :50] = 4
    assert trace_rms(samples, 50).tolist() == [[4], [4]]
    assert trace_rms(samples, 200).tolist() == [[2], [2]]
    assert trace_rms(samples[:, :150], 200).tolist() == [[2], [2]]  # as though zeros followed
