"""From the picker's logits to picks: sub-sample time, probability, uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from seisray.transforms import Samples
from seisray.units import sample_to_ms

REACH_SAMPLES = 6  # how far around a pick its probability is gathered
SMOOTH_SAMPLES = 3.0  # standard deviation of the bell that smooths the probability around a peak
LEAST_PROBABILITY = 0.5  # of a pick that is ok
_LEAST = 1e-30  # probability of what is there, however improbable
_NEVER = np.float32(-1e30)  # logit of where no pick may lie
_FARTHEST, _CLIMBS = 10, 3  # samples that a pick may be put from its peak at a time, and how many times
_REACH = np.arange(-REACH_SAMPLES - 1, REACH_SAMPLES + 2)
_MOVES = np.arange(-_FARTHEST - 1, _FARTHEST + 2)
_NEAR = np.arange(_MOVES[0] - 9, _MOVES[-1] + 10)  # as far as the bell reaches from there
_BELL = np.exp(-0.5 * ((_NEAR[:, None] - _MOVES) / SMOOTH_SAMPLES) ** 2).astype(np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Picks:
    """Hold the picks of a gather, one value a trace.

    pick_ms: from the first sample, NaN = no pick. probability: of the pick, or of the best candidate where there is
    none. sigma_ms: root mean square distance of the probability around the pick from it. flag: ok, low_probability,
    outside_window or dead; of gathers that could not be picked also not_finite and failed.
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
    """Hold the times at which the traces of a gather could be picked, the highest peak first.

    All but two are (n_traces, n). time, spread: in samples, the spread a root mean square about the time. probability:
    that the first break lies within REACH_SAMPLES of the time, so that events closer than that share some; 0 = there
    are not so many where one may lie. none: (n_traces,) that there is no first break. live: (n_traces,).
    """

    time: NDArray[np.float64]
    spread: NDArray[np.float64]
    probability: NDArray[np.float64]
    none: NDArray[np.float64]
    live: NDArray[np.bool_]


def candidates(
    logits: Samples, live: NDArray[np.bool_], *, n: int = 1, allowed: NDArray[np.float64] | None = None
) -> Candidates:
    """Return a candidate for each of the n highest peaks of a trace, by (n_traces, n_samples + 1) logits.

    A candidate lies where the smoothed probability has a top, uphill from a peak: a peak by itself leaps along a flat
    top for the last digit of a logit. Peaks that lead to one top are one candidate. allowed: (n_traces, 2) first and
    last sample at which one may lie; what lies elsewhere is not picked, and makes what lies there no likelier.
    """
    found, none = logits[:, :-1], logits[:, -1]
    last = found.shape[1] - 1
    peak = found.argmax(axis=1)[:, None]
    most = np.maximum(np.take_along_axis(found, peak, axis=1), none[:, None])
    total = np.exp(found - most).sum(axis=1, keepdims=True) + np.exp(none[:, None] - most)
    height = found if allowed is None else np.where(_within(np.arange(last + 1), allowed), found, -np.inf)
    if n > 1:
        beside = np.pad(height, ((0, 0), (1, 1)), constant_values=-np.inf)
        height = np.where((height > beside[:, :-2]) & (height >= beside[:, 2:]), height, -np.inf)
        peak = np.argsort(-height, axis=1, kind="stable")[:, :n]
    elif allowed is not None:
        peak = height.argmax(axis=1)[:, None]
    there = np.take_along_axis(height, peak, axis=1) > -np.inf
    time, kept = _tops(found, peak, allowed)
    there &= kept
    near = np.rint(time).astype(int)[..., None] + _REACH  # (n_traces, n, 15)
    weight, own = _weights(found, np.arange(len(found)), near, allowed)
    away = near - time[..., None]
    weight[np.abs(away) > REACH_SAMPLES + 0.5] = 0
    mass = weight.sum(axis=-1)
    spread = np.sqrt((weight * away**2).sum(axis=-1) / np.maximum(mass, _LEAST))
    probability = np.maximum(mass * np.exp(own - most) / total, _LEAST)
    return Candidates(
        time=time,
        spread=spread,
        probability=np.where(there, probability, 0),
        none=(np.exp(none[:, None] - most) / total)[:, 0],
        live=live,
    )


