from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ranks import run_two_ranks

from seisray.config import (
    AlignConfig,
    AugmentConfig,
    BodyConfig,
    PanelConfig,
    PickerConfig,
    TrainConfig,
    TransferConfig,
)
from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.models.discriminator import Discriminator
from seisray.models.transfer import encoder_levels
from seisray.training.picker import PickerStep, choose_gathers, learned_picker, parse_ffids

LineGathers = Callable[..., list[Gather]]
CONFIG = PickerConfig(
    panel=PanelConfig(traces=8, samples=64),
    body=BodyConfig(channels=(2, 2, 2, 2)),
    train=TrainConfig(steps=6, batch=4, workers=1, precision="fp32"),
)


@pytest.fixture(scope="module")
def gathers(line_gathers: LineGathers) -> list[Gather]:
    return line_gathers(3)


@pytest.fixture(scope="module")
def learned() -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    return Discriminator(CONFIG.body, spectral_norm=False).state_dict()


def run(step: PickerStep, n: int) -> list[dict[str, float]]:
    return [{name: value.item() for name, value in step(4).items()} for _ in range(n)]


def test_the_same_seed_gives_the_same_losses(gathers: list[Gather]) -> None:
    assert run(PickerStep(CONFIG, gathers), 4) == run(PickerStep(CONFIG, gathers), 4)


def test_the_losses_of_a_seed_stay_what_they_were(gathers: list[Gather]) -> None:
    config = replace(CONFIG, augment=AugmentConfig(moveout=0, statics=0))
    losses = [step["loss"] for step in run(PickerStep(config, gathers), 4)]
    assert losses == pytest.approx([5.105797, 4.751453, 5.086578, 4.459074], rel=1e-5)


@pytest.mark.parametrize("kind", ["recorded", "later_shot"])
def test_another_labelled_gather_disturbs_the_one_that_is_learned_from(kind: str, gathers: list[Gather]) -> None:
    config = replace(CONFIG, augment=replace(CONFIG.augment, **{kind: 1}))
    assert run(PickerStep(config, gathers), 2) != run(PickerStep(CONFIG, gathers), 2)
    assert run(PickerStep(config, gathers[:1]), 2) == run(PickerStep(CONFIG, gathers[:1]), 2)  # never itself


def test_another_seed_gives_other_losses(gathers: list[Gather]) -> None:
    other = replace(CONFIG, train=replace(CONFIG.train, seed=1))
    assert run(PickerStep(other, gathers), 1) != run(PickerStep(CONFIG, gathers), 1)


def test_ranks_draw_different_panels(gathers: list[Gather]) -> None:
    assert run(PickerStep(CONFIG, gathers, rank=1), 1) != run(PickerStep(CONFIG, gathers), 1)


@pytest.mark.parametrize(
    "transfer",
    [
        TransferConfig(),
        TransferConfig(frozen=2),
        TransferConfig(encoder_lr=0),
        TransferConfig(ema=0.9),
        TransferConfig(thaw=0.8),
        TransferConfig(level_lr=0.5),
        TransferConfig(thaw=0.5, level_lr=0.5, frozen=1, ema=0.9),
    ],
)
@pytest.mark.parametrize("from_learned", [False, True])
def test_a_resumed_run_has_the_losses_of_one_that_went_straight_on(
    from_learned: bool, transfer: TransferConfig, gathers: list[Gather], learned: dict[str, torch.Tensor]
) -> None:
    config, body = replace(CONFIG, transfer=transfer), learned if from_learned else None
    straight = run(PickerStep(config, gathers, body=body), 6)
    first = PickerStep(config, gathers, body=body)
    losses = run(first, 2)
    resumed = PickerStep(config, gathers, body=body)
    resumed.load_state_dict(first.state_dict())
    assert losses + run(resumed, 4) == straight


def test_an_aligned_run_that_was_resumed_has_the_losses_of_one_that_went_straight_on(gathers: list[Gather]) -> None:
    config = replace(CONFIG, align=AlignConfig(weight=0.3))
    straight = run(PickerStep(config, gathers[:2], unlabelled=gathers[2:]), 6)
    first, resumed = (PickerStep(config, gathers[:2], unlabelled=gathers[2:]) for _ in range(2))
    losses = run(first, 2)
    resumed.load_state_dict(first.state_dict())
    assert losses + run(resumed, 4) == straight
    assert {"loss", "domain"} < set(losses[0])


