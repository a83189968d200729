"""What goes through a checkpoint's file comes back to the bit, and so does the run."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray.train
import torch
from test_gan_step import ALL_ON

from seisray.config import (
    AdversaryConfig,
    BodyConfig,
    GanConfig,
    GeneratorConfig,
    InpaintConfig,
    MaskedConfig,
    PanelConfig,
    RebuildTrainConfig,
    TrainConfig,
)
from seisray.errors import TrainingError
from seisray.training.checkpoint import checkpoint, load_checkpoint
from seisray.training.gan import GanStep
from seisray.training.ways import WAYS, Step

STEPS = 200
SMALL: dict[str, Any] = {"panel": PanelConfig(traces=8, samples=32), "body": BodyConfig(channels=(2, 2, 2, 2))}
GAN = GanConfig(
    **SMALL,
    generator=GeneratorConfig(latent=4, channels=(2, 2, 2, 2)),
    adversary=AdversaryConfig(**ALL_ON | {"d_steps": 1, "accumulate": 1}),  # these two keep nothing
    train=TrainConfig(steps=STEPS, batch=4, workers=1),
)
REBUILD = SMALL | {"train": RebuildTrainConfig(steps=STEPS, batch=4, workers=1)}
RUNS = {
    "gan": ("gan", GAN),
    "masked": ("masked", MaskedConfig(**REBUILD)),
    "inpaint": ("inpaint", InpaintConfig(**REBUILD)),
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def run(step: Step, until: int) -> list[dict[str, float]]:
    """Go on until a step, on panels that depend on the step alone, as those of the stream do."""
    found = []
    while step.step < until:
        panels = torch.randn(4, 8, 32, generator=torch.Generator().manual_seed(step.step))
        found.append({name: value.item() for name, value in step(panels).items()})
    return found


def leaves(state: Any, name: str = "") -> dict[str, Any]:
    """Return all that a state holds, by where it is."""
    if isinstance(state, dict):
        return {key: value for part in state for key, value in leaves(state[part], f"{name}/{part}").items()}
    if isinstance(state, list | tuple):
        return leaves(dict(enumerate(state)), name)
    return {name: (str(state.dtype), state.tolist()) if isinstance(state, torch.Tensor) else state}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "config"), RUNS.values(), ids=RUNS)
def test_200_steps_are_100_a_checkpoint_file_and_100_more_bit_for_bit(kind: str, config: Any, tmp_path: Path) -> None:
    straight = WAYS[kind].step(config)
    figures = run(straight, STEPS)

    first = WAYS[kind].step(config)
    before = run(first, STEPS // 2)
    with checkpoint(first.state_dict()) as saved:
        saved.to_directory(str(tmp_path / "kept"))
    torch.rand(7)  # randomness outside must not matter
    resumed = WAYS[kind].step(config)
    resumed.load_state_dict(load_checkpoint(ray.train.Checkpoint.from_directory(str(tmp_path / "kept"))))

    assert before + run(resumed, STEPS) == figures
    expected, found = leaves(straight.state_dict()), leaves(resumed.state_dict())
    assert found == expected
    assert {name.split("/")[1] for name in found} == {"step", "salt", *straight.parts}


def test_the_run_would_differ_had_one_part_been_forgotten() -> None:
    """What the comparison above is worth: each part of the state alone changes what comes after."""
    first = GanStep(GAN)
    run(first, GAN.feature_steps + 3)
    state, fresh = first.state_dict(), GanStep(GAN).state_dict()
    expected = gone_on(state)
    for part in first.parts:
        assert gone_on(state | {part: fresh[part]}) != expected, part


def gone_on(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state some steps after one."""
    step = GanStep(GAN)
    step.load_state_dict(copy.deepcopy(state))  # optimisers go on in the tensors that they are given
    run(step, step.step + 3)
    return leaves(step.state_dict())


def test_a_run_without_a_checkpoint_says_so() -> None:
    with pytest.raises(TrainingError, match=r"left no checkpoint; run it again with --restart"):
        load_checkpoint(None)
