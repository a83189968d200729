from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from seisray.config import AugmentConfig, BodyConfig, PanelConfig, PickerConfig
from seisray.gather import Gather
from seisray.models.picker import Picker
from seisray.picking.decode import decide
from seisray.training.temperature import (
    HIGHEST,
    PANELS,
    Answers,
    Scale,
    answers_on_gathers,
    answers_on_panels,
    bake_scale,
    calibrate,
    error_2ms,
    fit_scale,
)

LineGathers = Callable[..., list[Gather]]
CONFIG = PickerConfig(panel=PanelConfig(traces=8, samples=64), body=BodyConfig(channels=(2, 2, 2, 2)))
SIGMA = 2.0
PEAKS = (30, 60, 90, 120)


def uncertain_answers(temperature: float, *, n_traces: int = 4000, survey: str = "") -> Answers:
    """Return logits that are `temperature` times too large of traces with first breaks at one of four bells.

    Chances are drawn trace by trace, and the answer by them: divided by the temperature the logits are the truth.
    """
    rng = np.random.default_rng(3)
    chance = rng.dirichlet([0.5] * 4, size=n_traces)
    answer = np.array([rng.choice(4, p=own) for own in chance])
    bells = np.exp(-0.5 * ((np.arange(150) - np.array(PEAKS)[:, None]) / SIGMA) ** 2)
    mass = chance @ (bells / bells.sum(axis=1, keepdims=True))
    logits = temperature * np.log(np.maximum(np.pad(mass, ((0, 0), (0, 1))), 1e-9))  # the last class: none
    first_break = np.array(PEAKS, float)[answer]
    return Answers(logits=logits.astype(np.float32), first_break=first_break, sample_interval_us=1000.0, survey=survey)


@pytest.fixture
def picker() -> Picker:
    torch.manual_seed(2)
    picker = Picker(CONFIG.body)
    torch.nn.init.constant_(picker.none, 0.7)
    return picker


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_by_which_logits_were_spoiled_is_found(temperature: float) -> None:
    assert fit_scale([uncertain_answers(temperature)]).temperature == pytest.approx(temperature, rel=0.05)


def test_gathers_of_any_size_are_fitted_together() -> None:
    whole = uncertain_answers(2.0)
    halves = [
        replace(whole, logits=whole.logits[rows], first_break=whole.first_break[rows])
        for rows in (slice(1500), slice(1500, None))
    ]
    together, alone = (fit_scale(parts).temperature for parts in (halves, [whole]))
    assert together == pytest.approx(alone, rel=1e-3)


def test_a_survey_of_few_labels_counts_as_much_as_one_of_many() -> None:
    many, few = uncertain_answers(1.0, n_traces=4000, survey="many"), uncertain_answers(4.0, n_traces=400, survey="few")
    alike = fit_scale([replace(many, logits=many.logits[:400], first_break=many.first_break[:400]), few])
    assert fit_scale([many, few]).temperature == pytest.approx(alike.temperature, rel=0.05)
    pooled = fit_scale([many, replace(few, survey="many")])
    assert pooled.temperature < 0.9 * alike.temperature
    errors = [error_2ms([one], Scale()) for one in (many, few)]
    assert error_2ms([many, few], Scale()) == pytest.approx(np.mean(errors))


def test_each_survey_has_its_own_sampling_interval() -> None:
    coarse, fine = uncertain_answers(1.0, survey="coarse"), uncertain_answers(1.0, survey="fine")
    fine = replace(fine, first_break=fine.first_break + 3)
    assert fit_scale([coarse, replace(fine, sample_interval_us=500.0)]).temperature == pytest.approx(1.0, rel=0.05)
    assert fit_scale([coarse, fine]).temperature > 1.5


def test_without_answers_logits_stay() -> None:
    assert fit_scale([]) == Scale()


def test_logits_that_mean_nothing_are_flattened_as_far_as_allowed() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=50, size=(500, 65)).astype(np.float32)
    noise = Answers(logits=logits, first_break=rng.uniform(0, 63, 500), sample_interval_us=1000.0, survey="line")
    assert fit_scale([noise]).temperature == pytest.approx(HIGHEST, rel=0.01)


def picked_of(none: float, scale: Scale | None = None) -> tuple[int, Scale]:
    """Return how many of 400 traces with such a logit of none are picked, at a scale or the one fitted, and which."""
    spoiled = uncertain_answers(0.5, n_traces=400)
    logits = spoiled.logits.copy()
    logits[:, -1] = np.median(logits.max(axis=1)) + none
    answers = replace(spoiled, logits=logits)
    scale = scale or fit_scale([answers])
    return int(np.isfinite(decide(answers.candidates(scale), 1000.0).pick_ms).sum()), scale


@pytest.mark.parametrize("none", [1.7, 1.9, 2.1])
def test_as_many_traces_are_picked_as_before(none: float) -> None:
    after, scale = picked_of(none)
    before, _ = picked_of(none, Scale())
    assert 0 < before < 400
    assert after == before
    assert picked_of(none, Scale(temperature=scale.temperature))[0] != before


