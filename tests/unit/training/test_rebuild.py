"""The rivals of the GAN: what they learn, and that a run of them goes on exactly."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ranks import run_two_ranks
from torch import Tensor

from seisray.config import (
    AdversaryConfig,
    AutoencoderConfig,
    BodyConfig,
    GanConfig,
    InpaintConfig,
    MaskedConfig,
    PanelConfig,
    RebuildTrainConfig,
    TrainConfig,
)
from seisray.errors import ConfigError
from seisray.models.autoencoder import Autoencoder, Repairer
from seisray.models.discriminator import Discriminator
from seisray.models.picker import Picker
from seisray.models.transfer import load_body
from seisray.training.inpaint import InpaintStep
from seisray.training.rebuild import RebuildStep
from seisray.training.ways import WAYS, Step

TINY = {
    "panel": PanelConfig(traces=8, samples=64),
    "body": BodyConfig(channels=(8, 8, 8, 16)),
    "train": RebuildTrainConfig(steps=60, batch=4),
}
MASKED = MaskedConfig(**TINY)
SQUEEZED = AutoencoderConfig(latent=8, **TINY)
INPAINT = InpaintConfig(lr=2e-3, **TINY)
ALL = pytest.mark.parametrize(
    ("kind", "config"),
    [("masked", MASKED), ("autoencoder", SQUEEZED), ("inpaint", INPAINT)],
    ids=["masked", "autoencoder", "inpaint"],
)


def panels(n: int = 4, seed: int = 0) -> Tensor:
    """Return panels with an event that moves out, (n, 8, 64)."""
    rng = np.random.default_rng(seed)
    time, trace = np.arange(64), np.arange(8)[:, None]
    shapes = [np.exp(-(((time - rng.uniform(10, 40) - rng.uniform(0, 2) * trace) / 4) ** 2)) for _ in range(n)]
    return torch.from_numpy(np.stack(shapes).astype(np.float32))


@ALL
def test_it_learns_what_it_is_shown(kind: str, config: MaskedConfig) -> None:
    step = WAYS[kind].step(config)
    real = panels(8)
    before = step.rebuild(real.numpy())[2]
    for _ in range(60):
        step(real)
    assert step.rebuild(real.numpy())[2] < 0.6 * before


@pytest.mark.parametrize("config", [MASKED, SQUEEZED], ids=["masked", "autoencoder"])
def test_micro_batches_add_up_to_the_batch(config: MaskedConfig) -> None:
    config = replace(config, train=replace(config.train, precision="fp32"))  # bf16 rounds each part by itself
    whole, parted = RebuildStep(config), RebuildStep(replace(config, accumulate=3))
    for seed in range(3):
        figures, same = (step(panels(5, seed=seed)) for step in (whole, parted))
        assert {name: one.item() for name, one in same.items()} == pytest.approx(
            {name: one.item() for name, one in figures.items()}, rel=1e-3
        )


def test_the_body_of_a_gan_learns_in_its_micro_batches() -> None:
    game = GanConfig(adversary=AdversaryConfig(accumulate=2, minibatch_std=2), train=TrainConfig(batch=8, workers=1))
    assert game.repairing().accumulate == 2
    with pytest.raises(ConfigError, match="whole"):
        replace(INPAINT, accumulate=2)


def run(step: Step, steps: range) -> list[float]:
    return [figure.item() for i in steps for figure in step(panels(seed=i)).values()]


@ALL
def test_a_run_in_two_halves_is_the_run(kind: str, config: MaskedConfig) -> None:
    whole, first, second = (WAYS[kind].step(config) for _ in range(3))
    straight, halves = run(whole, range(4)), run(first, range(2))
    second.load_state_dict(first.state_dict())
    assert halves + run(second, range(2, 4)) == straight


@ALL
def test_a_run_that_turns_aside_has_lower_rates(kind: str, config: MaskedConfig) -> None:
    step = WAYS[kind].step(config)
    run(step, range(2))
    before = copy.deepcopy(step.state_dict())
    step.turn_aside(1, 0.5)
    after = step.state_dict()
    assert after["salt"] == 1
    for name in {"optimiser", "opt_g", "opt_d"} & after.keys():
        rates = [[group["lr"] for group in one[name]["param_groups"]] for one in (before, after)]
        assert rates[1] == pytest.approx([rate / 2 for rate in rates[0]])


@pytest.mark.parametrize(("kind", "config"), [("masked", MASKED), ("inpaint", INPAINT)], ids=["masked", "inpaint"])
def test_a_run_that_turns_aside_draws_other_random_numbers(kind: str, config: MaskedConfig) -> None:
    step, other = WAYS[kind].step(config), WAYS[kind].step(config)
    other.turn_aside(1, 1.0)
    assert run(step, range(1)) != run(other, range(1))


def test_panels_of_which_nothing_or_all_is_hidden_break_nothing() -> None:
    for hidden in (False, True):
        step = InpaintStep(INPAINT)
        step._mask = lambda whole, hidden=hidden: torch.full_like(whole, hidden, dtype=torch.bool)
        assert all(torch.isfinite(figure) for figure in step(panels()).values())


def test_a_repairer_keeps_what_it_saw() -> None:
    real = panels(6).numpy() + 1
    shown, rebuilt, error = RebuildStep(MASKED).rebuild(real)
    hidden = shown == 0
    assert 0 < hidden.mean() < 1
    np.testing.assert_array_equal(rebuilt[~hidden], real[~hidden])
    assert error == pytest.approx(np.abs(rebuilt - real)[hidden].mean(), rel=1e-5)


def test_nothing_passes_the_bottleneck_by() -> None:
    network = Autoencoder(SQUEEZED)
    real = panels(2)[:, None]
    assert network.encode(real).shape == (2, 8)
    assert not torch.equal(*network(real))
    torch.nn.init.zeros_(network.squeeze.weight)
    assert torch.equal(*network(real))


@pytest.mark.parametrize(
    "network", [RebuildStep(MASKED).network, RebuildStep(SQUEEZED).network, InpaintStep(INPAINT).detector]
)
def test_its_body_becomes_a_picker(network: Autoencoder | Repairer | Discriminator) -> None:
    picker = Picker(BodyConfig(channels=(8, 8, 8, 16)))
    load_body(picker, network.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(picker.body.parameters(), network.body.parameters(), strict=True))


def test_a_detector_learns_to_find_the_repairs_of_one_that_does_not_learn() -> None:
    step = InpaintStep(INPAINT)
    for group in step.opt_g.param_groups:
        group["lr"] = 0.0
    figures = [step(panels(8, seed=i))["d_accuracy"].item() for i in range(50)]
    assert np.mean(figures[-5:]) > 0.7
    assert np.mean(figures[:3]) < 0.6


def test_what_hides_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"MaskedConfig\.hidden_traces is 0"):
        MaskedConfig(hidden_traces=0)


TWO_RANKS = """
from test_rebuild import INPAINT, MASKED, SQUEEZED, panels
from seisray.training.ways import WAYS
for kind, config in dict(masked=MASKED, autoencoder=SQUEEZED, inpaint=INPAINT).items():
    step = WAYS[kind].step(config, rank=rank, wrap=DistributedDataParallel)
    networks = [getattr(step, part) for part in step.parts if isinstance(getattr(step, part), torch.nn.Module)]
    before = [torch.cat([p.detach().flatten() for p in network.parameters()]) for network in networks]
    for i in range(3):
        step(panels(seed=2 * i + rank))
    for start, network in zip(before, networks):
        assert not torch.equal(start, torch.cat([p.detach().flatten() for p in network.parameters()])), kind
    moments = [part for optimiser in step.parts if optimiser.startswith("opt")
               for state in getattr(step, optimiser).state.values() for part in state.values()]
    agree(kind, [*(value for network in networks for value in network.state_dict().values()), *moments])
"""


def test_two_workers_under_ddp_keep_equal_networks_and_equal_optimisers(tmp_path: Path) -> None:
    run_two_ranks(TWO_RANKS, Path(__file__).parent, tmp_path / "meet")
