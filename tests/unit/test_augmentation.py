from dataclasses import replace

import numpy as np
import pytest

from seisray.augmentation import LabelledPanel, augment
from seisray.config import AugmentConfig, PanelConfig
from seisray.transforms import normalise, trace_rms

PANEL = PanelConfig(traces=8, samples=128, gain=3.0)
OFF = AugmentConfig(
    stretch=1, shift=0, late=0, moveout=0, statics=0, gain=1, trace_gain=1, noise=0, dead=0, empty=0, flip=0, polarity=0
)


def bumps(first_break: np.ndarray, n_samples: int) -> np.ndarray:
    """Return traces with a smooth event, three samples wide, whose centre is the first break."""
    return np.exp(-0.5 * ((np.arange(n_samples) - first_break[:, None]) / 3) ** 2).astype(np.float32)


def centres(panel: LabelledPanel) -> np.ndarray:
    """Return where the events of a panel are, whatever their polarity."""
    amplitude = np.abs(np.sinh(panel.samples))
    amplitude[amplitude < 1e-3 * amplitude.max()] = 0
    with np.errstate(invalid="ignore"):
        return (amplitude * np.arange(amplitude.shape[1])).sum(axis=1) / amplitude.sum(axis=1)


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
        replace(OFF, decimate=1),
        replace(OFF, moveout=0.1),
        replace(OFF, statics=3),
        replace(OFF, reversed=0.5),
        replace(OFF, stretch=1.6, shift=0.3, late=0.3, moveout=0.1, statics=2, gain=2, flip=0.5, polarity=0.5),
    ],
    ids=["stretch", "shift", "flip", "polarity", "late", "decimate", "moveout", "statics", "reversed", "all"],
)
def test_the_label_follows_the_event(config: AugmentConfig) -> None:
    first_break = np.linspace(20, 200, 24).astype(np.float32) + np.float32(0.3)
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


def test_an_empty_panel_holds_noise_and_no_first_break() -> None:
    first_break, samples = np.full(8, 64, np.float32), bumps(np.full(8, 64.0), 128)
    samples[3], first_break[5] = 0, np.nan
    n_empty = 0
    for seed in range(200):
        panel = augment(samples, first_break, np.random.default_rng(seed), PANEL, replace(OFF, empty=0.2))
        empty = bool((panel.first_break == -1).all())
        assert panel.known.tolist() == [True] * 5 + [empty] + [True] * 2
        loud = np.abs(np.sinh(np.delete(panel.samples, 3, axis=0)))
        assert not panel.samples[3].any()
        assert empty == (loud[:, :40].max() > 0.5)  # otherwise nothing but the event, as it was
        np.testing.assert_allclose(trace_rms(np.sinh(panel.samples))[:3], 3, rtol=1e-2)  # as loud as before
        n_empty += empty
    assert n_empty == pytest.approx(0.2 * 200, abs=15)


def test_each_trace_has_a_gain_of_its_own() -> None:
    samples = np.ones((8, 128), np.float32)
    rng, seen = np.random.default_rng(0), []
    for _ in range(40):
        panel = augment(samples, np.full(8, 30, np.float32), rng, PANEL, replace(OFF, trace_gain=3.0))
        scale = np.sinh(panel.samples) / np.sinh(normalise(samples, 3.0))
        np.testing.assert_allclose(scale, scale[:, :1] * np.ones(128), rtol=1e-4)
        seen += scale[:, 0].tolist()
    assert 1 / 3 <= min(seen) < 0.36
    assert 2.8 < max(seen) <= 3.0001
    assert np.median(seen) == pytest.approx(1, abs=0.15)


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


def spikes(first_break: np.ndarray, n_samples: int) -> np.ndarray:
    """Return traces of zeros but for a one at the first break."""
    return (np.arange(n_samples) == first_break[:, None]).astype(np.float32)


def steps_between_traces(n_traces: int) -> set[int]:
    """Return how many traces of the gather lie between those of decimated panels."""
    first_break = 10 + 2 * np.arange(n_traces, dtype=np.float32)
    found: set[int] = set()
    for seed in range(30):
        panel = augment(
            spikes(first_break, 128), first_break, np.random.default_rng(seed), PANEL, replace(OFF, decimate=1)
        )
        np.testing.assert_array_equal(panel.samples.argmax(axis=1), panel.first_break)
        apart = set((np.diff(panel.first_break) / 2).tolist())
        assert len(apart) == 1
        found |= {int(step) for step in apart}
    return found


def test_a_decimated_gather_gives_every_second_or_third_trace_with_its_label() -> None:
    assert steps_between_traces(22) == {2, 3}


