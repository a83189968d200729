"""What a network costs: numbers to learn, and arithmetic for one panel."""

from typing import NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


class Cost(NamedTuple):
    """Numbers to learn, and floating-point operations of one forward pass (a multiplication and its sum are two)."""

    parameters: int
    flops: int

    def __str__(self) -> str:
        return f"{self.parameters / 1e6:.3g} M parameters, {self.flops / 1e9:.3g} GFLOP a panel"


@torch.no_grad()
def cost_of(network: nn.Module, shape: tuple[int, ...]) -> Cost:
    """Return the cost of a network a panel, for inputs (batch, ...) of a shape; its state stays as it is."""
    training = network.training
    network.eval()  # in training, spectral norms would move
    device = next(network.parameters()).device
    with torch.random.fork_rng(devices=[]), FlopCounterMode(display=False) as counter:
        network(torch.zeros(shape, device=device))
    network.train(training)
    return Cost(sum(p.numel() for p in network.parameters()), counter.get_total_flops() // shape[0])
