import pytest
import torch

from seisray.config import BodyConfig
from seisray.models.projected import ProjectedDiscriminator, loudness, spectrum
from seisray.models.unet import Body

CONFIG = BodyConfig(channels=(2, 3, 4, 5))
PATCHES = 5 * (2 * 2) + 2 * (2 * 4)  # of the encoder's levels and of loudness; of the panels and of their spectrum


def judge(**settings: int) -> ProjectedDiscriminator:
    torch.manual_seed(0)
    return ProjectedDiscriminator(Body(CONFIG), CONFIG, spectral_norm=True, **settings)


@pytest.mark.parametrize("minibatch_std", [0, 2])
def test_each_head_judges_each_patch(minibatch_std: int) -> None:
    said = judge(minibatch_std=minibatch_std)(torch.randn(4, 1, 16, 64))
    assert said.panel.shape == (4, PATCHES)
    assert said.pixel.shape == (4, 16, 64)
    assert said.repair.numel() == 0


def test_only_heads_learn() -> None:
    learns = {name.split(".")[0] for name, parameter in judge().named_parameters() if parameter.requires_grad}
    assert learns == {"heads", "raw_head", "spectrum_head", "loudness_head", "pixel_head"}
    assert not any(parameter.requires_grad for head in judge().heads for parameter in head.mix.parameters())


def test_heads_can_begin_orthogonal_and_the_body_stays_as_it_is() -> None:
    torch.manual_seed(0)
    body = Body(CONFIG)
    before = body.encoder[-1][0].weight.clone()
    network = ProjectedDiscriminator(body, CONFIG, spectral_norm=False, orthogonal=True)
    weight = network.heads[-1].judge[0].weight.flatten(1)
    values = torch.linalg.svdvals(weight)
    torch.testing.assert_close(values, values.mean().expand_as(values))
    torch.testing.assert_close(network.body.encoder[-1][0].weight, before)


def test_the_slope_of_panels_goes_through_the_body() -> None:
    panels = torch.randn(2, 1, 8, 32, requires_grad=True)
    network = judge()
    deepest = network.heads[-1](network.body.encode(panels)[-1])
    (slope,) = torch.autograd.grad(deepest.sum(), panels)
    assert slope.abs().sum() > 0


def test_panels_without_a_graph_cost_none_in_the_body() -> None:
    network = judge()
    seen = []
    network.heads[0].register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].requires_grad))
    network(torch.randn(2, 1, 8, 32))
    assert seen == [False]


def test_a_head_convolves_a_mixture_of_channels() -> None:
    network = judge().eval()
    for head, n_in in ((network.raw_head, 1), (network.heads[0], CONFIG.channels[0])):
        x = torch.randn(2, n_in, 8, 32)
        torch.testing.assert_close(head(x), head.judge(head.mix(x)).flatten(1))


def test_panels_that_are_all_alike_are_told_by_their_spread() -> None:
    network = judge(minibatch_std=4).eval()
    alike = torch.randn(1, 1, 8, 32).expand(4, -1, -1, -1)
    among_others = torch.cat([alike[:1], torch.randn(3, 1, 8, 32)])
    assert not torch.allclose(network(alike).panel[0], network(among_others).panel[0])


def test_a_plane_wave_is_one_point_of_the_spectrum() -> None:
    trace, sample = torch.arange(16)[:, None] / 16, torch.arange(32) / 32
    level, wavenumber, frequency = spectrum(torch.cos(2 * torch.pi * (3 * trace + 5 * sample))[None, None])[0]
    assert level.shape == (16, 16)
    assert divmod(int(level.argmax()), 16) == (16 // 2 + 3, 5)
    assert (level > level.max() - 1).sum() == 1
    assert wavenumber[0, 0] == frequency[0, 0] == -1
    assert wavenumber[-1, 0] == frequency[0, -1] == 1


def test_loudness_is_the_logarithm_of_the_rms_of_eight_samples() -> None:
    panel = torch.ones(1, 1, 8, 32)
    panel[..., 8:16] = 10 * (-1.0) ** torch.arange(8)
    panel[..., 16:] = 0
    expected = torch.tensor([0.0, 1.0, -1.5, -1.5]).expand(1, 1, 8, 4)  # silence is not endless
    torch.testing.assert_close(loudness(panel), expected, atol=1e-3, rtol=0)


def test_the_spectrum_of_silence_has_a_slope() -> None:
    silence = torch.zeros(1, 1, 8, 32, requires_grad=True)
    spectrum(silence)[:, 0].sum().backward()
    assert silence.grad is not None
    assert silence.grad.isfinite().all()
