"""A synthetic survey: lines of shots over random ground, each gather a pure function of a config and an index."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.synthetic.elastic import elastic_shot
from seisray.synthetic.first_arrivals import first_arrival_ms
from seisray.synthetic.limits import check_range, checked_pair
from seisray.synthetic.near_surface import NearSurface, random_near_surface
from seisray.synthetic.noise import NoiseConfig, add_noise
from seisray.synthetic.response import NYQUIST_SHARE, respond
from seisray.synthetic.spread import farthest_across_m, random_spread

SURVEY = "synthetic"
FIRST_FFID = 1001
SPREADS_PER_LINE = 8
LINE_SPACING_M = 1000.0
EDGE_M = 60.0
"""Ground on either side of what a spread covers."""

_RANGES = {
    "shots": (1, 1_000_000),
    "traces": (1, 10_000),
    "samples": (16, 100_000),
    "sample_interval_us": (50.0, 20_000.0),
    "trace_spacing_m": (0.5, 200.0),
    "shot_spacing_m": (0.5, 10_000.0),
    "shots_per_spread": (1, 10_000),
    "grid_m": (0.5, 20.0),
    "depth_m": (20.0, 1000.0),
    "relief_m": (0.0, 100.0),
    "delay_ms": (-5000.0, 5000.0),
    "loss_hz": (0.0, 10_000.0),
    "geophone_hz": (0.0, 10_000.0),
    "off_line": (0.0, 1.0),
    "seed": (0, 2**63 - 1),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SyntheticConfig:
    """Describe a synthetic survey.

    shots are fired along a spread of fixed receivers, shots_per_spread on each, before the spread moves on by its own
    length to new ground; after 8 spreads comes a new line with a near surface of its own.
    delay_ms: time of the first sample after the shot, a whole number of samples; negative starts before the shot.
    peak_frequency_hz, weathering_m (its thickness, at least two cells), weathering_vp_m_s, refractor_vp_m_s: ranges,
    drawn a shot or a line.
    grid_m: cell size; the cost of a shot grows with its inverse cube.
    loss_hz, geophone_hz: what the ground loses and the geophones record (seisray/synthetic/response.py); 0 = all.
    off_line: share of the shots whose receivers, all or a part, are laid for it on a line beside that of the shots.
    varied: each spread has spacing, relief, ground, wavelet, response and noise of its own, and off_line is 0.5
    (seisray/synthetic/variety.py).
    Raises ConfigError for a value outside its range.
    """

    shots: int = 60
    traces: int = 96
    samples: int = 1000
    sample_interval_us: float = 2000.0
    trace_spacing_m: float = 10.0
    shot_spacing_m: float = 64.0
    shots_per_spread: int = 15
    grid_m: float = 2.5
    depth_m: float = 120.0
    relief_m: float = 15.0
    peak_frequency_hz: tuple[float, float] = (18.0, 32.0)
    weathering_m: tuple[float, float] = (8.0, 22.0)
    weathering_vp_m_s: tuple[float, float] = (450.0, 800.0)
    refractor_vp_m_s: tuple[float, float] = (1300.0, 4500.0)
    delay_ms: float = 0.0
    loss_hz: float = 0.0
    geophone_hz: float = 0.0
    off_line: float = 0.0
    varied: bool = False
    seed: int = 0
    noise: NoiseConfig = field(default_factory=NoiseConfig)

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            check_range(name, getattr(self, name), low, high)
        for name, low, high in (
            ("peak_frequency_hz", 2.0, 500.0),
            ("weathering_m", 0.5, 200.0),
            ("weathering_vp_m_s", 200.0, 2000.0),
            ("refractor_vp_m_s", 500.0, 8000.0),
        ):
            object.__setattr__(self, name, checked_pair(name, getattr(self, name), low, high))
        if self.trace_spacing_m < self.grid_m:
            raise ConfigError(f"trace_spacing_m is {self.trace_spacing_m}, expected at least grid_m = {self.grid_m}")
        slowest = self.weathering_vp_m_s[0] / (2.0 * self.grid_m)
        if self.peak_frequency_hz[1] > slowest:
            raise ConfigError(
                f"peak_frequency_hz goes up to {self.peak_frequency_hz[1]}, expected at most {slowest:g}: two cells a "
                f"wavelength of the slowest P wave at grid_m = {self.grid_m}; lower it, or grid_m"
            )
        if self.geophone_hz >= NYQUIST_SHARE * 0.5e6 / self.sample_interval_us:
            raise ConfigError(
                f"geophone_hz is {self.geophone_hz:g}, expected less than {NYQUIST_SHARE:g} of the Nyquist frequency, "
                f"{0.5e6 / self.sample_interval_us:g} Hz"
            )
        delay_samples = self.delay_ms * 1000.0 / self.sample_interval_us
        if abs(delay_samples - round(delay_samples)) > 1e-6:
            raise ConfigError(
                f"delay_ms is {self.delay_ms}, expected a multiple of the sample interval, {self.sample_interval_us} us"
            )

    @property
    def spread_m(self) -> float:
        """Return the length of ground that one spread covers: its shots and its receivers."""
        return max(self.traces * self.trace_spacing_m, self.shots_per_spread * self.shot_spacing_m)

    @property
    def edge_m(self) -> float:
        """Return the ground on either side of a spread: receivers beside the line stand for farther ones along it."""
        return EDGE_M + (farthest_across_m(self.traces, self.trace_spacing_m) if self.off_line else 0.0)


def synthetic_gather(config: SyntheticConfig, shot_index: int) -> Gather:
    """Return shot `shot_index`, counted from 0: the same gather for the same config and index.

    first_break_ms is the eikonal time through the ground that the waves crossed, from the first sample; NaN on dead
    traces and outside the record. Coordinates in metres: x along the line, y across lines, z elevation. The ground is
    that under the line: a receiver beside it records what one on it would, as far from the shot towards the spread's
    middle.
    Raises ConfigError for an index outside the survey, MissingExtraError without the extra `synthetic`.
    """
    if not 0 <= shot_index < config.shots:
        raise ConfigError(f"shot_index is {shot_index}, expected 0 to {config.shots - 1}")
    rng = np.random.default_rng([config.seed, 1, shot_index])
    spread, shot_on_spread = divmod(shot_index, config.shots_per_spread)
    line, spread_on_line = divmod(spread, SPREADS_PER_LINE)
    start_m = config.edge_m + spread_on_line * config.spread_m
    near = _line(config, line).window(start_m - config.edge_m, start_m + config.spread_m + config.edge_m)

    layout = np.random.default_rng([config.seed, 3, shot_index])
    laid = random_spread(layout, config.traces, config.trace_spacing_m, config.off_line)
    shot_x = start_m + (shot_on_spread + 0.5) * config.shot_spacing_m
    source_x, source_z = near.on_surface(np.array([shot_x]))
    ahead_m = start_m + laid.along_m - source_x
    inwards = 1.0 if ahead_m.mean() >= 0 else -1.0
    beside = laid.across_m > 0
    ground_x, receiver_z = near.on_surface(
        source_x + np.where(beside, inwards * np.hypot(ahead_m, laid.across_m), ahead_m)
    )
    receiver_x = np.where(beside, start_m + laid.along_m, ground_x)
    offset_m = np.where(ahead_m < 0, -1.0, 1.0) * np.abs(ground_x - source_x)
    source = (float(source_x[0]), float(source_z[0]))
    arrival_ms = first_arrival_ms(near, *source, ground_x, receiver_z)
    clean = _record(config, near, source, np.stack([ground_x, receiver_z], axis=-1), rng)
    first_break_ms = arrival_ms - config.delay_ms
    samples, live = add_noise(
        clean,
        np.ones(config.traces, dtype=np.bool_),
        rng,
        config.noise,
        sample_interval_us=config.sample_interval_us,
        first_break_amplitude=_first_break_amplitude(clean, first_break_ms, config.sample_interval_us),
    )
    last_ms = (config.samples - 1) * config.sample_interval_us / 1000.0
    labelled = live & (first_break_ms >= 0) & (first_break_ms <= last_ms)
    ffid = FIRST_FFID + shot_index
    return Gather(
        survey=SURVEY,
        gather_id=f"{SURVEY}-{ffid}",
        source_file="",
        ffid=ffid,
        shot_point=shot_index + 1,
        sample_interval_us=config.sample_interval_us,
        delay_ms=config.delay_ms,
        samples=samples,
        channel=np.arange(1, config.traces + 1, dtype=np.int32),
        live=live,
        offset_m=offset_m.astype(np.float32),
        source_x_m=np.full(config.traces, source[0]),
        source_y_m=np.full(config.traces, line * LINE_SPACING_M),
        source_z_m=np.full(config.traces, source[1]),
        receiver_x_m=receiver_x,
        receiver_y_m=line * LINE_SPACING_M + laid.across_m,
        receiver_z_m=receiver_z,
        first_break_ms=np.where(labelled, first_break_ms, np.nan).astype(np.float32),
    )


@lru_cache(maxsize=2)
def _line(config: SyntheticConfig, line: int) -> NearSurface:
    """Return the ground under a whole line, however many shots the survey has on it."""
    return random_near_surface(
        np.random.default_rng([config.seed, 0, line]),
        length_m=SPREADS_PER_LINE * config.spread_m + 2 * config.edge_m,
        depth_m=config.depth_m,
        grid_m=config.grid_m,
        relief_m=config.relief_m,
        weathering_m=config.weathering_m,
        weathering_vp_m_s=config.weathering_vp_m_s,
        refractor_vp_m_s=config.refractor_vp_m_s,
    )


def _record(
    config: SyntheticConfig,
    near: NearSurface,
    source: tuple[float, float],
    receivers: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return (n_traces, n_samples) without noise, cut to begin delay_ms after the shot."""
    late = round(config.delay_ms * 1000.0 / config.sample_interval_us)
    record = np.zeros((len(receivers), config.samples), dtype=np.float32)
    peak_frequency_hz = rng.uniform(*config.peak_frequency_hz)
    if config.samples + late <= 0:  # it ends before the shot
        return record
    shot = elastic_shot(
        near,
        source,
        receivers,
        n_samples=config.samples + late,
        sample_interval_us=config.sample_interval_us,
        peak_frequency_hz=peak_frequency_hz,
    )
    shot = respond(shot, config.sample_interval_us, loss_hz=config.loss_hz, geophone_hz=config.geophone_hz)
    record[:, max(-late, 0) :] = shot[:, max(late, 0) :]
    return record


def _first_break_amplitude(
    samples: NDArray[np.float32], first_break_ms: NDArray[np.float64], sample_interval_us: float
) -> float:
    """Return the median over traces of the RMS in the 50 ms after the first break; of all samples where none is in."""
    at = np.arange(samples.shape[1]) * (sample_interval_us / 1000.0) - first_break_ms[:, None]
    window = (at >= 0) & (at < 50.0)
    inside = window.any(axis=1)
    if not inside.any():
        return float(np.sqrt(np.mean(samples**2))) or 1.0
    energy = np.sum(np.where(window, samples.astype(np.float64) ** 2, 0.0), axis=1)[inside]
    return float(np.median(np.sqrt(energy / window.sum(axis=1)[inside]))) or 1.0
