import pytest
import torch
from torch import nn

from seisray.config import BodyConfig, GeneratorConfig, PanelConfig
from seisray.models.discriminator import Discriminator, spread
from seisray.models.generator import Generator, StyledConv
from seisray.models.unet import held_norms, orthogonalise, spectral_normed, weighted_layers

BODY = BodyConfig(channels=(2, 3, 4, 5))
PANEL = PanelConfig(traces=8, samples=32)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_orthogonal_weights_have_equal_singular_values() -> None:
    module = nn.ModuleList([nn.Linear(6, 3), nn.Linear(3, 6), nn.Conv2d(2, 4, (3, 7))])
    orthogonalise(module)
    for layer in weighted_layers(module):
        values = torch.linalg.svdvals(layer.weight.detach().flatten(1))
        torch.testing.assert_close(values, values[:1].expand_as(values))


def test_orthogonal_layers_keep_the_variance_through_a_leaky_relu() -> None:
    for n_in, n_out in ((400, 100), (100, 400)):
        layer = nn.Sequential(nn.Linear(n_in, n_out, bias=False))
        orthogonalise(layer)
        out = nn.functional.leaky_relu(layer(torch.randn(500, n_in)), 0.2)
        assert out.square().mean().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_both_networks_can_begin_orthogonal(spectral_norm: bool) -> None:
    config = GeneratorConfig(latent=4, channels=(2, 3, 4, 5), orthogonal=True, spectral_norm=spectral_norm)
    for module in (
        Generator(config, PANEL),
        Discriminator(BODY, spectral_norm=spectral_norm, orthogonal=True),
    ):
        for layer in weighted_layers(module):
            values = torch.linalg.svdvals(layer.weight.detach().flatten(1))
            torch.testing.assert_close(values, values[:1].expand_as(values), rtol=1e-3, atol=0)


def test_held_norms_give_the_same_weights_again_and_then_go_on() -> None:
    layer = nn.Sequential(nn.Linear(8, 8))
    spectral_normed(layer)
    first = layer[0].weight.detach()
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    with held_norms(layer):
        held = layer[0].weight.detach()
        assert torch.equal(held, layer[0].weight)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    torch.testing.assert_close(held, first)
    assert not torch.equal(layer[0].weight, held)  # training: another power iteration


def test_norms_go_on_after_an_error() -> None:
    layer = nn.Sequential(nn.Linear(8, 8))
    spectral_normed(layer)
    with pytest.raises(ValueError, match="broken"), held_norms(layer):
        raise ValueError("broken")
    assert all(part.training for part in layer.modules())


def test_the_spread_of_equal_panels_is_nothing_and_grows_with_their_difference() -> None:
    alike = torch.randn(1, 3, 2, 4).expand(4, 3, 2, 4)
    assert spread(alike, 4).max() < 1e-3
    apart = alike + torch.tensor([-1.0, 1, -3, 3])[:, None, None, None]
    torch.testing.assert_close(spread(apart, 2), torch.tensor([[1.0], [1], [3], [3]]))


def test_the_spread_of_one_group_says_nothing_of_another() -> None:
    panels = torch.randn(8, 1, 8, 32)
    judge = Discriminator(BODY, spectral_norm=False, minibatch_std=4)
    changed = panels.clone()
    changed[4:] *= 3
    assert torch.equal(judge(panels).panel[:4], judge(changed).panel[:4])
    changed[3] *= 3
    assert (judge(panels).panel[:3] != judge(changed).panel[:3]).all()


def test_the_spread_of_identical_panels_has_a_finite_slope() -> None:
    panels = torch.ones(4, 3, 2, 4, requires_grad=True)
    spread(panels, 4).sum().backward()
    assert panels.grad is not None
    assert panels.grad.isfinite().all()


def test_noise_drawn_before_is_the_noise_drawn_on_the_way() -> None:
    generator = Generator(GeneratorConfig(latent=4, channels=(2, 3, 4, 5)), PANEL).eval()
    for noisy in (*(block.first for block in generator.blocks), generator.finest):
        nn.init.normal_(noisy.noise_gain)
    latent = torch.randn(2, 4)
    torch.manual_seed(1)
    inline = generator(latent)
    torch.manual_seed(1)
    assert torch.equal(generator(latent, *generator.draw_noise(2, "cpu")), inline)
    assert not torch.equal(generator(latent, *generator.draw_noise(2, "cpu")), inline)


@pytest.mark.parametrize(("kind", "alike"), [(0, False), (1, True)], ids=["each trace's own", "of all traces"])
def test_noise_is_of_each_trace_or_of_all(kind: int, alike: bool) -> None:
    layer = StyledConv(1, 1, 4, noisy=True)
    nn.init.zeros_(layer.conv.weight)
    with torch.no_grad():
        layer.noise_gain[kind] = 1.0
        rows = layer(torch.zeros(2, 1, 5, 16), torch.zeros(2, 4))[:, 0]
    assert rows.std() > 0.1
    assert torch.equal(rows, rows[:, :1].expand_as(rows)) == alike
