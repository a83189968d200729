import numpy as np
import pytest

from seisray.errors import ConfigError
from seisray.synthetic.noise import NoiseConfig, add_noise, ambient, mains

SHAPE = (32, 500)


def noisy(config: NoiseConfig, samples: np.ndarray | None = None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    given = np.zeros(SHAPE, np.float32) if samples is None else samples
    rng = np.random.default_rng(seed)
    live = np.ones(len(given), bool)
    return add_noise(given, live, rng, config, sample_interval_us=2000.0, first_break_amplitude=1.0)


def test_dead_traces_are_zero_and_not_live() -> None:
    samples, live = noisy(NoiseConfig(dead_share=0.5))
    assert 0 < live.sum() < 32
    np.testing.assert_array_equal(np.any(samples != 0, axis=1), live)


def test_reversed_traces_have_the_other_sign() -> None:
    pulse = np.ones(SHAPE, np.float32)
    samples, _ = noisy(
        NoiseConfig(snr_db=(100, 100), reversed_share=1.0, coupling_db=0, weak_share=0, dead_share=0), pulse
    )
    np.testing.assert_allclose(samples, -1.0, atol=0.01)


def test_signal_to_noise_ratio_is_the_one_asked_for() -> None:
    ratios = [
        np.sqrt(np.mean(noisy(NoiseConfig(snr_db=(20, 20), wind=0, mains=0, traffic=0), seed=s)[0] ** 2))
        for s in range(8)
    ]
    assert np.median(ratios) == pytest.approx(0.1, rel=0.3)


def test_ambient_noise_has_more_low_than_high_frequencies() -> None:
    power = np.mean(np.abs(np.fft.rfft(ambient(np.random.default_rng(0), SHAPE, 0.002))) ** 2, axis=0)
    assert power[5:30].mean() > 3 * power[150:].mean()


def test_mains_hum_peaks_at_its_frequency() -> None:
    power = np.mean(np.abs(np.fft.rfft(mains(np.random.default_rng(0), (8, 1000), 0.002, 60.0))) ** 2, axis=0)
    assert np.fft.rfftfreq(1000, 0.002)[np.argmax(power)] == pytest.approx(60.0, abs=0.5)


def test_weak_traces_lose_signal() -> None:
    samples, _ = noisy(NoiseConfig(snr_db=(80, 80), weak_share=1.0, coupling_db=0), np.ones(SHAPE, np.float32))
    assert np.abs(samples).max() < 0.2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"snr_db": (10.0, 5.0)}, "noise.snr_db"),
        ({"dead_share": 1.5}, "noise.dead_share is 1.5, expected 0 to 1"),
        ({"mains_hz": 55.0}, "noise.mains_hz is 55.0, expected 50 or 60"),
        ({"wind": float("nan")}, "noise.wind"),
    ],
)
def test_values_outside_their_range_are_refused(change: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        NoiseConfig(**change)  # type: ignore[arg-type]
