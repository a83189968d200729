"""From the picker's logits to picks: sub-sample time, probability, uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from seisray.transforms import Samples
from seisray.units import sample_to_ms

REACH_SAMPLES = 6  # how far around a pick its probability is gathered
SMOOTH_SAMPLES = 4.0  # standard deviation of the bell that smooths the probability around a peak
LEAST_PROBABILITY = 0.5  # of a pick that is ok
_LEAST = 1e-30  # probability of what is there, however improbable
_MOVES = np.arange(-8, 9)  # how far from the peak a pick may be put, and one beyond
_NEAR = np.arange(_MOVES[0] - REACH_SAMPLES, _MOVES[-1] + REACH_SAMPLES + 1)
_BELL = np.exp(-0.5 * ((_NEAR[:, None] - _MOVES) / SMOOTH_SAMPLES) ** 2).astype(np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Picks:
    """Hold the picks of a gather, one value a trace.

    pick_ms: from the first sample, NaN = no pick. probability: of the pick, or of the best candidate where there is
    none. sigma_ms: standard deviation of the time around the pick. flag: ok, low_probability, outside_window or dead;
    of gathers that could not be picked also not_finite and failed.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """Hold the times at which the traces of a gather could be picked, the likeliest first; all but two (n_traces, n).

    time, spread: in samples, the spread a standard deviation. probability: 0 = there are not so many where one may lie.
    none: (n_traces,) that there is no first break. live: (n_traces,).
    """

    time: NDArray[np.float64]
    spread: NDArray[np.float64]
    probability: NDArray[np.float64]
    none: NDArray[np.float64]
    live: NDArray[np.bool_]


def candidates(
    logits: Samples, live: NDArray[np.bool_], *, n: int = 1, allowed: NDArray[np.float64] | None = None
) -> Candidates:
    """Return the n likeliest candidates of each trace, by (n_traces, n_samples + 1) logits.

    A candidate lies where the probability around one of its peaks is largest once it is smoothed: a peak by itself
    leaps along a flat top for the last digit of a logit. allowed: (n_traces, 2) first and last sample at which one may
    lie; what lies elsewhere stays as probable as it is, and is not picked.
    """
    found, none = logits[:, :-1], logits[:, -1]
    peak = found.argmax(axis=1)[:, None]
    most = np.maximum(np.take_along_axis(found, peak, axis=1)[:, 0], none)
    mass, none = np.exp(found - most[:, None]), np.exp(none - most)
    total = mass.sum(axis=1) + none
    height = found if allowed is None else np.where(_within(found.shape[1], allowed), found, -np.inf)
    if n > 1:
        beside = np.pad(height, ((0, 0), (1, 1)), constant_values=-np.inf)
        height = np.where((height >= beside[:, :-2]) & (height > beside[:, 2:]), height, -np.inf)
        peak = np.argsort(-height, axis=1, kind="stable")[:, :n]
    elif allowed is not None:
        peak = height.argmax(axis=1)[:, None]
    there = np.take_along_axis(height, peak, axis=1) > -np.inf
    near = peak[..., None] + _NEAR  # (n_traces, n, 29)
    at = np.clip(near, 0, mass.shape[1] - 1)
    weight = np.take_along_axis(mass, at.reshape(len(mass), -1), axis=1).reshape(at.shape)
    weight /= total[:, None, None]
    weight[near != at] = 0  # beyond the record
    time = peak + _highest(np.einsum("tnk,km->tnm", weight, _BELL))
    if allowed is not None:
        time = np.clip(time, *np.clip(allowed, 0, mass.shape[1] - 1).T[..., None])
    away = near - time[..., None]
    weight[np.abs(away) > REACH_SAMPLES + 0.5] = 0
    probability = np.maximum(weight.sum(axis=-1), _LEAST)
    variance = (weight * away**2).sum(axis=-1) / probability
    return Candidates(
        time=time,
        spread=np.sqrt(variance),
        probability=np.where(there, probability, 0),
        none=none / total,
        live=live,
    )


def _highest(smooth: Samples) -> NDArray[np.float64]:
    """Return where between its samples, one for each of _MOVES, the last axis is highest: of a bell exactly."""
    top = smooth[..., 1:-1].argmax(axis=-1)[..., None] + 1
    sides = np.take_along_axis(smooth, top + np.array([-1, 0, 1]), axis=-1)
    before, here, after = np.moveaxis(np.log(sides + _LEAST), -1, 0)
    bend = np.maximum(2 * here - before - after, _LEAST)
    return np.asarray(_MOVES[top[..., 0]] + np.clip((after - before) / 2 / bend, -0.5, 0.5))


def _within(n_samples: int, allowed: NDArray[np.float64]) -> NDArray[np.bool_]:
    at = np.arange(n_samples)
    return np.asarray((at >= allowed[:, :1]) & (at <= allowed[:, 1:]))


def joined(found: Sequence[Candidates]) -> Candidates:
    """Return the candidates of neighbouring traces as those of one gather."""
    names = [one.name for one in fields(Candidates)]
    return Candidates(**{name: np.concatenate([getattr(part, name) for part in found]) for name in names})


def decide(
    found: Candidates,
    sample_interval_us: float,
    *,
    chosen: NDArray[np.intp] | None = None,
    least_probability: float = LEAST_PROBABILITY,
) -> Picks:
    """Return the picks that candidates come to. chosen: (n_traces,) which of them, by default the first.

    A trace whose candidate has less than least_probability keeps its pick, flagged low_probability, unless "no pick" is
    likelier than any; one without a candidate where one may lie is flagged outside_window; dead traces have none.
    """
    place = (np.zeros(len(found.live), int) if chosen is None else chosen)[:, None]
    time, spread, probability = (
        np.take_along_axis(one, place, axis=1)[:, 0] for one in (found.time, found.spread, found.probability)
    )
    there = probability > 0
    picked = found.live & there & (found.probability[:, 0] >= found.none)
    flag = np.where(probability >= least_probability, "ok", "low_probability")
    flag = np.where(picked, flag, np.where(there, "low_probability", "outside_window"))
    return Picks(
        pick_ms=np.where(picked, sample_to_ms(time, sample_interval_us), np.nan),
        probability=np.where(found.live, probability, 0).astype(np.float32),
        sigma_ms=np.where(picked, sample_to_ms(spread, sample_interval_us), np.nan).astype(np.float32),
        flag=np.where(found.live, flag, "dead"),
    )


def decode(logits: Samples, live: NDArray[np.bool_], sample_interval_us: float) -> Picks:
    """Return the picks of (n_traces, n_samples + 1) logits, each trace by itself. live: (n_traces,)."""
    return decide(candidates(logits, live), sample_interval_us)