def test_the_weight_of_the_alignment_turns_the_encoder(gathers: list[Gather]) -> None:
    steps = [
        PickerStep(replace(CONFIG, align=AlignConfig(weight=weight)), gathers[:2], unlabelled=gathers[2:])
        for weight in (0.1, 5.0)
    ]
    first = [run(step, 1)[0] for step in steps]
    assert first[0] == first[1]  # the reversed gradient begins at nothing
    second = [run(step, 1)[0] for step in steps]
    assert second[0]["loss"] == second[1]["loss"]  # of the same weights; only then do they part
    heads = [step.picker.pick_head.conv.weight.grad.flatten() for step in steps]
    stems = [step.picker.body.stem[0].weight.grad.flatten() for step in steps]
    assert torch.cosine_similarity(*heads, dim=0) > 1 - 1e-5  # but for the clipping of all together
    assert torch.cosine_similarity(*stems, dim=0) < 0.99


def test_panels_of_the_field_are_never_of_noise_alone(gathers: list[Gather]) -> None:
    configs = (replace(CONFIG, align=AlignConfig(weight=0.3), augment=replace(CONFIG.augment, empty=e)) for e in (0, 1))
    none, every = (PickerStep(config, gathers, unlabelled=gathers) for config in configs)
    assert torch.equal(every._field_batch(4), none._field_batch(4))
    assert (every._batch(4, rank=0)[1] == -1).all()  # those with labels are


def test_ranks_draw_different_field_panels(gathers: list[Gather]) -> None:
    config = replace(CONFIG, align=AlignConfig(weight=0.3))
    first, other = (PickerStep(config, gathers, unlabelled=gathers, rank=rank)._field_batch(2) for rank in (0, 1))
    assert not torch.equal(first, other)


def test_surveys_weigh_alike_however_many_gathers_they_have(line_gathers: LineGathers) -> None:
    rare, *common = line_gathers(9)
    silent = [one.replace(survey="common", samples=0 * one.samples) for one in common]
    panels, _, _ = PickerStep(CONFIG, [rare.replace(survey="rare"), *silent])._batch(400, rank=0)
    assert 0.4 < panels.flatten(1).any(dim=1).float().mean() < 0.6


def test_it_starts_from_learned_weights(gathers: list[Gather], learned: dict[str, torch.Tensor]) -> None:
    config = replace(CONFIG, transfer=TransferConfig(rescale=False))
    picker = PickerStep(config, gathers, body=learned).picker
    assert all(torch.equal(tensor, learned[f"body.{name}"]) for name, tensor in picker.body.state_dict().items())


def test_the_average_of_the_weights_is_what_is_published(gathers: list[Gather]) -> None:
    config = replace(CONFIG, transfer=TransferConfig(ema=0.5))
    step = PickerStep(config, gathers)
    expected = step.picker.none.item()
    for n in range(1, 5):
        run(step, 1)
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * step.picker.none.item()
    assert step.learned.none.item() == pytest.approx(expected, abs=1e-7)
    assert step.learned.none.item() != step.picker.none.item()
    published = learned_picker(step.state_dict(), config).state_dict()
    assert all(torch.equal(tensor, published[name]) for name, tensor in step.learned.state_dict().items())


def test_an_average_that_goes_on_is_that_of_a_run_that_went_straight_on(gathers: list[Gather]) -> None:
    config = replace(CONFIG, transfer=TransferConfig(ema=0.9))
    straight, first, resumed = (PickerStep(config, gathers) for _ in range(3))
    run(straight, 6)
    run(first, 2)
    resumed.load_state_dict(first.state_dict())
    run(resumed, 4)
    expected = straight.learned.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.learned.state_dict().items())


def test_averaging_does_not_change_what_is_learned(gathers: list[Gather]) -> None:
    averaged = replace(CONFIG, transfer=TransferConfig(ema=0.9))
    assert run(PickerStep(averaged, gathers), 4) == run(PickerStep(CONFIG, gathers), 4)


def test_levels_that_are_frozen_stay_as_they_were_learned(
    gathers: list[Gather], learned: dict[str, torch.Tensor]
) -> None:
    step = PickerStep(replace(CONFIG, transfer=TransferConfig(thaw=1.0)), gathers, body=learned)
    before = [[p.detach().clone() for p in level] for level in encoder_levels(step.picker)]
    moved = []
    for _ in range(6):  # levels thaw after 1.5, 3, 4.5 and 6 of them
        run(step, 1)
        levels = zip(before, encoder_levels(step.picker), strict=True)
        moved.append(sum(any(not torch.equal(*pair) for pair in zip(*level, strict=True)) for level in levels))
    assert moved == [0, 0, 1, 2, 2, 3]


