"""A picker's temperature: what its logits are divided by, so that its probabilities mean what they say.

One number by which all probabilities move together (Guo et al. 2017, 1706.04599). It is the one with the least squared
distance of probability and hit within 2 ms (Brier score). By the likelihood of labels, sample by sample, confident
misses and the scatter of labels would decide: on soda_lakes shots that two pickers had not seen it turned calibration
errors of 0.03 and 0.06 into 0.15 and 0.16.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from seisray.config import PickerConfig
from seisray.gather import Gather
from seisray.metrics.calibration import calibration_error
from seisray.metrics.picks import sureness
from seisray.models.picker import Picker
from seisray.picking.decode import Candidates, candidates, decide
from seisray.picking.engine import torch_engine
from seisray.picking.tiling import gather_logits
from seisray.training.labelled_panels import LabelledPanels
from seisray.transforms import Samples
from seisray.units import ms_to_sample, sample_to_ms

LOWEST, HIGHEST = 0.1, 10.0
PANELS = 64
MOST_GATHERS = 64  # their logits are held together


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """Hold what a picker says of live labelled traces, and the labels.

    logits: (n_traces, n_samples + 1). first_break: (n_traces,) fractional samples.
    """

    logits: Samples
    first_break: NDArray[np.float64]

    def candidates(self, temperature: float) -> Candidates:
        """Return the likeliest time of each trace at a temperature, and its probability."""
        return candidates(self.logits / np.float32(temperature), np.ones(len(self.logits), bool))


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """Hold a temperature, and the calibration errors within 2 ms before it and with it; NaN where nothing is picked."""

    temperature: float
    error_before: float
    error: float

    @property
    def metrics(self) -> dict[str, float]:
        """Return the figures for a model's card, those that are numbers."""
        errors = {"ece_2ms_uncalibrated": self.error_before, "ece_2ms": self.error}
        return {"temperature": self.temperature} | {name: error for name, error in errors.items() if isfinite(error)}


def calibrate(picker: Picker, answers: Sequence[Answers], *, sample_interval_us: float) -> Calibration:
    """Divide a picker's logits, in place, by the temperature that fits answers best, if the calibration error falls."""
    temperature = fit_temperature(answers, sample_interval_us)
    before, after = (error_2ms(answers, one, sample_interval_us) for one in (1.0, temperature))
    if not after < before:
        temperature, after = 1.0, before
    bake_temperature(picker, temperature)
    return Calibration(temperature=temperature, error_before=before, error=after)


def fit_temperature(answers: Sequence[Answers], sample_interval_us: float) -> float:
    """Return the temperature with the least Brier score of "within 2 ms", by the picks as they are; 1 of no answers."""
    if not answers:
        return 1.0
    hit = np.concatenate([_late_ms(one, sample_interval_us) <= 2.0 for one in answers])

    def cost(log_temperature: float) -> float:
        said = np.concatenate([one.candidates(exp(log_temperature)).probability[:, 0] for one in answers])
        return float(np.mean((said - hit) ** 2))

    return exp(float(minimize_scalar(cost, bounds=(log(LOWEST), log(HIGHEST)), method="bounded").x))


def _late_ms(answers: Answers, sample_interval_us: float) -> NDArray[np.float64]:
    return np.abs(sample_to_ms(answers.candidates(1.0).time[:, 0] - answers.first_break, sample_interval_us))


@torch.no_grad()
def bake_temperature(picker: Picker, temperature: float) -> None:
    """Divide all logits of a picker by a temperature, in place, through the weights that make them."""
    for parameter in (*picker.pick_head.parameters(), picker.none):
        parameter.div_(temperature)


def error_2ms(answers: Sequence[Answers], temperature: float, sample_interval_us: float) -> float:
    """Return the calibration error within 2 ms of picks at a temperature; NaN where nothing is picked."""
    said, right = [np.empty(0)], [np.empty(0, bool)]
    for one in answers:
        picks = decide(one.candidates(temperature), sample_interval_us)
        first_break_ms = sample_to_ms(one.first_break, sample_interval_us)
        probability, hit = sureness(picks.pick_ms, first_break_ms, picks.probability)
        said.append(probability)
        right.append(hit)
    return calibration_error(np.concatenate(said), np.concatenate(right))


def answers_on_gathers(picker: Picker, gathers: Sequence[Gather], config: PickerConfig) -> list[Answers]:
    """Return what a picker says of whole gathers; of more than MOST_GATHERS, of so many spread evenly."""
    predict, panel = torch_engine(picker), config.panel
    found = []
    for i in sorted(set(np.linspace(0, len(gathers) - 1, min(len(gathers), MOST_GATHERS)).round().astype(int))):
        gather = gathers[i]
        known = gather.labelled & gather.live
        if not known.any():
            continue
        logits = gather_logits(predict, gather.samples, gain=panel.gain, stretch=panel.samples)
        first_break = ms_to_sample(gather.first_break_ms, gather.sample_interval_us)
        found.append(Answers(logits=logits[known], first_break=first_break[known]))
    return found


def answers_on_panels(picker: Picker, gathers: Sequence[Gather], config: PickerConfig) -> list[Answers]:
    """Return what a picker says of augmented panels of gathers, none of which it has met in training."""
    rng = np.random.default_rng([config.train.seed, config.train.steps, 0])  # a step further than training goes
    panels = LabelledPanels(gathers, config.panel, config.augment).draw(rng, PANELS)
    return list(_panel_answers(picker, panels.samples, panels.first_break))


def _panel_answers(picker: Picker, samples: Samples, first_break: NDArray[np.float32]) -> Iterator[Answers]:
    predict = torch_engine(picker)
    for panel, breaks in zip(samples, first_break, strict=True):
        inside = breaks >= 0
        if inside.any():
            yield Answers(logits=predict(panel)[inside], first_break=breaks[inside].astype(np.float64))
