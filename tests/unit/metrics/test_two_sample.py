"""The classifier of the two-sample test, on noise and arrivals."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.metrics import two_sample
from seisray.metrics.two_sample import classifier_accuracy

Panels = NDArray[np.float32]
MakePanels = Callable[..., Panels]


def noise(n: int, seed: int, scale: float = 1.0) -> Panels:
    return np.random.default_rng(seed).normal(scale=scale, size=(n, 32, 128)).astype(np.float32)


def test_panels_of_one_kind_cannot_be_told_apart() -> None:
    assert classifier_accuracy(noise(96, 0), noise(96, 1)) == pytest.approx(0.5, abs=0.15)


def test_noise_is_told_from_arrivals(arrivals: MakePanels) -> None:
    assert classifier_accuracy(arrivals(48, 0), noise(48, 1)) > 0.95


def test_of_a_larger_set_as_many_are_taken_as_the_smaller_has(monkeypatch: pytest.MonkeyPatch) -> None:
    # in an unbalanced test a classifier that always says the same, as this one after no step, is right in 80 % or 20 %
    monkeypatch.setattr(two_sample, "STEPS", 2)
    assert classifier_accuracy(noise(256, 0), noise(64, 1)) == pytest.approx(0.5, abs=0.15)


def test_the_same_panels_and_seed_give_the_same_accuracy_and_leave_torch_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(two_sample, "STEPS", 5)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    one, other = (classifier_accuracy(noise(24, 0), noise(24, 1, 1.1), seed=3) for _ in range(2))
    assert one == other
    assert torch.equal(before, torch.get_rng_state())


def test_it_runs_inside_no_grad_and_on_panels_larger_than_its_crop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_sample, "STEPS", 2)
    panels = noise(16, 0).repeat(2, axis=1).repeat(3, axis=2)
    with torch.no_grad():
        assert 0 <= classifier_accuracy(panels, panels[::-1]) <= 1


def test_too_few_panels_are_refused() -> None:
    with pytest.raises(ConfigError, match="got 15 panels of a kind; expected at least 16"):
        classifier_accuracy(noise(15, 0), noise(200, 1))