@pytest.mark.parametrize(("none", "picked"), [(30.0, 0), (-30.0, 400)])
def test_where_all_or_none_are_picked_it_stays_so(none: float, picked: int) -> None:
    assert picked_of(none, Scale())[0] == picked
    assert picked_of(none)[0] == picked


def test_what_counts_as_a_hit_is_within_2_ms_not_samples() -> None:
    answers = uncertain_answers(1.0)
    late = replace(answers, first_break=answers.first_break + 3)
    assert fit_scale([replace(late, sample_interval_us=500.0)]).temperature == pytest.approx(1.0, rel=0.05)
    assert fit_scale([late]).temperature > 2


def test_probabilities_mean_what_they_say_at_the_right_temperature() -> None:
    spoiled = uncertain_answers(3.0)
    assert error_2ms([spoiled], Scale()) > 0.08
    assert error_2ms([spoiled], Scale(temperature=3.0)) < 0.05


def test_the_error_before_and_after_are_those_of_the_temperature_found(picker: Picker) -> None:
    answers = [uncertain_answers(3.0)]
    found = calibrate(picker, answers)
    assert found.scale == fit_scale(answers)
    assert found.error_before == error_2ms(answers, Scale())
    assert found.error == error_2ms(answers, found.scale)


def test_a_temperature_by_which_the_error_would_not_fall_is_left_out(
    picker: Picker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seisray.training.temperature.fit_scale", lambda *_: Scale(temperature=0.3))
    found = calibrate(picker, [uncertain_answers(1.0)])
    assert found.scale == Scale()
    assert found.error == found.error_before
    assert picker.none.item() == pytest.approx(0.7)


def test_a_picker_is_divided_by_the_temperature_found(picker: Picker) -> None:
    found = calibrate(picker, [uncertain_answers(3.0)])
    assert picker.none.item() == pytest.approx(0.7 / found.scale.temperature + found.scale.none)


def test_figures_that_are_none_stay_off_the_card(picker: Picker) -> None:
    assert calibrate(picker, []).metrics == {"temperature": 1.0, "none_logit": 0.0}


@torch.no_grad()
def test_a_baked_scale_changes_every_logit(picker: Picker) -> None:
    panels = torch.randn(2, 1, 8, 64, generator=torch.Generator().manual_seed(0))
    before = picker(panels)
    bake_scale(picker, Scale(temperature=2.5, none=0.5))
    assert before[..., -1].unique().numel() == 1
    expected = before / 2.5
    expected[..., -1] += 0.5
    torch.testing.assert_close(picker(panels), expected)


def test_answers_on_gathers_are_of_live_labelled_traces(picker: Picker, line_gathers: LineGathers) -> None:
    gathers = [gather.replace() for gather in line_gathers(2)]
    gathers[1].first_break_ms[5] = np.nan
    one, other = answers_on_gathers(picker, gathers, CONFIG)
    assert one.logits.shape == (11, 129)  # trace 3 is dead
    assert other.logits.shape == (10, 129)
    np.testing.assert_allclose(one.first_break, gathers[0].first_break_ms[gathers[0].labelled])


def test_answers_on_gathers_are_in_samples(picker: Picker, line_gathers: LineGathers) -> None:
    (gather,) = line_gathers(1, sample_interval_us=500.0)
    (found,) = answers_on_gathers(picker, [gather], CONFIG)
    np.testing.assert_allclose(found.first_break, 2 * gather.first_break_ms[gather.labelled], rtol=1e-6)


@pytest.mark.parametrize("asked", [answers_on_gathers, answers_on_panels])
def test_answers_know_the_survey_and_interval_of_their_gathers(
    picker: Picker, line_gathers: LineGathers, asked: Callable[..., list[Answers]]
) -> None:
    others = [one.replace(survey="other") for one in line_gathers(1, sample_interval_us=500.0)]
    found = asked(picker, [*line_gathers(2), *others], CONFIG)
    assert {(one.survey, one.sample_interval_us) for one in found} == {("line", 1000.0), ("other", 500.0)}


def test_gathers_without_a_live_label_are_no_question(picker: Picker, line_gathers: LineGathers) -> None:
    gather = line_gathers(1)[0]
    assert answers_on_gathers(picker, [gather.replace(first_break_ms=np.full(12, np.nan))], CONFIG) == []


def test_answers_on_panels_are_of_first_breaks_within_them(picker: Picker, line_gathers: LineGathers) -> None:
    found = answers_on_panels(picker, line_gathers(2), CONFIG)
    assert min(len(one.logits) for one in found) < 8  # trace 3 is dead, and so are others by chance
    first_break = np.concatenate([one.first_break for one in found])
    assert first_break.min() >= 0
    assert first_break.max() <= 63


def test_panels_without_first_breaks_are_no_question(picker: Picker, line_gathers: LineGathers) -> None:
    late = replace(CONFIG, augment=AugmentConfig(late=1.0))
    found = answers_on_panels(picker, line_gathers(2), late)
    assert 0 < len(found) < PANELS
    assert all(len(one.logits) for one in found)