def test_what_is_frozen_does_not_count_in_the_norm_by_which_gradients_are_clipped(
    gathers: list[Gather], learned: dict[str, torch.Tensor]
) -> None:
    step = PickerStep(replace(CONFIG, transfer=TransferConfig(thaw=1.0)), gathers, body=learned)
    (first,) = run(step, 1)
    (free,) = run(PickerStep(CONFIG, gathers, body=learned), 1)
    assert first["loss"] == free["loss"]
    assert first["gradient_norm"] < free["gradient_norm"]


@pytest.mark.parametrize("transfer", [TransferConfig(thaw=0.5), TransferConfig(level_lr=0.5)])
def test_from_scratch_nothing_is_frozen_or_slower(transfer: TransferConfig, gathers: list[Gather]) -> None:
    careful = PickerStep(replace(CONFIG, transfer=transfer), gathers)
    assert run(careful, 4) == run(PickerStep(CONFIG, gathers), 4)


def test_levels_are_groups_of_their_own_only_where_they_learn_apart(
    gathers: list[Gather], learned: dict[str, torch.Tensor]
) -> None:
    def groups(transfer: TransferConfig) -> int:
        return len(PickerStep(replace(CONFIG, transfer=transfer), gathers, body=learned).optimiser.param_groups)

    assert groups(TransferConfig()) == 2
    assert groups(TransferConfig(thaw=0.5)) == groups(TransferConfig(level_lr=0.5)) == 5


TWO_RANKS = """
from dataclasses import replace
from conftest import _line_gathers
from test_picker_step import CONFIG
from seisray.config import TransferConfig
from seisray.models.discriminator import Discriminator
from seisray.training.picker import PickerStep

torch.manual_seed(5)
learned = Discriminator(CONFIG.body, spectral_norm=False).state_dict()
config = replace(CONFIG, transfer=TransferConfig(thaw=1.0, level_lr=0.5))
step = PickerStep(config, _line_gathers(3), body=learned, rank=rank, wrap=DistributedDataParallel)
for _ in range(6):
    step(2)
agree("picker", list(step.picker.parameters()))
"""


def test_two_workers_stay_alike_while_levels_thaw(tmp_path: Path) -> None:
    run_two_ranks(TWO_RANKS, Path(__file__).parent, tmp_path / "meet")


def test_two_workers_stay_alike_while_features_are_aligned(tmp_path: Path) -> None:
    aligned = TWO_RANKS.replace("transfer=TransferConfig(thaw=1.0, level_lr=0.5)", "align=AlignConfig(weight=0.5)")
    aligned = aligned.replace("import TransferConfig", "import AlignConfig").replace(
        "body=learned,", "unlabelled=_line_gathers(2, seed=1),"
    )
    assert aligned.count("AlignConfig") == 2
    both = 'agree("judge", list(step.judge.parameters()))\n'
    run_two_ranks(aligned + both, Path(__file__).parent, tmp_path / "meet")


def test_it_learns_to_pick_a_clear_first_arrival(line_gathers: LineGathers) -> None:
    gathers = line_gathers(3, n_traces=16)
    config = PickerConfig(
        panel=PanelConfig(traces=16, samples=128),
        body=BodyConfig(channels=(4, 4, 6, 8)),
        train=TrainConfig(steps=120, batch=8, workers=1),
        transfer=TransferConfig(lr=2e-2),
    )
    step = PickerStep(config, gathers)
    (before,) = step.score(gathers)
    for _ in range(120):
        step(8)
    (after,) = step.score(gathers)
    assert after.hit_rate_4ms > max(0.8, before.hit_rate_4ms + 0.4)


def test_gathers_are_chosen_evenly_over_the_ffids(line_gathers: LineGathers) -> None:
    many = line_gathers(9)[::-1]
    assert [g.ffid for g in choose_gathers(many, 3)] == [101, 105, 109]
    assert [g.ffid for g in choose_gathers(many, 1)] == [101]
    for n in range(1, 10):
        assert len({g.ffid for g in choose_gathers(many, n)}) == n


@pytest.mark.parametrize("labelled", [0, 4, -1])
def test_more_labelled_gathers_than_there_are_cannot_be_chosen(labelled: int, gathers: list[Gather]) -> None:
    with pytest.raises(ConfigError, match=rf"--labelled {labelled}: there are 1\.\.3 gathers"):
        choose_gathers(gathers, labelled)


def test_ffids_are_numbers_and_ranges() -> None:
    assert parse_ffids("1001-1003, 7,9-9") == [1001, 1002, 1003, 7, 9]


@pytest.mark.parametrize("text", ["", "a", "5-", "-5", "7-3", "1,,2", "1-2-3"])
def test_ffids_that_name_nothing_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected numbers and ranges"):
        parse_ffids(text)
