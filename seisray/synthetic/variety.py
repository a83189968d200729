"""Variety: each spread of a survey as another crew would shoot it on ground elsewhere."""

from dataclasses import replace

import numpy as np

from seisray.gather import Gather
from seisray.synthetic.noise import NoiseConfig
from seisray.synthetic.survey import FIRST_FFID, LINE_SPACING_M, SURVEY, SyntheticConfig, synthetic_gather

TRACE_SPACINGS_M = (2.5, 3.75, 5.0, 7.5, 10.0)
GEOPHONES_HZ = (0.0, 4.5, 10.0, 14.0, 28.0, 40.0)
OFF_LINE = 0.5


def vary(config: SyntheticConfig, spread: int) -> SyntheticConfig:
    """Return the survey that one spread stands for: spacing, ground, wavelet, response and noise from wide ranges.

    A picker that saw many kinds of ground and noise, some of them odder than any field, takes a new field for one more
    (Tobin et al. 2017, 1703.06907). Shape and sampling of the records, and what a cell measures, stay.
    """
    rng = np.random.default_rng([config.seed, 2, spread])
    trace_spacing_m = max(float(rng.choice(TRACE_SPACINGS_M)), config.grid_m)
    beyond = rng.choice([1.0, 1.3])  # some crews go on shooting behind the last receiver
    thinnest_m = rng.uniform(2.0, 10.0)
    slowest_m_s = rng.uniform(350.0, 1200.0)
    fastest_m_s = rng.uniform(1500.0, 3500.0)
    highest_hz = slowest_m_s / (2.0 * config.grid_m)  # two cells a wavelength
    peak_hz = min(rng.uniform(15.0, 45.0), 0.6 * highest_hz)
    loss_hz = peak_hz * np.exp(rng.uniform(np.log(2.0), np.log(10.0)))
    geophone_hz = min(float(rng.choice(GEOPHONES_HZ)), 0.4e6 / config.sample_interval_us)
    snr_db = rng.uniform(5.0, 25.0)
    wind, mains, hiss = np.exp(rng.uniform(np.log((0.1, 0.05, 0.05)), np.log((1.0, 2.0, 2.0))))
    return replace(
        config,
        varied=False,
        shots=config.shots_per_spread,
        trace_spacing_m=trace_spacing_m,
        shot_spacing_m=max(beyond * config.traces * trace_spacing_m / config.shots_per_spread, config.grid_m),
        relief_m=rng.uniform(0.0, 5.0),
        peak_frequency_hz=(peak_hz, min(peak_hz + 30.0, highest_hz)),
        weathering_m=(thinnest_m, 1.5 * thinnest_m),
        weathering_vp_m_s=(slowest_m_s, 1.5 * slowest_m_s),
        refractor_vp_m_s=(fastest_m_s, 2.0 * fastest_m_s),
        loss_hz=float(loss_hz),
        geophone_hz=geophone_hz,
        off_line=OFF_LINE,
        noise=NoiseConfig(snr_db=(snr_db, snr_db + 15.0), wind=wind, mains=mains, hiss=hiss),
        seed=int(rng.integers(2**63)),
    )


def varied_gather(config: SyntheticConfig, shot_index: int) -> Gather:
    """Return shot `shot_index` of a varied survey, numbered through; each spread lies 1 km further across."""
    spread, shot = divmod(shot_index, config.shots_per_spread)
    gather = synthetic_gather(vary(config, spread), shot)
    ffid = FIRST_FFID + shot_index
    across_m = spread * LINE_SPACING_M
    return gather.replace(
        gather_id=f"{SURVEY}-{ffid}",
        ffid=ffid,
        shot_point=shot_index + 1,
        source_y_m=gather.source_y_m + across_m,
        receiver_y_m=gather.receiver_y_m + across_m,
    )
