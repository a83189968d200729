"""Surveys at several sampling intervals, brought together by what follows their onsets."""

import math

import numpy as np
import pytest
from wavelets import ricker
from wavelets import wavelet_gather as gather

from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.picking.tempo import Tempo, in_one_tempo, onset_period
from seisray.resampling import samples_per_period


def noisy(there: Gather) -> Gather:
    noise = 0.01 * np.random.default_rng(0).normal(size=there.samples.shape)
    return there.replace(samples=(there.samples + noise).astype(np.float32))


def test_gathers_meet_in_the_tempo_of_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    (fine, coarse), period, _ = in_one_tempo([gather(500.0), gather(2000.0)])
    assert (fine.sample_interval_us, coarse.sample_interval_us) == (500.0, 500.0)
    assert period == pytest.approx(onset_period([fine]))
    assert "1 gathers of line, sampled at 2000 us, are resampled to 500 us" in capsys.readouterr().err


def test_gathers_meet_in_the_tempo_of_a_picker_that_goes_on_learning() -> None:
    tempo = Tempo(1000.0, onset_period([gather(250.0)]))  # it learned from waves four times as long
    alike, other = gather(1000.0), gather(2000.0)
    (same, finer), period, _ = in_one_tempo([alike, other], tempo)
    assert same is alike, "a picker picks records of its own interval as they are"
    assert (finer.sample_interval_us, period) == (250.0, tempo.onset_period)
    assert np.array_equal(finer.first_break_ms, other.first_break_ms)


def test_each_survey_comes_to_the_tempo_by_its_own_period(capsys: pytest.CaptureFixture[str]) -> None:
    tempo = Tempo(1000.0, onset_period([gather(250.0)]))
    fast, slow = gather(500.0), gather(500.0, hz=20.0).replace(survey="other")
    found = in_one_tempo([fast, slow], tempo)
    assert [one.sample_interval_us for one in found.gathers] == [250.0, 500.0]
    assert found.factors == {("line", 500.0): 2.0, ("other", 500.0): 1.0}
    assert "1 gathers of line, sampled at 500 us, are resampled to 250 us" in capsys.readouterr().err


def test_a_survey_that_a_picker_knows_is_resampled_as_it_learned_from_it() -> None:
    tempo = Tempo(1000.0, onset_period([gather(250.0)]), {"line": 4.0})
    (known,) = in_one_tempo([gather(500.0)], tempo).gathers
    assert known.sample_interval_us == 125.0


def test_ground_roll_does_not_count_in_the_period_after_onsets() -> None:
    plain = gather(500.0)
    roll = np.array([ricker(plain.n_samples, 500.0, at_ms=350.0, hz=8.0)] * plain.n_traces)
    rolling = noisy(plain.replace(samples=plain.samples + 3 * roll))
    assert samples_per_period([rolling]) > 2 * samples_per_period([plain])
    assert onset_period([rolling]) == pytest.approx(samples_per_period([plain]), rel=0.3)


def test_records_shorter_than_a_period_are_taken_whole() -> None:
    short = gather(1000.0, hz=8.0, record_ms=120.0)
    assert onset_period([short]) == pytest.approx(samples_per_period([short]))


def test_silence_has_no_period() -> None:
    silent = gather(1000.0).replace(samples=np.zeros((4, 512), np.float32), live=[False] * 4)
    assert math.isnan(onset_period([silent]))
    with pytest.raises(ConfigError, match="of line sampled at 1000 us are silent"):
        in_one_tempo([silent])
