import itertools
from dataclasses import replace

import numpy as np
import pytest

from seisray.config import AugmentConfig
from seisray.disturbances import (
    GUARD,
    HUM,
    LATEST,
    MOVEOUT,
    SMOOTHEST,
    STRENGTH,
    Labelled,
    disturb,
    hum,
    later_shot,
    plane_wave,
    recorded_noise,
    rustle,
)
from seisray.transforms import trace_rms

RECORD = np.random.default_rng(9).normal(size=(6, 400)).astype(np.float32)
FIRST_BREAK = np.linspace(60, 160, 6).astype(np.float32)
NONE = AugmentConfig()
EVERY = replace(NONE, hum=1, plane_wave=1, recorded=1, later_shot=1)


def test_hum_is_one_sinusoid_on_all_traces() -> None:
    for seed in range(20):
        wave = hum(5, 300, np.random.default_rng(seed)).astype(np.float64)
        both, here = wave[:, 2:] + wave[:, :-2], wave[:, 1:-1]  # sin(x - w) + sin(x + w) = 2 cos(w) sin(x)
        cosine = (both * here).sum() / (here**2).sum() / 2
        np.testing.assert_allclose(both, 2 * cosine * here, atol=1e-5)
        assert HUM[0] <= np.arccos(cosine) / (2 * np.pi) <= HUM[1]


def test_hum_is_common_to_all_traces_or_each_has_its_phase_and_loudness() -> None:
    waves = [hum(5, 5000, np.random.default_rng(seed)) for seed in range(40)]
    common = [wave for wave in waves if (wave == wave[0]).all()]
    own = [wave for wave in waves if len({trace.tobytes() for trace in wave}) == 5]
    assert len(common) + len(own) == 40
    assert 10 < len(common) < 30
    np.testing.assert_allclose([trace_rms(wave) for wave in common], 1, rtol=0.03)
    assert max(trace_rms(wave).max() for wave in own) < 1.03


def test_noise_alone_is_white_or_smooth_and_shared_by_no_two_traces() -> None:
    smooth = []
    for seed in range(60):
        noise = rustle(16, 2048, np.random.default_rng(seed))
        np.testing.assert_allclose(trace_rms(noise), 1, rtol=1e-5)
        between = np.corrcoef(noise) - np.eye(16)
        assert np.abs(between).max() < 0.5
        next_one = np.mean(noise[:, 1:] * noise[:, :-1], axis=1)
        assert np.ptp(next_one) < 0.15
        smooth.append(next_one.mean())
    assert min(smooth) == pytest.approx(0, abs=0.05)
    assert max(smooth) == pytest.approx(1 - 1 / SMOOTHEST, abs=0.02)


def test_noise_alone_is_as_loud_at_its_ends() -> None:
    rng = np.random.default_rng(0)
    power = np.mean([np.square(rustle(64, 100, rng)).mean(axis=0) for _ in range(60)], axis=0)
    np.testing.assert_allclose(power, 1, atol=0.15)


def test_a_plane_wave_arrives_a_constant_later_from_trace_to_trace() -> None:
    lags, found = np.arange(-12, 13), []
    for seed in range(30):
        wave = plane_wave(9, 3000, np.random.default_rng(seed)).astype(np.float64)
        fits = [[one[12:-12] @ np.roll(after, -lag)[12:-12] for lag in lags] for one, after in itertools.pairwise(wave)]
        later = lags[np.argmax(fits, axis=1)]
        assert np.ptp(later) <= 1  # but for rounding
        found.append(later.mean())
    assert -MOVEOUT <= min(found) < -MOVEOUT / 2
    assert MOVEOUT / 2 < max(found) <= MOVEOUT


def test_a_plane_wave_peaks_at_one() -> None:
    for seed in range(10):
        assert np.abs(plane_wave(9, 3000, np.random.default_rng(seed))).max() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("shape", [(1, 50), (1, 1), (5, 2)])