@pytest.mark.parametrize(("n_traces", "steps"), [(21, {2}), (15, {2}), (14, {1}), (8, {1})])
def test_only_what_leaves_a_panel_full_is_decimated(n_traces: int, steps: set[int]) -> None:
    assert steps_between_traces(n_traces) == steps


def test_decimation_is_as_frequent_as_asked_for() -> None:
    first_break = np.arange(22, dtype=np.float32)
    rng = np.random.default_rng(0)
    panels = [
        augment(spikes(first_break, 128), first_break, rng, PANEL, replace(OFF, decimate=0.3)) for _ in range(300)
    ]
    assert 0.24 < np.mean([panel.first_break[1] - panel.first_break[0] > 1 for panel in panels]) < 0.36


def test_reversed_traces_alone_change_and_only_their_sign() -> None:
    samples = np.random.default_rng(0).normal(size=(8, 128)).astype(np.float32)
    first_break = np.linspace(10, 90, 8).astype(np.float32)
    ratios = []
    for seed in range(40):
        panel = augment(samples, first_break, np.random.default_rng(seed), PANEL, replace(OFF, reversed=0.25))
        np.testing.assert_array_equal(panel.first_break, first_break)
        ratios.append(panel.samples / normalise(samples, 3.0))
    signs = np.stack(ratios)
    np.testing.assert_allclose(signs, np.broadcast_to(np.sign(signs[..., :1]), signs.shape), rtol=1e-5)
    assert 0.18 < np.mean(signs < 0) < 0.32


@pytest.mark.parametrize("kind", ["hum", "plane_wave", "recorded", "later_shot"])
def test_disturbances_leave_labels_and_are_normalised_with_the_record(kind: str) -> None:
    first_break = np.linspace(10, 40, 8).astype(np.float32)
    samples = spikes(np.rint(first_break), 128)
    noise = np.random.default_rng(1).normal(size=(8, 300)).astype(np.float32), np.full(8, 100, np.float32)
    heard = 0
    for seed in range(20):
        panel = augment(samples, first_break, np.random.default_rng(seed), PANEL, replace(OFF, **{kind: 1}), [noise])
        np.testing.assert_array_equal(panel.first_break, first_break)
        np.testing.assert_allclose(trace_rms(np.sinh(panel.samples) / 3.0), 1, rtol=1e-5)
        heard += np.count_nonzero(panel.samples) > 8
    assert heard > 2  # a later shot may come after the record


def test_behind_a_short_record_and_beside_a_small_gather_no_disturbance_is_heard() -> None:
    config = replace(OFF, hum=1, plane_wave=1)
    samples = np.random.default_rng(0).normal(size=(5, 90)).astype(np.float32)
    panel = augment(samples, np.full(5, 30, np.float32), np.random.default_rng(0), PANEL, config)
    assert panel.samples[:5, :90].all()
    assert not panel.samples[5:].any()
    assert not panel.samples[:, 90:].any()


def test_the_panels_of_a_seed_stay_what_they_were() -> None:
    samples = np.random.default_rng(0).normal(size=(20, 300)).astype(np.float32)
    first_break, rng = np.linspace(20, 200, 20).astype(np.float32), np.random.default_rng(7)
    config = AugmentConfig(empty=0, moveout=0, statics=0)
    panels = [augment(samples, first_break, rng, PANEL, config) for _ in range(3)]
    size = [np.abs(panel.samples).sum() for panel in panels]
    np.testing.assert_allclose(size, [2359.944, 272.027, 864.465], rtol=1e-5)
    assert panels[2].first_break[-1] == pytest.approx(35.87979, rel=1e-6)
    assert rng.random() == pytest.approx(0.22772874442974889)


def test_moveout_moves_traces_along_a_line_by_as_much_of_the_panel_at_most() -> None:
    first_break = np.full(8, 64, np.float32)
    samples, slopes, rng = bumps(first_break, 256), [], np.random.default_rng(0)
    for _ in range(200):
        found = augment(samples, first_break, rng, PANEL, replace(OFF, moveout=0.25)).first_break
        apart = np.diff(found[found >= 0])
        np.testing.assert_allclose(apart, apart.mean(), atol=1e-3)
        slopes.append(apart.mean())
    steepest = 0.25 * 128 / 8
    assert -steepest <= min(slopes) < -0.9 * steepest
    assert 0.9 * steepest < max(slopes) <= steepest


def test_statics_move_each_trace_by_itself_and_by_other_amounts_in_each_panel() -> None:
    first_break = np.full(8, 64, np.float32)
    rng = np.random.default_rng(0)
    found = [augment(bumps(first_break, 256), first_break, rng, PANEL, replace(OFF, statics=3)) for _ in range(200)]
    spread = [np.std(panel.first_break) for panel in found]
    assert 1 < np.mean(spread) < 2  # half of three in the mean
    assert min(spread) < 0.3
