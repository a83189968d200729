"""Labels that do not fit their gathers: looked for before a picker learns from them, and after.

Onsets found by the AIC, which learned from nobody, tell wrong origins and labels of another shot: they are right on
half of the traces of a noisy survey, which is enough for a constant. Single labels are told by the picker itself,
which, as it meets each gather stretched, shifted and mirrored, does not learn by heart what fits no rule.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from seisray.gather import Gather, by_survey
from seisray.picking.quality.robust import spread
from seisray.picking.tempo import aic_onsets
from seisray.resampling import samples_per_period
from seisray.units import sample_to_ms

Floats = NDArray[np.floating[Any]]

NEAR_MS = 2.0  # labels and onsets that agree
ORIGIN_MS = 6.0  # habits of picking differ by less
SEARCHED_MS = 60.0
CLEARER = 1.3  # so many times as many traces must agree with another origin
LEAST_AGREEMENT = 0.15  # of traces with labels; below it the AIC is at a loss
LEAST_TRACES, LEAST_GATHERS = 30, 8
NEIGHBOURS = (-1, 1, -2, 2)
LEAST_CHANCE = 0.01  # that labels fit another shot better by chance; labels of their own reach 0.4
LISTED = 5
FAR_SIGMA, FAR_MS = 6.0, 4.0  # how far from the picker a label is suspect, at least


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspect:
    """Name a label far from where the picker that learned from it puts the first break; both from the first sample."""

    survey: str
    ffid: int
    trace: int
    label_ms: float
    pick_ms: float


def question_labels(gathers: Sequence[Gather]) -> list[str]:
    """Return a line on each way in which a survey's labels as a whole do not fit its gathers; none where they do."""
    lines = []
    for survey, own in by_survey(gathers).items():
        onsets = onsets_ms(own)
        lines += [f"{survey}: {line}" for line in (question_origin(own, onsets), question_shots(own, onsets)) if line]
    return lines


def onsets_ms(gathers: Sequence[Gather]) -> list[Floats]:
    """Return (n_traces,) onsets by the AIC, in ms from the first sample, of each gather; NaN on dead traces."""
    period = samples_per_period(gathers)
    return [sample_to_ms(aic_onsets(gather.samples, period), gather.sample_interval_us) for gather in gathers]


def question_origin(gathers: Sequence[Gather], onsets: Sequence[Floats]) -> str | None:
    """Return a line where most labels lie by one constant from the onsets, as with another time zero; else None.

    gathers: of one survey. onsets: (n_traces,) of each, in ms from the first sample, NaN = dead.
    """
    late_ms = np.concatenate([gather.first_break_ms - own for gather, own in zip(gathers, onsets, strict=True)])
    late_ms = late_ms[np.isfinite(late_ms)]
    if len(late_ms) < LEAST_TRACES:
        return None
    shifts_ms = np.arange(-SEARCHED_MS, SEARCHED_MS + NEAR_MS / 2, NEAR_MS / 2)
    agree = np.array([np.mean(np.abs(late_ms - shift) <= NEAR_MS) for shift in shifts_ms])
    usual = np.abs(shifts_ms) <= ORIGIN_MS
    best = int(agree.argmax())
    if usual[best] or agree[best] < max(CLEARER * agree[usual].max(), LEAST_AGREEMENT):
        return None
    return (
        f"{agree[best]:.0%} of the labels lie {abs(shifts_ms[best]):.0f} ms "
        f"{'after' if shifts_ms[best] > 0 else 'before'} the onset of their trace, {agree[usual].max():.0%} at it: are "
        "they counted from the first sample?"
    )


