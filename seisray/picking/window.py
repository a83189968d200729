"""Where the picks of a gather may lie: between two times, and two apparent velocities."""

import numpy as np
from numpy.typing import NDArray

from seisray.config import PickConfig
from seisray.errors import GatherError
from seisray.gather import Gather


def allowed_ms(gather: Gather, config: PickConfig) -> NDArray[np.float64] | None:
    """Return (n_traces, 2) first and last time of a pick from the first sample, or None where anything goes.

    Velocities count from the shot, so that the gather's delay is taken off. Raises GatherError where a velocity is
    given and a live trace has no offset.
    """
    if not any((config.earliest_ms, config.latest_ms, config.fastest_m_s, config.slowest_m_s)):
        return None
    first = np.full(gather.n_traces, config.earliest_ms or -np.inf)
    last = np.full(gather.n_traces, config.latest_ms or np.inf)
    if config.fastest_m_s or config.slowest_m_s:
        offset_m = np.abs(gather.offset_m.astype(np.float64))
        unknown = np.flatnonzero(gather.live & np.isnan(offset_m))
        if unknown.size:
            raise GatherError(
                f"trace {gather.trace[unknown[0]]} has no offset ({unknown.size} such traces), which fastest_m_s and "
                "slowest_m_s need; ingest with --geometry, or leave them out"
            )
        if config.fastest_m_s:
            first = np.fmax(first, 1000 * offset_m / config.fastest_m_s - config.slack_ms - gather.delay_ms)
        if config.slowest_m_s:
            last = np.fmin(last, 1000 * offset_m / config.slowest_m_s + config.slack_ms - gather.delay_ms)
    return np.stack([first, last], axis=1)
