"""A picker's temperature: what its logits are divided by, so that its probabilities mean what they say.

One number by which all probabilities move together (Guo et al. 2017, 1706.04599). It is the one with the least squared
distance of probability and hit within 2 ms (Brier score). By the likelihood of labels, sample by sample, confident
misses and the scatter of labels would decide: on soda_lakes shots that two pickers had not seen it turned calibration
errors of 0.03 and 0.06 into 0.15 and 0.16.

"No pick" is one class, a pick the sum of many: a temperature below 1 alone would favour the former, and take picks away
(two of a hundred on soda_lakes). So that class's logit is moved, too, until as many traces are picked as before.

Each survey counts as much as any other, however many labels it has, as it did when the picker learned.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, log, nan

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from seisray.config import PickerConfig
from seisray.gather import Gather, by_survey, spread_over
from seisray.metrics.calibration import calibration_error
from seisray.metrics.picks import sureness
from seisray.models.picker import Picker
from seisray.picking.decode import Candidates, candidates, decide
from seisray.picking.engine import torch_engine
from seisray.picking.tiling import gather_logits
from seisray.training.labelled_panels import LabelledPanels
from seisray.transforms import Samples
from seisray.units import ms_to_sample, sample_to_ms

LOWEST, HIGHEST = 0.1, 10.0  # temperatures
LEAST = 1e-30  # probability of anything
PANELS = 256  # of 64 the temperature scatters by a tenth, of so many by a twentieth
MOST_GATHERS = 64  # their logits are held together


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """Say how logits are changed: divided by a temperature, and then `none` added to that of "no pick"."""

    temperature: float = 1.0
    none: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """Hold what a picker says of live labelled traces, and the labels.

    logits: (n_traces, n_samples + 1). first_break: (n_traces,) fractional samples. survey: that the traces are of.
    """

    logits: Samples
    first_break: NDArray[np.float64]
    sample_interval_us: float
    survey: str

    def candidates(self, scale: Scale) -> Candidates:
        """Return the likeliest time of each trace as a scale has it, and its probability."""
        logits = self.logits / np.float32(scale.temperature)
        logits[:, -1] += np.float32(scale.none)
        return candidates(logits, np.ones(len(logits), bool))


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """Hold a scale, and the calibration errors within 2 ms before it and with it; NaN where nothing is picked."""

    scale: Scale
    error_before: float
    error: float

    @property
    def metrics(self) -> dict[str, float]:
        """Return the figures for a model's card, those that are numbers."""
        errors = {"ece_2ms_uncalibrated": self.error_before, "ece_2ms": self.error}
        scale = {"temperature": self.scale.temperature, "none_logit": self.scale.none}
        return scale | {name: error for name, error in errors.items() if isfinite(error)}


def calibrate(picker: Picker, answers: Sequence[Answers]) -> Calibration:
    """Change a picker's logits, in place, by the scale that fits answers best, if the calibration error falls."""
    scale = fit_scale(answers)
    before, after = (error_2ms(answers, one) for one in (Scale(), scale))
    if not after < before:
        scale, after = Scale(), before
    bake_scale(picker, scale)
    return Calibration(scale=scale, error_before=before, error=after)


def fit_scale(answers: Sequence[Answers]) -> Scale:
    """Return the scale with the least Brier score of "within 2 ms", by the picks as they are; none of no answers."""
    if not answers:
        return Scale()
    hit = np.concatenate([_late_ms(one) <= 2.0 for one in answers])
    of_survey = Counter[str]()
    for one in answers:
        of_survey[one.survey] += len(one.logits)
    weight = np.concatenate([np.full(len(one.logits), 1 / of_survey[one.survey]) for one in answers])
    probability, none = _said(answers, 1.0)
    n_picked = int((probability >= none).sum())

    def scale(log_temperature: float) -> tuple[Scale, float]:
        probability, none = _said(answers, exp(log_temperature))
        moved = _level(np.log(probability / none), n_picked)
        said = probability / (1 - none + none * np.exp(moved))
        return Scale(temperature=exp(log_temperature), none=moved), float(np.average((said - hit) ** 2, weights=weight))

    best = minimize_scalar(lambda x: scale(x)[1], bounds=(log(LOWEST), log(HIGHEST)), method="bounded")
    return scale(float(best.x))[0]


