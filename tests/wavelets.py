"""Gathers of a single wavelet, whose period is known."""

import math

import numpy as np

from seisray.gather import Gather


def ricker(n_samples: int, interval_us: float, *, at_ms: float, hz: float) -> np.ndarray:
    phase = (math.pi * hz * (np.arange(n_samples) * interval_us / 1e6 - at_ms / 1e3)) ** 2
    return ((1 - 2 * phase) * np.exp(-phase)).astype(np.float32)


def wavelet_gather(interval_us: float, *, hz: float = 50.0, n_traces: int = 4, record_ms: float = 512.0) -> Gather:
    n_samples = round(record_ms * 1000 / interval_us)
    traces = [ricker(n_samples, interval_us, at_ms=100.0 + 20 * i, hz=hz) for i in range(n_traces)]
    return Gather(
        survey="line",
        gather_id="line-1",
        source_file="line.sgy",
        ffid=1,
        shot_point=1,
        sample_interval_us=interval_us,
        samples=np.array(traces),
        first_break_ms=np.full(n_traces, 100.0),
    )
