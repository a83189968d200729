import math

import pytest
import torch

from seisray.config import BodyConfig, GeneratorConfig, PanelConfig
from seisray.models.discriminator import Discriminator
from seisray.models.generator import Generator
from seisray.models.picker import Picker
from seisray.models.unet import Ascent, Body, Stem, TimeHead, weighted_layers

SHAPES = [(8, 32), (16, 64), (24, 96), (8, 512)]
BODY = BodyConfig(channels=(2, 3, 4, 5))


def largest_singular_value(layer: torch.nn.Module) -> float:
    return torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2).item()


@pytest.mark.parametrize(("traces", "samples"), SHAPES)
def test_the_body_gives_fine_and_deep_features(traces: int, samples: int) -> None:
    fine, deep = Body(BODY)(torch.zeros(2, 1, traces, samples))
    assert fine.shape == (2, 2, traces, samples // 4)
    assert deep.shape == (2, 5, traces // 8, samples // 32)


def test_the_stem_is_a_convolution_of_eleven_samples_that_takes_every_fourth() -> None:
    stem, panels = Stem(3), torch.randn(2, 1, 8, 96)
    torch.nn.init.normal_(stem.bias)
    plain = torch.nn.functional.conv2d(panels, stem.weight, stem.bias, stride=(1, 4), padding=(1, 5))
    torch.testing.assert_close(stem(panels), plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kernel_samples", [3, 7])
def test_the_decoder_looks_along_time_and_then_across_traces(kernel_samples: int) -> None:
    layers = list(weighted_layers(Ascent(4, 3, kernel=(3, kernel_samples))))
    assert [layer.kernel_size for layer in layers] == [(1, 1), (1, kernel_samples), (3, 1)]
    assert [layer.out_channels for layer in layers] == [3, 3, 3]


@pytest.mark.parametrize(("traces", "samples"), SHAPES)
def test_the_discriminator_judges_panels_pixels_and_repairs(traces: int, samples: int) -> None:
    said = Discriminator(BODY, spectral_norm=False)(torch.zeros(3, 1, traces, samples))
    assert (said.panel.shape, said.pixel.shape, said.repair.shape) == ((3,), (3, traces, samples), (3, traces, samples))


@pytest.mark.parametrize(("traces", "samples"), SHAPES)
def test_the_picker_has_a_class_for_each_sample_and_one_for_none(traces: int, samples: int) -> None:
    assert Picker(BODY)(torch.zeros(3, 1, traces, samples)).shape == (3, traces, samples + 1)


@pytest.mark.parametrize(("traces", "samples"), SHAPES)
@pytest.mark.parametrize("spectral_norm", [False, True])
def test_generated_panels_are_normalised_as_field_panels_are(traces: int, samples: int, spectral_norm: bool) -> None:
    config = GeneratorConfig(latent=4, channels=(2, 3, 4, 5), spectral_norm=spectral_norm)
    torch.manual_seed(0)
    panels = Generator(config, PanelConfig(traces=traces, samples=samples, gain=3.0))(torch.randn(2, 4))
    assert panels.shape == (2, 1, traces, samples)
    rms = (torch.sinh(panels) / 3.0).square().mean(dim=-1).sqrt()
    torch.testing.assert_close(rms, torch.ones_like(rms), atol=0.1, rtol=0)


def test_logits_are_not_squashed() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(BODY, spectral_norm=False)
    with torch.no_grad():
        discriminator.panel_head.weight *= 1e5
        discriminator.pixel_head.conv.weight *= 1e4
        said = discriminator(torch.randn(8, 1, 8, 32))
    assert said.panel.abs().max() > 2
    assert said.pixel.min() < 0 or said.pixel.max() > 1


def test_the_time_head_interleaves_its_channels() -> None:
    head = TimeHead(1)
    with torch.no_grad():
        head.conv.weight.zero_()
        head.conv.bias.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        np_like = head(torch.zeros(1, 1, 8, 4))[0, 0]
    assert np_like.tolist() == [1, 2, 3, 4] * 4


@pytest.mark.parametrize("kernel_samples", [3, 5, 7])
def test_the_time_head_is_a_convolution_with_four_channels(kernel_samples: int) -> None:
    head, fine = TimeHead(2, kernel_samples), torch.randn(2, 2, 8, 24)
    torch.nn.init.normal_(head.conv.bias)
    plain = head.conv(fine).permute(0, 2, 3, 1).flatten(2)
    torch.testing.assert_close(head(fine), plain, rtol=1e-5, atol=1e-5)


def test_an_impulse_stays_where_it_is() -> None:
    """Outputs change around an impulse at the input: nothing on the way is shifted or mirrored."""
    panel = torch.zeros(1, 1, 16, 128)
    panel[0, 0, 4, 40] = 5.0
    change = torch.zeros(16, 128)
    with torch.no_grad():
        for seed in range(20):
            torch.manual_seed(seed)
            picker = Picker(BODY)
            moved = (picker(panel) - picker(torch.zeros_like(panel)))[0, :, :-1] ** 2
            change += moved / moved.sum()
    trace = (change.sum(1) * torch.arange(16)).sum() / change.sum()
    sample = (change.sum(0) * torch.arange(128)).sum() / change.sum()
    assert abs(trace - 4) < 1
    assert abs(sample - 40) < 8  # two features of the finest level


def test_spectral_norm_holds_the_judges_and_leaves_the_repair() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(BODY, spectral_norm=True).train()
    for _ in range(50):  # each forward is one power iteration
        discriminator(torch.randn(1, 1, 8, 32))
    discriminator.eval()
    judging = [*weighted_layers(discriminator.body), discriminator.panel_head, discriminator.pixel_head.conv]
    assert [largest_singular_value(layer) for layer in judging] == pytest.approx([1.0] * len(judging), abs=2e-2)
    assert abs(largest_singular_value(discriminator.repair_head.conv) - 1) > 0.05


def test_equal_latents_and_seeds_give_equal_panels() -> None:
    generator = Generator(GeneratorConfig(latent=4, channels=(2, 2, 2, 2)), PanelConfig(traces=8, samples=32))
    torch.manual_seed(1)
    first = generator(torch.ones(1, 4))
    torch.manual_seed(1)
    assert torch.equal(first, generator(torch.ones(1, 4)))
    assert not torch.equal(first, generator(torch.zeros(1, 4)))


def test_an_envelope_makes_places_of_a_panel_quieter() -> None:
    torch.manual_seed(2)
    generator = Generator(GeneratorConfig(latent=4, channels=(2, 2, 2, 2)), PanelConfig(traces=8, samples=128)).eval()
    generator.requires_grad_(False)
    latent, noise = torch.randn(1, 4), generator.draw_noise(1, "cpu")
    panel = generator(latent, *noise)
    before_and_after = torch.full((1, 1, 2, 16), -50.0)  # a feature for 4 traces and 8 samples
    before_and_after[..., 8:] = 50.0
    generator.envelope.register_forward_hook(lambda *_: before_and_after)
    shaped = generator(latent, *noise)
    quieter, louder = (part.sinh().square().mean().sqrt() for part in (shaped[..., :56], shaped[..., 72:]))
    flat = panel[..., :56].sinh().square().mean().sqrt() / panel[..., 72:].sinh().square().mean().sqrt()
    assert float(quieter / louder / flat) == pytest.approx(math.exp(-6), rel=0.3)