def _said(answers: Sequence[Answers], temperature: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities of picks, and of none."""
    found = [one.candidates(Scale(temperature=temperature)) for one in answers]
    parts = [[one.probability[:, 0] for one in found], [one.none for one in found]]
    picks, none = (np.maximum(np.concatenate(part, dtype=np.float64), LEAST) for part in parts)
    return picks, none


def _level(lead: NDArray[np.float64], n: int) -> float:
    """Return a level that the n highest values reach and no others, 0 where that is one."""
    ordered = np.sort(lead)[::-1]
    bounds = [max(ordered[0], 0) + 1, *ordered, min(ordered[-1], 0) - 1]
    lowest_in, highest_out = bounds[n : n + 2]
    return 0.0 if lowest_in >= 0 > highest_out else float(lowest_in + highest_out) / 2


def _late_ms(answers: Answers) -> NDArray[np.float64]:
    late = answers.candidates(Scale()).time[:, 0] - answers.first_break
    return np.abs(sample_to_ms(late, answers.sample_interval_us))


@torch.no_grad()
def bake_scale(picker: Picker, scale: Scale) -> None:
    """Change all logits of a picker as a scale says, in place, through the weights that make them."""
    for parameter in (*picker.pick_head.parameters(), picker.none):
        parameter.div_(scale.temperature)
    picker.none.add_(scale.none)


def error_2ms(answers: Sequence[Answers], scale: Scale) -> float:
    """Return the calibration error within 2 ms of picks at a scale, the mean of surveys; NaN of no picks."""
    of_survey: dict[str, list[tuple[NDArray[np.float64], NDArray[np.bool_]]]] = {}
    for one in answers:
        picks = decide(one.candidates(scale), one.sample_interval_us)
        first_break_ms = sample_to_ms(one.first_break, one.sample_interval_us)
        said = sureness(picks.pick_ms, first_break_ms, picks.probability)
        of_survey.setdefault(one.survey, []).append(said)
    errors = [calibration_error(*map(np.concatenate, zip(*said, strict=True))) for said in of_survey.values()]
    known = [error for error in errors if isfinite(error)]
    return sum(known) / len(known) if known else nan


def answers_on_gathers(picker: Picker, gathers: Sequence[Gather], config: PickerConfig) -> list[Answers]:
    """Return what a picker says of whole gathers; of more than MOST_GATHERS, of so many spread evenly over surveys."""
    predict, panel = torch_engine(picker), config.panel
    found, surveys = [], by_survey(gathers)
    for survey, own in surveys.items():
        for gather in spread_over(own, max(MOST_GATHERS // len(surveys), 1)):
            known = gather.labelled & gather.live
            if not known.any():
                continue
            logits = gather_logits(predict, gather.samples, gain=panel.gain, stretch=panel.samples)
            interval_us = gather.sample_interval_us
            first_break = ms_to_sample(gather.first_break_ms, interval_us)[known]
            found.append(
                Answers(logits=logits[known], first_break=first_break, sample_interval_us=interval_us, survey=survey)
            )
    return found


def answers_on_panels(picker: Picker, gathers: Sequence[Gather], config: PickerConfig) -> list[Answers]:
    """Return what a picker says of augmented panels of gathers, none of which it has met in training."""
    rng = np.random.default_rng([config.train.seed, config.train.steps, 0])  # a step further than training goes
    predict, found, surveys = torch_engine(picker), [], by_survey(gathers)
    for survey, own in surveys.items():
        panels = LabelledPanels(own, config.panel, config.augment).draw(rng, max(PANELS // len(surveys), 1))
        for panel, breaks in zip(panels.samples, panels.first_break, strict=True):
            inside = breaks >= 0
            if inside.any():
                first_break = breaks[inside].astype(np.float64)
                found.append(
                    Answers(
                        logits=predict(panel)[inside],
                        first_break=first_break,
                        sample_interval_us=own[0].sample_interval_us,
                        survey=survey,
                    )
                )
    return found
