from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisray.config import AugmentConfig, PanelConfig
from seisray.transforms import LabelledPanel, augment, cut_labelled, cut_panels, normalise, pad_to, trace_rms

PANEL = PanelConfig(traces=8, samples=128, gain=3.0)
OFF = AugmentConfig(stretch=1, shift=0, late=0, gain=1, noise=0, dead=0, flip=0, polarity=0)


def bumps(first_break: np.ndarray, n_samples: int) -> np.ndarray:
    """Return traces with a smooth event, three samples wide, whose centre is the first break."""
    return np.exp(-0.5 * ((np.arange(n_samples) - first_break[:, None]) / 3) ** 2).astype(np.float32)


def centres(panel: LabelledPanel) -> np.ndarray:
    """Return where the events of a panel are, whatever their polarity."""
    amplitude = np.abs(np.sinh(panel.samples))
    amplitude[amplitude < 1e-3 * amplitude.max()] = 0
    with np.errstate(invalid="ignore"):
        return (amplitude * np.arange(amplitude.shape[1])).sum(axis=1) / amplitude.sum(axis=1)


def test_normalise_is_the_arsinh_of_the_gain_times_amplitude_over_rms() -> None:
    samples = np.float32([[3, -4, 0, 0]])
    np.testing.assert_allclose(normalise(samples, 2.0), np.arcsinh(2.0 * samples / 2.5), rtol=1e-6)


@given(st.floats(-25, 25))
def test_normalise_does_not_see_the_scale_of_a_trace(exponent: float) -> None:
    samples = np.random.default_rng(0).normal(size=(2, 50)).astype(np.float32)
    scaled = (samples * np.array([[10**exponent], [1]])).astype(np.float32)
    np.testing.assert_allclose(normalise(scaled, 3), normalise(samples, 3), rtol=1e-5, atol=1e-6)


def test_normalise_leaves_zeros() -> None:
    assert not normalise(np.zeros((2, 5), np.float32), 3).any()


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


def test_with_everything_off_a_gather_stays_as_it_is() -> None:
    samples = np.random.default_rng(0).normal(size=(8, 128)).astype(np.float32)
    first_break = np.linspace(10, 90, 8).astype(np.float32)
    panel = augment(samples, first_break, np.random.default_rng(0), PANEL, OFF)
    np.testing.assert_allclose(panel.samples, normalise(samples, 3.0), rtol=1e-6)
    np.testing.assert_allclose(panel.first_break, first_break)


@pytest.mark.parametrize(
    "config",
    [
        replace(OFF, stretch=1.6),
        replace(OFF, shift=0.3),
        replace(OFF, flip=1),
        replace(OFF, polarity=1),
        replace(OFF, late=1),
        replace(OFF, stretch=1.6, shift=0.3, late=0.3, gain=2, flip=0.5, polarity=0.5),
    ],
    ids=["stretch", "shift", "flip", "polarity", "late", "all"],
)
def test_the_label_follows_the_event(config: AugmentConfig) -> None:
    first_break = np.linspace(20, 200, 12).astype(np.float32) + np.float32(0.3)
    samples = bumps(first_break, 256)
    checked = 0
    for seed in range(40):
        panel = augment(samples, first_break, np.random.default_rng(seed), PANEL, config)
        away = (panel.first_break > 20) & (panel.first_break < 107)  # the event is whole
        np.testing.assert_allclose(panel.first_break[away], centres(panel)[away], atol=0.1)
        checked += away.sum()
    assert checked > 50


def test_stretch_and_shift_really_move_the_event() -> None:
    first_break = np.full(8, 60, dtype=np.float32)
    moving = replace(OFF, stretch=1.6, shift=0.2)
    found = [augment(bumps(first_break, 128), first_break, np.random.default_rng(s), PANEL, moving) for s in range(30)]
    times = np.array([panel.first_break[0] for panel in found])
    assert times.max() - times.min() > 40


def test_an_event_moved_out_of_the_panel_is_known_to_be_absent() -> None:
    first_break = np.full(8, 125, dtype=np.float32)
    for seed in range(40):
        panel = augment(bumps(first_break, 256), first_break, np.random.default_rng(seed), PANEL, replace(OFF, shift=1))
        gone = panel.first_break == -1
        assert panel.known.all()
        assert gone.all() == (np.abs(np.sinh(panel.samples)).argmax(axis=1) != np.rint(panel.first_break)).all()


def test_a_trace_nobody_labelled_is_not_known() -> None:
    first_break = np.float32([30, np.nan, 30, 30, 30, 30, 30, 30])
    panel = augment(bumps(np.full(8, 30.0), 128), first_break, np.random.default_rng(0), PANEL, OFF)
    np.testing.assert_array_equal(panel.known, np.isfinite(first_break))


def test_a_dead_trace_is_known_to_have_no_first_break() -> None:
    samples = bumps(np.full(8, 30.0), 128)
    samples[2] = 0
    panel = augment(samples, np.full(8, np.nan, np.float32), np.random.default_rng(0), PANEL, OFF)
    np.testing.assert_array_equal(panel.known, np.arange(8) == 2)
    assert panel.first_break[2] == -1


def test_silenced_traces_lose_their_label() -> None:
    first_break = np.full(8, 30, np.float32)
    panel = augment(bumps(first_break, 128), first_break, np.random.default_rng(0), PANEL, replace(OFF, dead=0.5))
    silent = ~panel.samples.any(axis=1)
    assert 0 < silent.sum() < 8
    np.testing.assert_array_equal(panel.first_break == -1, silent)
    assert panel.known.all()


def test_a_random_gain_scales_whole_panels() -> None:
    samples = np.random.default_rng(0).normal(size=(8, 128)).astype(np.float32)
    found = set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        panel = augment(samples, np.full(8, 30, np.float32), rng, PANEL, replace(OFF, gain=2.0))
        ratio = np.sinh(panel.samples) / np.sinh(normalise(samples, 3.0))
        np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-3)
        found.add(float(ratio[0, 0]))
    assert 0.5 <= min(found) < 0.8
    assert 1.25 < max(found) <= 2


def test_noise_changes_samples_and_not_labels() -> None:
    first_break = np.full(8, 30, np.float32)
    panel = augment(bumps(first_break, 128), first_break, np.random.default_rng(0), PANEL, replace(OFF, noise=0.3))
    np.testing.assert_array_equal(panel.first_break, first_break)
    assert np.count_nonzero(panel.samples) == panel.samples.size
