"""From the picker's logits to picks: sub-sample time, probability, uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from seisray.transforms import Samples
from seisray.units import sample_to_ms

REACH_SAMPLES = 6  # how far around its peak a pick's probability is gathered
LEAST_PROBABILITY = 0.5  # of a pick that is ok


@dataclass(frozen=True, kw_only=True, slots=True)
class Picks:
    """Hold the picks of a gather, one value a trace.

    pick_ms: from the first sample, NaN = no pick. probability: of the pick, or of the best candidate where there is
    none. sigma_ms: standard deviation of the time around the pick. flag: ok, low_probability or dead; of gathers that
    could not be picked also not_finite and failed.
    """

    pick_ms: NDArray[np.float64]
    probability: NDArray[np.float32]
    sigma_ms: NDArray[np.float32]
    flag: NDArray[np.str_]


def no_picks(n_traces: int, flag: str) -> Picks:
    """Return n_traces traces without a pick under one flag."""
    return Picks(
        pick_ms=np.full(n_traces, np.nan),
        probability=np.zeros(n_traces, np.float32),
        sigma_ms=np.full(n_traces, np.nan, np.float32),
        flag=np.full(n_traces, flag),
    )


def joined(found: Sequence[Picks]) -> Picks:
    """Return the picks of neighbouring traces as those of one gather."""
    return Picks(**{one.name: np.concatenate([getattr(picks, one.name) for picks in found]) for one in fields(Picks)})


def decode(
    logits: Samples, live: NDArray[np.bool_], sample_interval_us: float, *, least_probability: float = LEAST_PROBABILITY
) -> Picks:
    """Return the picks of (n_traces, n_samples + 1) logits.

    live: (n_traces,). A trace whose best candidate has less than least_probability keeps its pick, flagged
    low_probability, unless "no pick" is likelier; dead traces have none.
    """
    mass = np.exp(logits - logits.max(axis=1, keepdims=True))
    mass /= mass.sum(axis=1, keepdims=True)
    none, mass = mass[:, -1], mass[:, :-1]
    peak = mass.argmax(axis=1)
    near = np.arange(-REACH_SAMPLES, REACH_SAMPLES + 1)
    at = np.clip(peak[:, None] + near, 0, mass.shape[1] - 1)  # (n_traces, 13)
    weight = np.take_along_axis(mass, at, axis=1)
    weight[(peak[:, None] + near != at)] = 0  # beyond the record
    probability = weight.sum(axis=1)
    centre = (weight * at).sum(axis=1) / probability
    variance = (weight * (at - centre[:, None]) ** 2).sum(axis=1) / probability
    picked = live & (probability >= none)
    flag = np.where(probability >= least_probability, "ok", "low_probability")
    return Picks(
        pick_ms=np.where(picked, sample_to_ms(centre, sample_interval_us), np.nan),
        probability=np.where(live, probability, 0).astype(np.float32),
        sigma_ms=np.where(picked, sample_to_ms(np.sqrt(variance), sample_interval_us), np.nan).astype(np.float32),
        flag=np.where(live, np.where(picked, flag, "low_probability"), "dead"),
    )
