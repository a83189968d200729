from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from seisray.config import BodyConfig, PanelConfig, PickerConfig, TrainConfig, TransferConfig, ValidationConfig
from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.metrics.picks import PickScore, score_picks
from seisray.models.picker import Picker
from seisray.training.picker import PickerStep, learned_picker
from seisray.training.validation import Validation, hold_out, not_judged

LineGathers = Callable[..., list[Gather]]
CONFIG = PickerConfig(
    panel=PanelConfig(traces=8, samples=64),
    body=BodyConfig(channels=(2, 2, 2, 2)),
    train=TrainConfig(steps=6, batch=4, workers=1),
    transfer=TransferConfig(ema=0.9, lr=2e-2),
    validation=ValidationConfig(share=0.4, every=1, patience=2),
)


def scored(*errors_ms: float) -> PickScore:
    """Return the score of picks that are so far off, NaN = not picked."""
    return score_picks(50 + np.array(errors_ms), np.full(len(errors_ms), 50.0), sample_interval_us=1000.0)


def picker_of(value: float) -> Picker:
    picker = Picker(CONFIG.body)
    torch.nn.init.constant_(picker.none, value)
    return picker


def looked_at(*scores: PickScore, patience: int = 2) -> Validation:
    """Return a validation after looks at steps 10, 20, ...; the picker of each has its step as its threshold."""
    validation = Validation(replace(CONFIG.validation, patience=patience))
    for step, score in enumerate(scores, 1):
        validation.look(10 * step, picker_of(10.0 * step), score)
    return validation


def best_threshold(validation: Validation) -> float:
    return float(validation.state_dict()["weights"]["none"].item())


def test_the_picker_with_most_hits_is_kept() -> None:
    validation = looked_at(scored(9, 9), scored(0, 9), scored(9, 9))
    assert (validation.step, best_threshold(validation)) == (20, 20.0)


def test_of_equal_hits_the_smaller_error_counts() -> None:
    assert looked_at(scored(0, 9), scored(0, 5), scored(0, 6)).step == 20


def test_more_hits_count_more_than_a_smaller_error() -> None:
    assert looked_at(scored(2.5, 2.5), scored(0, 99)).step == 20


def test_of_equals_the_first_is_kept() -> None:
    assert looked_at(scored(0, 9), scored(0, 9)).step == 10


def test_picks_are_better_than_none_though_they_miss() -> None:
    assert looked_at(scored(np.nan, np.nan), scored(9, 9)).step == 20


def test_a_picker_that_picks_nothing_is_one_to_begin_with() -> None:
    validation = looked_at(scored(np.nan, np.nan))
    assert validation.step == 10
    assert validation.figures == {"validation_hit_rate_2ms": 0.0}


def test_the_figures_are_the_best_picker_s() -> None:
    expected = {"validation_hit_rate_2ms": 0.5, "validation_mae_ms": pytest.approx(4.5)}
    assert looked_at(scored(0, 9), scored(7, 7)).figures == expected


def test_each_survey_counts_alike_however_many_labels_it_has() -> None:
    validation = Validation(CONFIG.validation)
    figures = validation.look(1, picker_of(1.0), scored(0, 0, 0, 0), scored(8), scored(np.nan))
    assert figures == {"validation_hit_rate_2ms": pytest.approx(1 / 3), "validation_mae_ms": pytest.approx(4)}


def test_a_picker_is_scored_survey_by_survey(line_gathers: LineGathers) -> None:
    step = PickerStep(CONFIG, line_gathers(3))
    found = step.score([*line_gathers(3), *(one.replace(survey="other") for one in line_gathers(1))])
    assert [one.n_labelled for one in found] == [33, 11]


def test_what_is_kept_does_not_learn_on() -> None:
    validation, picker = Validation(CONFIG.validation), picker_of(1.0)
    validation.look(1, picker, scored(0))
    torch.nn.init.constant_(picker.none, 2.0)
    assert best_threshold(validation) == 1.0


def test_it_is_over_after_as_many_idle_looks_as_patience_allows() -> None:
    better, worse = scored(0, 9), scored(9, 9)
    assert not looked_at(better, worse).over
    assert looked_at(better, worse, worse).over


def test_a_better_picker_renews_patience() -> None:
    assert not looked_at(scored(9, 9), scored(9, 9), scored(0, 9), scored(9, 9)).over


def test_without_patience_it_is_never_over() -> None:
    assert not looked_at(*[scored(9)] * 50, patience=0).over


