from itertools import pairwise

import pytest
import torch

from seisray.models.coarse import coarsen


def detail(panels: torch.Tensor) -> float:
    return panels.diff(dim=-1).square().mean().item()


def test_full_sharpness_is_the_panel_itself() -> None:
    panels = torch.randn(2, 1, 16, 64)
    assert coarsen(panels, 1.0) is panels


def test_detail_grows_with_sharpness_without_a_jump() -> None:
    panels = torch.randn(2, 1, 16, 64)
    found = [detail(coarsen(panels, sharpness / 60)) for sharpness in range(61)]
    assert found == sorted(found)
    assert max(b - a for a, b in pairwise(found)) < 0.25 * found[-1]


@pytest.mark.parametrize("sharpness", [0.0, 0.5, 0.9])
def test_sizes_stay_and_gradients_pass(sharpness: float) -> None:
    panels = torch.randn(1, 1, 24, 80, requires_grad=True)
    found = coarsen(panels, sharpness)
    assert found.shape == panels.shape
    found.sum().backward()
    assert panels.grad is not None
    assert panels.grad.abs().sum() > 0


def test_what_does_not_change_stays() -> None:
    panels = torch.full((1, 1, 16, 64), 3.0)
    torch.testing.assert_close(coarsen(panels, 0.0), panels)
