import pytest
import torch

from seisray.config import BodyConfig, GeneratorConfig, PanelConfig
from seisray.errors import ConfigError
from seisray.models.discriminator import Discriminator
from seisray.models.generator import Generator
from seisray.models.picker import Picker
from seisray.models.transfer import (
    bake_spectral_norm,
    encoder_levels,
    hold_frozen,
    load_body,
    parameter_groups,
    rescale_activations,
)
from seisray.models.unet import weighted_layers

BODY = BodyConfig(channels=(2, 3, 4, 5))
PANELS = torch.randn(6, 1, 16, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def discriminator() -> Discriminator:
    torch.manual_seed(1)
    discriminator = Discriminator(BODY, spectral_norm=True)
    discriminator(PANELS)
    return discriminator


@pytest.fixture
def picker() -> Picker:
    torch.manual_seed(2)
    return Picker(BODY)


def output_deviations(picker: Picker) -> list[float]:
    found: list[float] = []
    hooks = [
        layer.register_forward_hook(lambda _layer, _inputs, output: found.append(output.std().item()))
        for layer in weighted_layers(picker.body)
    ]
    picker.body(PANELS)
    for hook in hooks:
        hook.remove()
    return found


@torch.no_grad()
def test_baking_leaves_the_outputs_equal(discriminator: Discriminator) -> None:
    before = discriminator.eval()(PANELS)
    bake_spectral_norm(discriminator)
    for old, new in zip(before, discriminator(PANELS), strict=True):
        assert torch.equal(old, new)


@torch.no_grad()
def test_baking_in_training_takes_the_weights_as_they_are(discriminator: Discriminator) -> None:
    before = discriminator.eval()(PANELS)
    bake_spectral_norm(discriminator.train())
    assert discriminator.training
    assert torch.equal(before.panel, discriminator.eval()(PANELS).panel)


def test_baked_weights_have_plain_names(discriminator: Discriminator) -> None:
    bake_spectral_norm(discriminator)
    assert set(discriminator.state_dict()) == set(Discriminator(BODY, spectral_norm=False).state_dict())


def test_a_generator_is_baked_too() -> None:
    config, panel = (
        GeneratorConfig(latent=4, channels=(2, 2, 2, 2), spectral_norm=True),
        PanelConfig(traces=8, samples=32),
    )
    generator = Generator(config, panel)
    bake_spectral_norm(generator)
    assert not any("parametrizations" in name for name in generator.state_dict())


@torch.no_grad()
def test_the_picker_takes_over_what_the_discriminator_knows(discriminator: Discriminator, picker: Picker) -> None:
    bake_spectral_norm(discriminator)
    assert not torch.equal(picker.body(PANELS)[0], discriminator.body(PANELS)[0])
    load_body(picker, discriminator.state_dict())
    for ours, theirs in zip(picker.body(PANELS), discriminator.body(PANELS), strict=True):
        assert torch.equal(ours, theirs)


def test_a_picker_hands_on_its_head_too(picker: Picker) -> None:
    torch.manual_seed(3)
    other = Picker(BODY)
    torch.nn.init.ones_(other.none)
    assert load_body(picker, other.state_dict())
    assert torch.equal(picker(PANELS), other(PANELS))


def test_a_head_stays_behind_with_its_decoder(picker: Picker) -> None:
    torch.manual_seed(3)
    before = picker.pick_head.conv.weight.clone()
    assert not load_body(picker, Picker(BODY).state_dict(), decoder=False)
    assert torch.equal(picker.pick_head.conv.weight, before)


def test_a_decoder_can_begin_anew(discriminator: Discriminator, picker: Picker) -> None:
    before = {name: tensor.clone() for name, tensor in picker.body.state_dict().items()}
    bake_spectral_norm(discriminator)
    load_body(picker, discriminator.state_dict(), decoder=False)
    learned = discriminator.body.state_dict()
    for name, tensor in picker.body.state_dict().items():
        assert torch.equal(tensor, before[name] if name.startswith("decoder.") else learned[name])


def test_a_body_of_other_width_is_refused(picker: Picker) -> None:
    other = Discriminator(BodyConfig(channels=(2, 3, 4, 6)), spectral_norm=False)
    with pytest.raises(ConfigError, match=r"size mismatch for encoder.*use the same body\.channels"):
        load_body(picker, other.state_dict())


def test_weights_without_a_body_are_refused(picker: Picker) -> None:
    with pytest.raises(ConfigError, match=r"does not fit the picker's: Missing key.{,150}\.\.\.; use the same"):
        load_body(picker, {"head.weight": torch.zeros(1)})


def test_rescaled_layers_have_outputs_of_unit_variance(discriminator: Discriminator, picker: Picker) -> None:
    bake_spectral_norm(discriminator)
    load_body(picker, discriminator.state_dict())
    assert min(output_deviations(picker)) < 0.5  # they fade with depth
    rescale_activations(picker, PANELS)
    assert output_deviations(picker) == pytest.approx([1.0] * len(output_deviations(picker)), rel=1e-4)


def test_heads_and_decoder_learn_at_the_rate_and_the_encoder_at_its_share(picker: Picker) -> None:
    heads, encoder = parameter_groups(picker, lr=1e-2, encoder_lr=0.1, frozen=0)
    assert (heads["lr"], encoder["lr"]) == (1e-2, pytest.approx(1e-3))
    assert {id(p) for p in picker.body.encoder.parameters()} <= {id(p) for p in encoder["params"]}
    assert {id(p) for p in picker.body.decoder.parameters()} <= {id(p) for p in heads["params"]}
    assert len(heads["params"]) + len(encoder["params"]) == len(list(picker.parameters()))


@pytest.mark.parametrize(("frozen", "encoder_lr", "still"), [(0, 1.0, 0), (1, 1.0, 2), (4, 1.0, 5), (0, 0.0, 5)])
def test_frozen_levels_do_not_move(frozen: int, encoder_lr: float, still: int, picker: Picker) -> None:
    parts = [picker.body.stem, *picker.body.encoder]  # stem and four levels
    before = [[p.detach().clone() for p in part.parameters()] for part in parts]
    groups = parameter_groups(picker, lr=1e-2, encoder_lr=encoder_lr, frozen=frozen)
    optimiser = torch.optim.AdamW(groups)
    picker(PANELS).square().mean().backward()
    optimiser.step()
    moved = [
        any(not torch.equal(old, new) for old, new in zip(was, part.parameters(), strict=True))
        for was, part in zip(before, parts, strict=True)
    ]
    assert moved == [False] * still + [True] * (5 - still)


def test_each_level_learns_at_its_share_of_the_deeper_one_s_rate(picker: Picker) -> None:
    heads, *levels = parameter_groups(picker, lr=1e-2, encoder_lr=0.5, frozen=0, level_lr=0.1, apart=True)
    assert heads["lr"] == 1e-2
    assert [level["lr"] for level in levels] == pytest.approx([5e-3, 5e-4, 5e-5, 5e-6])
    for block, level in zip(reversed(picker.body.encoder), levels, strict=True):
        assert {id(p) for p in block.parameters()} <= {id(p) for p in level["params"]}
    assert {id(p) for p in picker.body.stem.parameters()} <= {id(p) for p in levels[-1]["params"]}


def test_every_parameter_is_in_one_group(picker: Picker) -> None:
    groups = parameter_groups(picker, lr=1e-2, encoder_lr=1.0, frozen=0, apart=True)
    assert sorted(id(p) for group in groups for p in group["params"]) == sorted(id(p) for p in picker.parameters())


def test_levels_that_never_learn_have_no_group(picker: Picker) -> None:
    assert len(parameter_groups(picker, lr=1e-2, encoder_lr=1.0, frozen=2, apart=True)) == 3
    assert len(parameter_groups(picker, lr=1e-2, encoder_lr=0.0, frozen=0, apart=True)) == 1


def test_without_levels_apart_the_encoder_is_one_group_in_order_of_definition(picker: Picker) -> None:
    _, encoder = parameter_groups(picker, lr=1e-2, encoder_lr=1.0, frozen=0)
    expected = [*picker.body.stem.parameters(), *picker.body.encoder.parameters()]
    assert [id(p) for p in encoder["params"]] == [id(p) for p in expected]


@pytest.mark.parametrize(("step", "thawed"), [(0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (30, 3), (39, 3), (40, 4)])
def test_levels_thaw_one_after_another_the_deepest_first(step: int, thawed: int, picker: Picker) -> None:
    picker(PANELS).square().mean().backward()
    hold_frozen(picker, step=step, thaw_steps=40)
    learns = [{p.grad is not None for p in level} for level in encoder_levels(picker)]
    assert learns == [{True}] * thawed + [{False}] * (4 - thawed)


def test_heads_and_decoder_learn_while_the_encoder_is_frozen(picker: Picker) -> None:
    picker(PANELS).square().mean().backward()
    hold_frozen(picker, step=0, thaw_steps=40)
    frozen = {id(p) for level in encoder_levels(picker) for p in level}
    assert all(p.grad is not None for p in picker.parameters() if id(p) not in frozen)


def test_what_is_frozen_still_requires_gradients(picker: Picker) -> None:
    picker(PANELS).square().mean().backward()
    hold_frozen(picker, step=0, thaw_steps=40)
    assert all(p.requires_grad for p in picker.parameters())