def test_what_goes_on_has_the_patience_that_was_left() -> None:
    validation = Validation(CONFIG.validation)
    validation.load_state_dict(looked_at(scored(0, 9), scored(9, 9)).state_dict())
    validation.look(30, picker_of(30.0), scored(9, 9))
    assert (validation.over, validation.step, best_threshold(validation)) == (True, 10, 10.0)


def trained(gathers: list[Gather], steps: int, state: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the state of a run after so many more steps with a look at each."""
    learn, held_out = hold_out(gathers, CONFIG.validation.share)
    step, validation = PickerStep(CONFIG, learn), Validation(CONFIG.validation)
    if state:
        step.load_state_dict(state)
        validation.load_state_dict(state["validation"])
    for _ in range(steps):
        step(4)
        validation.look(step.step, step.learned, *step.score(held_out))
    return step.state_dict() | {"validation": validation.state_dict()}


def test_a_resumed_run_keeps_the_picker_that_one_that_went_straight_on_keeps(line_gathers: LineGathers) -> None:
    gathers = line_gathers(5)
    straight, resumed = trained(gathers, 6), trained(gathers, 4, trained(gathers, 2))
    expected = straight["validation"].pop("weights")
    found = resumed["validation"].pop("weights")
    assert resumed["validation"] == straight["validation"]
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())


def test_looking_does_not_change_what_is_learned(line_gathers: LineGathers) -> None:
    learn, _ = hold_out(line_gathers(5), CONFIG.validation.share)
    blind = PickerStep(CONFIG, learn)
    for _ in range(3):
        blind(4)
    looked = trained(line_gathers(5), 3)
    assert all(torch.equal(tensor, looked["picker"][name]) for name, tensor in blind.picker.state_dict().items())


def test_the_best_picker_is_what_is_published(line_gathers: LineGathers) -> None:
    step = PickerStep(CONFIG, line_gathers(3))
    validation = Validation(CONFIG.validation)
    validation.look(1, picker_of(7.0), scored(0))
    step(4)
    published = learned_picker(step.state_dict() | {"validation": validation.state_dict()}, CONFIG)
    assert published.none.item() == 7.0


def test_before_the_first_look_the_last_picker_is_what_would_be_published(line_gathers: LineGathers) -> None:
    step = PickerStep(CONFIG, line_gathers(3))
    step(4)
    state = step.state_dict() | {"validation": Validation(CONFIG.validation).state_dict()}
    assert learned_picker(state, CONFIG).none.item() == step.learned.none.item()


def test_the_last_gathers_by_ffid_are_held_out(line_gathers: LineGathers) -> None:
    learn, held_out = hold_out(line_gathers(5)[::-1], 0.4)
    assert [g.ffid for g in held_out] == [105, 104]
    assert [g.ffid for g in learn] == [103, 102, 101]


def test_each_survey_gives_its_share(line_gathers: LineGathers) -> None:
    other = [gather.replace(survey="other") for gather in line_gathers(10, first_ffid=1)]
    _, held_out = hold_out([*line_gathers(5), *other], 0.2)
    assert [(g.survey, g.ffid) for g in held_out] == [("line", 105), ("other", 9), ("other", 10)]


def test_a_survey_of_one_gather_is_learned_from(line_gathers: LineGathers) -> None:
    single = [line_gathers(1)[0].replace(survey="single")]
    learn, held_out = hold_out([*single, *line_gathers(4)], 0.9)
    assert [(g.survey, g.ffid) for g in learn] == [("single", 101), ("line", 101)]
    assert len(held_out) == 3


def test_nothing_is_held_out_unless_asked_for(line_gathers: LineGathers) -> None:
    learn, held_out = hold_out(line_gathers(3), 0.0)
    assert (len(learn), held_out) == (3, [])


@pytest.mark.parametrize(("n", "share"), [(1, 0.5), (3, 0.1)])
def test_a_share_that_leaves_none_to_validate_by_is_refused(n: int, share: float, line_gathers: LineGathers) -> None:
    with pytest.raises(ConfigError, match=rf"validation.share {share} of {n} labelled gathers leaves none"):
        hold_out(line_gathers(n), share)


def test_a_survey_too_small_to_be_judged_by_is_named(line_gathers: LineGathers) -> None:
    few = [gather.replace(survey="few") for gather in line_gathers(2)]
    gathers = [*few, *line_gathers(5)]
    learn, held_out = hold_out(gathers, 0.2)
    assert len(learn) == 6
    (said,) = not_judged(gathers, held_out)
    assert said.startswith("few: of 2 labelled gathers none is held out, so that the picker is judged by line alone")
    assert not_judged(line_gathers(5), hold_out(line_gathers(5), 0.2)[1]) == []
    assert not_judged(gathers, []) == []
