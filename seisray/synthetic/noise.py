"""Noise: what a field record holds besides the shot, and what bad stations do to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.synthetic.limits import check_range, checked_pair
from seisray.synthetic.smooth import smooth

Samples = NDArray[np.float64]
"""(n_traces, n_samples)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseConfig:
    """Say how noisy the records are.

    snr_db: range of the ratio, drawn once a gather, of first-break amplitude at the median offset to background noise.
    wind, mains, traffic, hiss: amplitude against that background; 0 leaves the kind out. hiss is the recorder's own.
    mains_hz: 50 or 60, the frequency of the power lines. traffic_probability: that a vehicle passes during a shot.
    dead_share, weak_share, reversed_share: expected share of such traces. coupling_db: spread of the gain of stations.
    Raises ConfigError for a value outside its range.
    """

    snr_db: tuple[float, float] = (3.0, 30.0)
    wind: float = 1.0
    mains: float = 0.4
    mains_hz: float = 50.0
    hiss: float = 0.1
    traffic: float = 2.0
    traffic_probability: float = 0.3
    dead_share: float = 0.02
    weak_share: float = 0.03
    reversed_share: float = 0.02
    coupling_db: float = 3.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "snr_db", checked_pair("noise.snr_db", self.snr_db, -20.0, 120.0))
        for name, top in (
            ("wind", 100.0),
            ("mains", 100.0),
            ("hiss", 100.0),
            ("traffic", 100.0),
            ("coupling_db", 40.0),
        ):
            check_range(f"noise.{name}", getattr(self, name), 0.0, top)
        for name in ("traffic_probability", "dead_share", "weak_share", "reversed_share"):
            check_range(f"noise.{name}", getattr(self, name), 0.0, 1.0)
        if self.mains_hz not in (50.0, 60.0):
            raise ConfigError(f"noise.mains_hz is {self.mains_hz}, expected 50 or 60")


