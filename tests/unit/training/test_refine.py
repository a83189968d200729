"""The refiner's step: what it learns, what it keeps, and that a run of it goes on exactly."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ranks import run_two_ranks
from torch import Tensor

from seisray.config import (
    BodyConfig,
    KeepConfig,
    RefineConfig,
    RefinerConfig,
)
from seisray.config.refine import RefineAdversaryConfig, RefinePanelConfig, RefineTrainConfig
from seisray.errors import ConfigError
from seisray.training.history import History
from seisray.training.refine import RefineStep
from seisray.transforms import normalise

CONFIG = RefineConfig(
    panel=RefinePanelConfig(traces=8, samples=64),
    body=BodyConfig(channels=(4, 4, 4, 8)),
    refiner=RefinerConfig(channels=4, apart=(1, 2), latent=3),
    adversary=RefineAdversaryConfig(feature_share=0.05),
    keep=KeepConfig(window=8, stack=4, history=8),
    train=RefineTrainConfig(steps=20, batch=4, workers=1, precision="fp32"),
)
UNET = RefineAdversaryConfig(judge="unet", loss="bce", augment=0.3)
OFF = KeepConfig(likeness=0, onset=0, rise=0, history=0, window=8, stack=4)
WAYS = {
    "default": CONFIG,
    "unet": replace(CONFIG, adversary=UNET),
    "cycle": replace(CONFIG, keep=replace(CONFIG.keep, cycle=1.0)),
    "nothing kept": replace(CONFIG, keep=OFF),
    "micro-batches": replace(CONFIG, adversary=RefineAdversaryConfig(accumulate=2, feature_share=0.05)),
}


def pair(n: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return noisy field panels, and quiet synthetic ones with their first breaks: (n, 8, 64) and (n, 8, 65)."""
    rng = np.random.default_rng(seed)
    first_break = rng.uniform(15, 30, size=(n, 1)) + 2 * np.arange(8)
    after = np.arange(64) - first_break[..., None]
    clean = np.sin(np.clip(after, 0, None)) * np.exp(-np.clip(after, 0, None) / 10)
    field = normalise((clean + 0.3 * rng.normal(size=clean.shape)).astype(np.float32), 10.0)
    synthetic = np.concatenate([normalise(clean.astype(np.float32), 10.0), first_break[..., None]], axis=2)
    return torch.from_numpy(field), torch.from_numpy(synthetic.astype(np.float32))


def run(step: RefineStep, steps: range) -> list[dict[str, float]]:
    return [{name: one.item() for name, one in step(*pair(seed=i)).items()} for i in steps]


@pytest.mark.parametrize("config", WAYS.values(), ids=WAYS)
def test_a_run_in_two_halves_is_the_run(config: RefineConfig) -> None:
    whole, first, second = (RefineStep(config) for _ in range(3))
    straight, halves = run(whole, range(6)), run(first, range(3))
    second.load_state_dict(first.state_dict())
    assert halves + run(second, range(3, 6)) == straight


def test_figures_are_of_the_parts_in_use() -> None:
    def figures(config: RefineConfig) -> set[str]:
        return set(run(RefineStep(config), range(3))[-1])

    parts = {"likeness", "onset", "rise", "cycle"}
    assert figures(CONFIG) & parts == {"likeness", "onset", "rise"}
    assert parts <= figures(WAYS["cycle"])
    assert not figures(WAYS["nothing kept"]) & parts


def test_an_untrained_refiner_changes_nothing() -> None:
    _, synthetic = pair()
    panels = synthetic[..., :-1].contiguous().numpy()
    np.testing.assert_allclose(RefineStep(CONFIG).refined(panels), panels, atol=2e-4)


def test_it_learns_to_add_the_noise_of_the_field() -> None:
    adversary = RefineAdversaryConfig(judge="unet", loss="bce", d_lr=3e-3, minibatch_std=0, reconstruction_weight=0)
    refiner = RefinerConfig(channels=4, apart=(1, 2), latent=3, ema=0.9)
    step = RefineStep(
        replace(CONFIG, adversary=adversary, refiner=refiner, train=replace(CONFIG.train, steps=150), keep=OFF)
    )
    field, synthetic = pair(16, seed=99)
    quiet = synthetic[..., :-1].contiguous().numpy()
    for i in range(150):
        step(*pair(8, seed=i))

    def before_the_breaks(panels: np.ndarray) -> float:
        return float(np.abs(panels[:, :, :10]).mean())

    assert before_the_breaks(quiet) < 1e-3
    assert before_the_breaks(step.refined(quiet)) > 0.3 * before_the_breaks(field.numpy())


def test_what_is_kept_outweighs_a_game_that_is_lost() -> None:
    """With the weights of what is kept turned up the refiner stays near its input, without them it does not."""

    def change(keep: KeepConfig) -> float:
        adversary = replace(UNET, d_lr=3e-3, minibatch_std=0, augment=0.0)
        step = RefineStep(replace(CONFIG, adversary=adversary, keep=keep, refiner=replace(CONFIG.refiner, ema=0.0)))
        for i in range(20):
            step(*pair(4, seed=i))
        quiet = pair(4, seed=50)[1][..., :-1].contiguous().numpy()
        return float(np.abs(step.refined(quiet) - quiet).mean())

    assert change(replace(OFF, likeness=1000)) < 0.5 * change(OFF)


def test_history_keeps_no_more_than_its_size_and_shows_earlier_panels() -> None:
    history, coins = History(6), random.Random(0)
    batches = [torch.full((4, 1, 2, 2), float(i)) for i in range(6)]
    shown = [history.mix(batch, coins) for batch in batches]
    assert torch.equal(shown[0], batches[0])
    assert all(torch.equal(one[:2], batch[:2]) for one, batch in zip(shown, batches, strict=True))
    assert all((one[2:] < i).all() for i, one in enumerate(shown) if i)
    assert len(history.panels) == 6


def test_the_stack_fits_into_a_panel() -> None:
    with pytest.raises(ConfigError, match=r"KeepConfig\.stack is 9, expected at most panel\.traces = 8"):
        replace(CONFIG, keep=KeepConfig(stack=9))


@pytest.mark.parametrize("setting", [{"onset": -1.0}, {"window": 1}, {"history": -1}, {"cycle": 1e6}])
def test_nonsense_is_refused(setting: dict[str, float]) -> None:
    (name,) = setting
    with pytest.raises(ConfigError, match=rf"KeepConfig\.{name} is "):
        KeepConfig(**setting)


TWO_RANKS = """
from test_refine import WAYS, RefineStep, pair
for name in ("default", "cycle"):
    step = RefineStep(WAYS[name], rank=rank, wrap=DistributedDataParallel)
    before = torch.cat([p.detach().flatten() for p in step.generator.parameters()])
    for i in range(4):
        step(*pair(seed=2 * i + rank))
    assert not torch.equal(before, torch.cat([p.detach().flatten() for p in step.generator.parameters()]))
    networks = [getattr(step, part) for part in step.parts if isinstance(getattr(step, part), torch.nn.Module)]
    agree(name, [value for network in networks for value in network.state_dict().values()])
    agree("earlier panels of " + name, step.earlier.panels)
"""


def test_two_workers_under_ddp_keep_equal_networks_and_one_history(tmp_path: Path) -> None:
    run_two_ranks(TWO_RANKS, Path(__file__).parent, tmp_path / "meet")
