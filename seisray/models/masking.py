"""Hide parts of panels, for a network that learns to repair them."""

import torch
from torch import Tensor


def random_mask(panels: Tensor, *, share_of_traces: float, blocks: int) -> Tensor:
    """Return (batch, 1, traces, samples) bool, True where hidden: whole traces, and blocks up to a third of each axis.

    panels: (batch, 1, traces, samples). Randomness comes from torch's own generator.
    """
    n, _, traces, samples = panels.shape
    device = panels.device
    hidden = (torch.rand(n, traces, 1, device=device) < share_of_traces).expand(n, traces, samples)
    if blocks == 0:
        return hidden[:, None]

    def inside(size: int, smallest: int) -> Tensor:
        length = smallest + torch.rand(n, blocks, 1, device=device) * (size / 3 - smallest)
        start = torch.rand(n, blocks, 1, device=device) * (size - length)
        at = torch.arange(size, device=device)
        return (at >= start) & (at < start + length)  # (n, blocks, size)

    rows, columns = inside(traces, 2), inside(samples, 8)
    in_block = (rows[:, :, :, None] & columns[:, :, None, :]).any(dim=1)
    return (hidden | in_block)[:, None]