def add_noise(
    samples: NDArray[np.float32],
    live: NDArray[np.bool_],
    rng: np.random.Generator,
    config: NoiseConfig,
    *,
    sample_interval_us: float,
    first_break_amplitude: float,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return samples with noise and bad stations, and which traces are live; dead traces are exactly zero.

    samples: (n_traces, n_samples). live: (n_traces,), traces that are dead already stay so.
    first_break_amplitude: the RMS against which the signal-to-noise ratio counts.
    """
    shape = samples.shape
    interval_s = sample_interval_us * 1e-6
    level = first_break_amplitude * 10.0 ** (-rng.uniform(*config.snr_db) / 20.0)
    ground = ambient(rng, shape, interval_s) + config.wind * wind(rng, shape, interval_s)
    if rng.random() < config.traffic_probability:
        ground += config.traffic * traffic(rng, shape, interval_s)
    ground *= np.exp(0.25 * rng.standard_normal(shape[0]))[:, None]  # quiet and loud spots

    gain = coupling(rng, shape[0], config)[:, None]
    instrument = config.mains * mains(rng, shape, interval_s, config.mains_hz) + config.hiss * rng.standard_normal(
        shape
    )
    noisy = (samples + level * ground) * gain + level * instrument
    noisy[rng.random(shape[0]) < config.reversed_share] *= -1.0
    live = live & (rng.random(shape[0]) >= config.dead_share)
    noisy[~live] = 0.0
    return noisy.astype(np.float32), live


def ambient(rng: np.random.Generator, shape: tuple[int, int], interval_s: float) -> Samples:
    """Return background noise, RMS 1 a trace: more at low frequencies, in part shared by neighbours."""
    slope, corner_hz = rng.uniform(0.3, 1.0), rng.uniform(3.0, 6.0)
    own = _coloured(rng, shape, interval_s, slope, corner_hz)
    shared = smooth(_coloured(rng, shape, interval_s, slope + 0.5, corner_hz), 2.0, axis=0)
    return _unit_rms(own + rng.uniform(0.0, 0.8) * _unit_rms(shared))


def wind(rng: np.random.Generator, shape: tuple[int, int], interval_s: float) -> Samples:
    """Return low-frequency noise in gusts: its own loudness and moments a trace, neighbours somewhat alike."""
    noise = _coloured(rng, shape, interval_s, 1.5, 4.0)
    gust_samples = max(0.25 / interval_s, 1.0)
    gusts = smooth(rng.standard_normal(shape), gust_samples)
    gusts += smooth(gusts, 3.0, axis=0)
    loudness = np.exp(0.9 * rng.standard_normal(shape[0]))[:, None]
    bursts: Samples = 0.6 * rng.random() * loudness * np.exp(1.2 * _unit_rms(gusts)) * noise
    return bursts


def mains(rng: np.random.Generator, shape: tuple[int, int], interval_s: float, mains_hz: float) -> Samples:
    """Return power-line hum with its third harmonic: loud near where a line crosses, a phase of its own a trace."""
    time_s = np.arange(shape[1]) * interval_s
    frequency_hz = mains_hz + rng.uniform(-0.05, 0.05)
    trace = np.arange(shape[0])
    near_line = np.exp(-0.5 * ((trace - rng.uniform(0, shape[0])) / rng.uniform(4.0, 25.0)) ** 2)
    loudness = (near_line * rng.uniform(0.5, 4.0) + 0.15) * np.exp(0.5 * rng.standard_normal(shape[0]))
    phase = rng.uniform(0.0, 2.0 * np.pi, (2, shape[0], 1))
    hum = np.sin(2.0 * np.pi * frequency_hz * time_s + phase[0])
    if 3.0 * frequency_hz < 0.5 / interval_s:  # below Nyquist
        hum += 0.3 * np.sin(6.0 * np.pi * frequency_hz * time_s + phase[1])
    line: Samples = loudness[:, None] * hum
    return line


def traffic(rng: np.random.Generator, shape: tuple[int, int], interval_s: float) -> Samples:
    """Return the surface waves of a passing vehicle: bursts that spread from a moving point and fade."""
    n_traces, n_samples = shape
    slowness_s = 1.0 / rng.uniform(20.0, 60.0)  # a trace: 200-600 m/s at 10 m
    place, speed = rng.uniform(-0.5, 1.5) * n_traces, rng.uniform(-2.5, 2.5)  # traces, traces/s
    time_s = np.arange(n_samples) * interval_s
    record_s = n_samples * interval_s
    reach_s = 2.0 * n_traces * slowness_s
    noise = np.zeros(shape)
    for start_s in rng.uniform(-reach_s, record_s, rng.integers(3, 12)):
        frequency_hz, duration_s = rng.uniform(8.0, 22.0), rng.uniform(0.1, 0.4)
        distance = np.hypot(np.arange(n_traces) - (place + speed * start_s), 4.0)[:, None]
        local_s = time_s - start_s - distance * slowness_s
        train = np.exp(-0.5 * (local_s / duration_s) ** 2)
        noise += train * np.sin(2.0 * np.pi * frequency_hz * local_s + rng.uniform(0, 6.28)) / np.sqrt(distance / 8.0)
    return noise


def coupling(rng: np.random.Generator, n_traces: int, config: NoiseConfig) -> NDArray[np.float64]:
    """Return (n_traces,) gains of the stations' contact with the ground, far below 1 for the weak ones."""
    gain = 10.0 ** (config.coupling_db * rng.standard_normal(n_traces) / 20.0)
    weak = rng.random(n_traces) < config.weak_share
    gains: NDArray[np.float64] = np.where(weak, gain * rng.uniform(0.02, 0.15, n_traces), gain)
    return gains


def _coloured(
    rng: np.random.Generator, shape: tuple[int, int], interval_s: float, slope: float, corner_hz: float
) -> Samples:
    """Return noise, RMS 1 a trace, whose amplitude falls as frequency^-slope above corner_hz and rises below it."""
    frequency_hz = np.fft.rfftfreq(shape[1], interval_s)
    colour = (frequency_hz / corner_hz) ** 2 / (1.0 + (frequency_hz / corner_hz) ** (2.0 + slope))
    spectrum = np.fft.rfft(rng.standard_normal(shape)) * colour
    return _unit_rms(np.fft.irfft(spectrum, n=shape[1], axis=1))


def _unit_rms(values: Samples) -> Samples:
    """Return values with an RMS of 1 in each trace."""
    rms = np.sqrt(np.mean(values**2, axis=1, keepdims=True))
    unit: Samples = values / np.maximum(rms, 1e-12)
    return unit
