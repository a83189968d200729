"""The refiner: size and times stay, a new one changes nothing, noise is the same for a seed, tiles have no seams."""

import numpy as np
import pytest
import torch
from torch import Tensor

from seisray.config import PanelConfig, RefinerConfig
from seisray.errors import ConfigError
from seisray.models.refiner import Refiner, refine_gather
from seisray.transforms import Samples, compress, trace_rms

CONFIG = RefinerConfig(channels=4, apart=(1, 2), latent=3)
PANEL = PanelConfig(traces=8, samples=64)


def by_the_loudest(samples: Samples) -> Samples:
    """Return samples as refiners see them: by the loudest stretch of the whole trace, which gives them back exactly."""
    return compress(samples, trace_rms(samples, PANEL.samples), PANEL.gain)


def panels(n: int = 2, traces: int = 8, samples: int = 64) -> Tensor:
    values = np.random.default_rng(0).normal(size=(n, traces, samples)).astype(np.float32)
    return torch.from_numpy(by_the_loudest(values))[:, None]


def trained(config: RefinerConfig = CONFIG) -> Refiner:
    """Return a refiner as training would leave it: its head says something, its noise is loud."""
    torch.manual_seed(0)
    refiner = Refiner(config, PANEL)
    with torch.no_grad():
        refiner.head.weight.normal_(std=0.1)
        for layer in refiner.layers:
            if layer.noise_gain is not None:
                layer.noise_gain.fill_(0.5)
    return refiner


@pytest.mark.parametrize(("traces", "samples"), [(8, 64), (1, 64), (5, 33), (3, 200)])
def test_a_new_refiner_changes_nothing(traces: int, samples: int) -> None:
    real = panels(2, traces, samples)
    torch.testing.assert_close(Refiner(CONFIG, PANEL)(real), real, atol=2e-4, rtol=0)


@pytest.mark.parametrize("samples", [64, 200])
def test_what_comes_out_is_normalised_as_field_panels_are(samples: int) -> None:
    refined = trained()(panels(2, 8, samples)).detach()
    assert refined.shape == (2, 1, 8, samples)
    again = by_the_loudest(np.sinh(refined.numpy()))
    np.testing.assert_allclose(again, refined.numpy(), atol=1e-3)


def test_a_trace_of_zeros_stays_zero_in_a_new_refiner() -> None:
    real = panels()
    real[:, :, 3] = 0
    assert not Refiner(CONFIG, PANEL)(real)[:, :, 3].any()


def test_times_stay() -> None:
    """A spike moves with its input, by as much, and nothing later or earlier than a layer's reach changes."""
    refiner = trained(RefinerConfig(channels=4, apart=(1, 2), latent=3, noise=False))
    quiet = torch.zeros(1, 1, 8, 200)
    found = []
    for at in (80, 90):
        spiky = quiet.clone()
        spiky[..., at] = 1
        latent, noise = torch.zeros(1, 3), torch.zeros(1, 0, 9, 200)
        with torch.no_grad():
            found.append(refiner.change(spiky, latent, noise) - refiner.change(quiet, latent, noise))
    torch.testing.assert_close(found[0][..., 40:120], found[1][..., 50:130])
    reach = 3 + 3 + 6 + 3
    assert not found[0][..., : 80 - reach].any()
    assert not found[0][..., 80 + reach + 1 :].any()
    assert found[0][..., 80 - reach : 80 + reach + 1].any()


def test_noise_differs_from_panel_to_panel_and_is_the_same_for_a_seed() -> None:
    refiner, (real, _) = trained(), panels()[:, 0]
    first, again, other = (refine_gather(refiner, real, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert "noise_gain" not in " ".join(dict(trained(RefinerConfig(channels=4, noise=False)).named_parameters()))


def test_tiles_have_no_seams() -> None:
    refiner, real = trained(), panels(1, 30, 64)[0, 0]
    torch.testing.assert_close(refine_gather(refiner, real, 1, tile=7), refine_gather(refiner, real, 1, tile=100))


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ({"channels": 1}, r"RefinerConfig\.channels is 1, expected 2\.\.1024"),
        ({"apart": ()}, r"RefinerConfig\.apart is \(\), expected 1 to 16 numbers"),
        ({"apart": (1, 0)}, r"RefinerConfig\.apart is \(1, 0\), expected numbers of 1\.\.256"),
        ({"ema": 1.0}, r"RefinerConfig\.ema is 1\.0"),
    ],
)
def test_nonsense_is_refused(setting: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        RefinerConfig(**setting)