def question_shots(gathers: Sequence[Gather], onsets: Sequence[Floats]) -> str | None:
    """Return a line where labels fit the gather of a neighbouring FFID better than their own; else None.

    gathers, onsets: as of `question_origin`.
    """
    labels = {gather.ffid: gather.first_break_ms for gather in gathers}
    onset = {gather.ffid: own for gather, own in zip(gathers, onsets, strict=True)}
    better: list[tuple[float, str]] = []
    for step in NEIGHBOURS:
        there = [f for f in labels if f + step in onset and len(labels[f]) == len(onset[f + step])]
        if len(there) < LEAST_GATHERS:
            continue
        theirs, own = (np.array([_misfit_ms(labels[f], onset[f + by]) for f in there]) for by in (step, 0))
        if stats.ttest_rel(theirs, own, alternative="less").pvalue < LEAST_CHANCE:
            line = (
                f"labels fit the gathers of FFID {step:+d} better than their own (onsets lie {theirs.mean():.1f} ms "
                f"off, {own.mean():.1f} ms in their own): are FFIDs and labels shifted against each other?"
            )
            better.append((theirs.mean() / own.mean(), line))
    return min(better)[1] if better else None


def _misfit_ms(labels_ms: Floats, onsets_ms: Floats) -> float:
    """Return how far labels lie from onsets, but for one constant, in the mean, each counted as FAR_MS at most."""
    apart = labels_ms - onsets_ms
    apart = apart[np.isfinite(apart)]
    return float(np.minimum(np.abs(apart - np.median(apart)), FAR_MS).mean()) if len(apart) else FAR_MS


def suspect_labels(gathers: Sequence[Gather], picks_ms: Sequence[Floats]) -> list[Suspect]:
    """Return the labels that lie far from picks of their own picker, by the spread in their survey, the farthest first.

    picks_ms: (n_traces,) of each gather, from the first sample, NaN = no pick.
    """
    late_ms = [gather.first_break_ms - own for gather, own in zip(gathers, picks_ms, strict=True)]
    usual = {
        survey: _usual([late for gather, late in zip(gathers, late_ms, strict=True) if gather.survey == survey])
        for survey in {gather.survey for gather in gathers}
    }
    found = []
    for gather, own, late in zip(gathers, picks_ms, late_ms, strict=True):
        centre, limit_ms = usual[gather.survey]
        away_ms = np.abs(late - centre)
        for i in np.flatnonzero(away_ms > limit_ms):
            suspect = Suspect(
                survey=gather.survey,
                ffid=gather.ffid,
                trace=int(gather.trace[i]),
                label_ms=float(gather.first_break_ms[i]),
                pick_ms=float(own[i]),
            )
            found.append((float(away_ms[i]), suspect))
    return [suspect for _, suspect in sorted(found, key=lambda pair: -pair[0])]


def _usual(late_ms: Sequence[Floats]) -> tuple[float, float]:
    """Return by how much a survey's labels are later than its picks, NaN = not both, and how far from that is far."""
    known = np.concatenate(late_ms)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else 0.0, max(FAR_SIGMA * spread(known), FAR_MS)


def describe(suspects: Sequence[Suspect], gathers: Sequence[Gather]) -> list[str]:
    """Return a line for each survey with suspect labels: how many, and where most of them are."""
    found = []
    for survey, own in by_survey(gathers).items():
        count = Counter(suspect.ffid for suspect in suspects if suspect.survey == survey)
        if not count:
            continue
        labels = sum(int(gather.labelled.sum()) for gather in own)
        worst = ", ".join(f"FFID {ffid}: {n}" for ffid, n in count.most_common(LISTED))
        more = f" and {len(count) - LISTED} more" if len(count) > LISTED else ""
        found.append(
            f"{count.total()} of {labels} labels of {survey} lie far from where the picker that learned from them puts "
            f"the first break ({worst}{more}); suspects.csv beside the model lists them, the farthest first"
        )
    return found


def suspects_csv(suspects: Sequence[Suspect]) -> bytes:
    """Return suspects as a CSV with survey,ffid,trace,label_ms,pick_ms."""
    lines = [
        ",".join(field.name for field in fields(Suspect)),
        *(f"{one.survey},{one.ffid},{one.trace},{one.label_ms:.3f},{one.pick_ms:.3f}" for one in suspects),
    ]
    return ("\n".join(lines) + "\n").encode()
