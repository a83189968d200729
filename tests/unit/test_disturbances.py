import itertools
from dataclasses import replace

import numpy as np
import pytest

from seisray.config import AugmentConfig
from seisray.disturbances import HUM, MOVEOUT, STRENGTH, disturb, hum, plane_wave
from seisray.transforms import trace_rms

RECORD = np.random.default_rng(9).normal(size=(6, 400)).astype(np.float32)
NONE = AugmentConfig()


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
    assert disturb(RECORD, rng, NONE) is RECORD
    assert rng.random() == np.random.default_rng(0).random()


def test_hum_is_added_at_a_share_of_each_trace() -> None:
    loudness = np.float32([[1e-6], [1], [1], [30], [1], [1]])
    found = []
    for seed in range(60):
        added = disturb(RECORD * loudness, np.random.default_rng(seed), replace(NONE, hum=1)) - RECORD * loudness
        found.append((trace_rms(added) / trace_rms(RECORD * loudness)).max())
    assert STRENGTH[0] / 3 < min(found) < 0.03  # the loudest of traces that are each as loud as they please
    assert 0.15 < max(found) < STRENGTH[1] * 1.05


def test_kinds_are_as_frequent_as_asked_for() -> None:
    rng = np.random.default_rng(0)
    for kind in ("hum", "plane_wave"):
        config = replace(NONE, **{kind: 0.3})
        assert 0.23 < np.mean([disturb(RECORD, rng, config) is not RECORD for _ in range(300)]) < 0.37


def test_dead_traces_stay_dead() -> None:
    record = RECORD.copy()
    record[2] = 0
    disturbed = disturb(record, np.random.default_rng(0), replace(NONE, hum=1, plane_wave=1))
    np.testing.assert_array_equal(disturbed.any(axis=1), np.arange(6) != 2)
