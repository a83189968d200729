"""What a refiner pays: for arrivals before the first break and for onsets that move, not for noise."""

import pytest
import torch
from torch import Tensor

from seisray.losses.keeping import around, onset_loss, rise_loss

HOW = {"window": 16, "stack": 6}
FIRST_BREAK = (100 + 2.0 * torch.arange(24)).repeat(4, 1)  # (4, 24), in panels of 256 samples


def arrival(delay: float = 0.0, amplitude: float | Tensor = 3.0) -> Tensor:
    """Return panels with a wavelet that begins at the first breaks, or so many samples later: (4, 24, 256)."""
    after = torch.arange(256.0) - FIRST_BREAK[..., None] - delay
    return amplitude * torch.sin(after.clamp(min=0) / 4) * torch.exp(-after.clamp(min=0) / 30)


def noise(strength: float) -> Tensor:
    return strength * torch.randn(4, 24, 256, generator=torch.Generator().manual_seed(0))


def paid(refined: Tensor) -> tuple[float, float]:
    both = (refined, arrival(), FIRST_BREAK)
    return onset_loss(*both, **HOW).item(), rise_loss(*both, **HOW).item()


def test_what_stays_costs_nothing() -> None:
    assert paid(arrival()) == (0, 0)


def test_noise_costs_next_to_nothing() -> None:
    onset, rise = paid(arrival() + noise(1.0))
    assert onset < 0.05  # the power of the change is 1
    assert rise < 0.05


def test_an_arrival_before_the_first_break_is_refused() -> None:
    onset, rise = paid(arrival() + arrival(-12, 1.5) + noise(0.3))
    assert onset > 0.2
    assert rise > 0.1


def test_energy_before_the_first_break_is_refused_though_its_polarity_alternates() -> None:
    signs = (1 - 2.0 * (torch.arange(24) % 2))[:, None]
    _, rise = paid(arrival() + arrival(-12, signs) * (torch.arange(256) < FIRST_BREAK[..., None]))
    assert rise > 0.1


@pytest.mark.parametrize("delay", [-3, 3])
def test_an_onset_that_moves_is_refused(delay: float) -> None:
    assert paid(arrival(delay))[0] > 0.2


def test_an_arrival_drowned_in_noise_is_refused() -> None:
    assert paid(noise(1.0))[0] > 0.5


def test_traces_without_a_first_break_cost_nothing() -> None:
    unknown = torch.full_like(FIRST_BREAK, torch.nan)
    for loss in (onset_loss, rise_loss):
        assert loss(arrival(5), arrival(), unknown, **HOW).item() == 0


def test_samples_beyond_the_panel_are_left_out() -> None:
    panels = torch.arange(10.0).expand(1, 2, 10)
    found, there = around(panels, torch.tensor([[2.0, torch.nan]]), 4, 3)
    assert found[0, 0].tolist() == [0, 0, 0, 1, 2, 3, 4]
    assert there[0].tolist() == [[False, False, True, True, True, True, True], [False] * 7]


def test_a_refiner_can_learn_from_both() -> None:
    refined = (arrival(-3) + noise(0.1)).requires_grad_()
    (onset_loss(refined, arrival(), FIRST_BREAK, **HOW) + rise_loss(refined, arrival(), FIRST_BREAK, **HOW)).backward()
    assert refined.grad is not None
    assert torch.isfinite(refined.grad).all()
    assert refined.grad.any()