def _tops(
    found: Samples, peak: NDArray[np.intp], allowed: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the time of the top uphill from each peak, and which to keep: (n_traces, n).

    The first is, wherever it came to; the others are where they reached a top that none before them leads to.
    """
    last = found.shape[1] - 1
    first, latest = (0, last) if allowed is None else np.clip(allowed, 0, last).T[..., None]
    time, rising = peak.astype(float), np.ones(peak.shape, bool)
    rows = np.arange(len(found))
    for _ in range(_CLIMBS):
        at = np.rint(time[rows]).astype(int)
        weight, _ = _weights(found, rows, at[..., None] + _NEAR, allowed)
        moved, rising[rows] = _uphill(np.einsum("tnk,km->tnm", weight, _BELL))
        time[rows] = at + moved
        time = np.clip(time, first, latest)
        rows = rows[rising[rows].any(axis=1)]
        if not rows.size:
            break
    kept = ~rising
    kept[:, 0] = True
    same = np.abs(time[:, :, None] - time[:, None, :]) < 0.5  # as which of those before it
    return time, kept & ~np.tril(same & kept[:, None, :], -1).any(axis=-1)


def _weights(
    found: Samples, rows: NDArray[np.intp], near: NDArray[np.intp], allowed: NDArray[np.float64] | None
) -> tuple[Samples, Samples]:
    """Return how probable samples are, (rows, n, k), beside the likeliest of each k, and that one's logit, (rows, n).

    near: which samples of these rows. So the shape of what is most improbable is kept, too.
    """
    last = found.shape[1] - 1
    inside = (near >= 0) & (near <= last)
    if allowed is not None:
        inside &= _within(near, allowed[rows][:, None])
    at = np.clip(near, 0, last)
    around = np.where(inside, found[rows[:, None, None], at], _NEVER)
    own = around.max(axis=-1)
    return np.exp(around - own[..., None]), own


def _uphill(smooth: Samples) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return how far the first top uphill from the middle lies, and whether there is none so near.

    (..., len(_MOVES)) -> (...) in samples, exact for a bell.
    """
    middle = len(_MOVES) // 2
    step = np.diff(smooth, axis=-1)
    right = middle + np.cumprod(step[..., middle:] > 0, axis=-1).sum(axis=-1, keepdims=True)
    left = middle - np.cumprod(step[..., middle - 1 :: -1] < 0, axis=-1).sum(axis=-1, keepdims=True)
    higher = np.take_along_axis(smooth, right, axis=-1) >= np.take_along_axis(smooth, left, axis=-1)
    top = np.where(higher, right, left)
    rising = (top == 0) | (top == len(_MOVES) - 1)
    top = np.clip(top, 1, len(_MOVES) - 2)
    sides = np.take_along_axis(smooth, top + np.array([-1, 0, 1]), axis=-1)
    before, here, after = np.moveaxis(np.log(sides + _LEAST), -1, 0)
    bend = np.maximum(2 * here - before - after, _LEAST)
    moved = _MOVES[top[..., 0]] + np.clip((after - before) / 2 / bend, -0.5, 0.5)
    return moved, rising[..., 0]


def _within(at: NDArray[np.integer], allowed: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((at >= allowed[..., :1]) & (at <= allowed[..., 1:]))


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


def moved_by(picks: Picks, constant_ms: float, end_ms: float) -> Picks:
    """Return picks moved by a constant; those that leave the record are none, flagged outside_window."""
    pick_ms = picks.pick_ms + constant_ms
    lost = (pick_ms < 0) | (pick_ms > end_ms)  # NaN is neither
    return replace(
        picks,
        pick_ms=np.where(lost, np.nan, pick_ms),
        sigma_ms=np.where(lost, np.nan, picks.sigma_ms).astype(np.float32),
        flag=np.where(lost, "outside_window", picks.flag),
    )


def decode(logits: Samples, live: NDArray[np.bool_], sample_interval_us: float) -> Picks:
    """Return the picks of (n_traces, n_samples + 1) logits, each trace by itself. live: (n_traces,)."""
    return decide(candidates(logits, live), sample_interval_us)