def test_records_may_be_small(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    assert hum(*shape, rng).shape == plane_wave(*shape, rng).shape == shape


def test_with_every_kind_off_nothing_is_drawn() -> None:
    rng = np.random.default_rng(0)
    assert disturb((RECORD, FIRST_BREAK), rng, NONE) is RECORD
    assert rng.random() == np.random.default_rng(0).random()


def test_hum_is_added_at_a_share_of_each_trace() -> None:
    loudness = np.float32([[1e-6], [1], [1], [30], [1], [1]])
    found = []
    for seed in range(60):
        record = RECORD * loudness
        added = disturb((record, FIRST_BREAK), np.random.default_rng(seed), replace(NONE, hum=1)) - record
        found.append((trace_rms(added) / trace_rms(record)).max())
    assert STRENGTH[0] / 3 < min(found) < 0.03  # the loudest of traces that are each as loud as they please
    assert 0.15 < max(found) < STRENGTH[1] * 1.05


@pytest.mark.parametrize("kind", ["hum", "plane_wave", "recorded", "later_shot"])
def test_a_kind_is_as_frequent_as_asked_for(kind: str) -> None:
    rng, config = np.random.default_rng(0), replace(NONE, **{kind: 0.3})
    others = [(RECORD, FIRST_BREAK)]
    changed = [disturb((RECORD, FIRST_BREAK), rng, config, others) is not RECORD for _ in range(300)]
    assert 0.23 < np.mean(changed) < 0.37


def test_without_another_gather_nothing_is_taken_from_it() -> None:
    only = replace(EVERY, hum=0, plane_wave=0)
    assert disturb((RECORD, FIRST_BREAK), np.random.default_rng(0), only) is RECORD


def test_dead_traces_stay_dead() -> None:
    record = RECORD.copy()
    record[2] = 0
    disturbed = disturb((record, FIRST_BREAK), np.random.default_rng(0), EVERY, [(RECORD, FIRST_BREAK)])
    np.testing.assert_array_equal(disturbed.any(axis=1), np.arange(6) != 2)


def other_gather(first_break: np.ndarray, n_samples: int = 300, seed: int = 0) -> Labelled:
    """Return noise of RMS 1, and a million times as loud from 24 samples before the first break on."""
    noise = np.random.default_rng(seed).normal(size=(len(first_break), n_samples))
    loud = np.arange(n_samples) >= np.nan_to_num(first_break, nan=30)[:, None] - GUARD
    return (noise * np.where(loud, 1e6, 1)).astype(np.float32), np.float32(first_break)


def test_recorded_noise_ends_before_the_first_breaks() -> None:
    for seed in range(20):
        noise = recorded_noise(other_gather(np.linspace(70, 200, 9)), 20, 1000, np.random.default_rng(seed))
        assert noise.shape == (20, 1000)
        assert np.abs(noise).max() < 5
        np.testing.assert_allclose(trace_rms(noise), 1, atol=0.1)


def test_recorded_noise_runs_to_and_fro_without_a_break() -> None:
    other = (np.arange(300, dtype=np.float32)[None] + 1, np.float32([100]))  # a ramp
    noise = recorded_noise(other, 1, 700, np.random.default_rng(0))[0]
    slope = np.abs(np.diff(noise))
    assert (np.isclose(slope, slope.max(), rtol=1e-3) | (slope == 0)).all()
    assert np.count_nonzero(slope == 0) in (9, 10)  # it turns every 100 - GUARD samples
    assert noise.min() == pytest.approx(-noise.max())


def test_traces_keep_the_noise_they_share() -> None:
    samples = np.tile(np.random.default_rng(0).normal(size=300).astype(np.float32), (9, 1))
    noise = recorded_noise((samples, np.linspace(70, 200, 9).astype(np.float32)), 9, 500, np.random.default_rng(0))
    np.testing.assert_array_equal(noise, np.broadcast_to(noise[0], noise.shape))


def test_noise_is_not_taken_from_traces_nobody_labelled() -> None:
    first_break = np.full(9, 100.0)
    first_break[[0, 4]] = np.nan
    for seed in range(10):
        noise = recorded_noise(other_gather(first_break), 7, 300, np.random.default_rng(seed))
        assert np.abs(noise).max() < 5


@pytest.mark.parametrize("first_break", [np.nan, 55.0])
def test_a_gather_with_too_little_before_its_first_breaks_gives_no_noise(first_break: float) -> None:
    assert not recorded_noise(other_gather(np.full(9, first_break)), 9, 300, np.random.default_rng(0)).any()


def test_silence_before_the_first_breaks_gives_no_noise() -> None:
    samples = np.full((9, 300), 0.1, np.float32)
    samples[:, 130 - GUARD :] = 7
    assert not recorded_noise((samples, np.full(9, 130, np.float32)), 9, 300, np.random.default_rng(0)).any()


def test_recorded_noise_is_that_of_the_other_gather() -> None:
    config = replace(NONE, recorded=1)
    clean = np.zeros((6, 400), np.float32)
    clean[:, 200] = 1
    found = disturb((clean, FIRST_BREAK), np.random.default_rng(0), config, [other_gather(np.full(6, 124.0))]) - clean
    np.testing.assert_allclose(found[:, 250:], found[:, 50:250][:, :150], atol=1e-6)  # 100 samples, to and fro


def spikes(first_break: np.ndarray, n_samples: int) -> np.ndarray:
    """Return traces of zeros but for a one at the first break."""
    return (np.arange(n_samples) == first_break[:, None]).astype(np.float32)


def test_a_later_shot_is_another_gather_with_one_delay() -> None:
    other = np.float32([10, 50, 80, 40, 20, 90])
    delays = set()
    for seed in range(40):
        late = later_shot((spikes(other, 600), other), FIRST_BREAK, 600, np.random.default_rng(seed))
        (delay,) = set((late.argmax(axis=1) - other).tolist())
        assert np.count_nonzero(late) == 6
        np.testing.assert_allclose(trace_rms(late), 1, rtol=1e-6)
        delays.add(delay)
    least = (FIRST_BREAK - other).max() + GUARD
    assert least <= min(delays) < least + 30
    assert least + LATEST - 30 < max(delays) < least + LATEST + 1


def test_a_later_shot_leaves_each_trace_as_it_was_up_to_its_first_break() -> None:
    heard = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        own, other = (np.float32(rng.uniform(5, 250, 6)) for _ in range(2))
        disturbed = disturb((RECORD, own), rng, replace(NONE, later_shot=1), [other_gather(other, 400, seed)])
        same = disturbed == RECORD
        until = np.arange(400) <= own[:, None]
        assert same[until].all()
        heard += not same.all()
    assert heard > 30  # behind the record else


def test_the_noise_before_a_later_shot_is_not_added() -> None:
    other = np.full(6, 100.0)
    late = later_shot(other_gather(other), FIRST_BREAK, 600, np.random.default_rng(0))
    delay = np.flatnonzero(late.any(axis=0))[0] - 1 - (100 - GUARD)
    assert np.abs(late[:, : int(100 - GUARD + delay + 1)]).max() == 0
    assert delay >= 160 - 100 + GUARD


def test_a_later_shot_spares_traces_that_either_gather_has_no_label_for() -> None:
    other, own = np.full(6, 50, np.float32), FIRST_BREAK.copy()
    other[1] = own[4] = np.nan
    late = later_shot((RECORD, other), own, 400, np.random.default_rng(0))
    np.testing.assert_array_equal(late.any(axis=1), [True, False, True, True, False, True])


def test_a_later_shot_of_fewer_traces_spares_the_others() -> None:
    late = later_shot((RECORD[:4], FIRST_BREAK[:4]), FIRST_BREAK, 400, np.random.default_rng(0))
    np.testing.assert_array_equal(late.any(axis=1), np.arange(6) < 4)


def test_a_later_shot_that_would_come_after_the_record_is_not_heard() -> None:
    late = later_shot((RECORD, np.zeros(6, np.float32)), np.full(6, 395, np.float32), 400, np.random.default_rng(0))
    assert not late.any()


def test_a_later_shot_is_weaker() -> None:
    other = np.full(6, 60, np.float32)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        added = disturb((RECORD, FIRST_BREAK), rng, replace(NONE, later_shot=1), [(RECORD, other)]) - RECORD
        assert (trace_rms(added) <= STRENGTH[1] * trace_rms(RECORD)).all()
