import torch
from torch import Tensor

from seisray.training.precision import flush_denormals


def smallest() -> Tensor:
    return torch.full((4096,), 2e-38) * 0.25


def test_numbers_that_are_slow_to_compute_with_become_zero() -> None:
    torch.set_flush_denormal(False)  # whatever ran before in this process
    try:
        assert smallest().min() > 0
        flush_denormals()
        assert smallest().max() == 0
    finally:
        torch.set_flush_denormal(False)
