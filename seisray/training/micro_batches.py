"""A batch in parts that fit in memory, and add up to the same step."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TypeVar

import torch
from torch import Tensor, nn

from seisray.models.unet import held_norms

Part = TypeVar("Part")


def parts(batch: Iterable[Part], module: nn.Module, wrapped: nn.Module | None = None) -> Iterator[Part]:
    """Yield the parts of a batch so that, in the loop's body, they add up to the whole.

    All meet the weights that the first one met (spectral norms are estimated anew in each forward). wrapped: under DDP
    gradients are exchanged with the last part alone.
    """
    items = list(batch)
    for number, part in enumerate(items):
        last = number == len(items) - 1
        waiting = nullcontext() if last else getattr(wrapped, "no_sync", nullcontext)()
        with held_norms(module, hold=number > 0), waiting:
            yield part


def mean_figures(found: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each 0-d figure over parts of one size."""
    return {name: torch.stack([part[name] for part in found]).mean() for name in found[0]}


def gradient_norm(module: nn.Module, clip: float) -> Tensor:
    """Return the norm of a network's gradient, and then scale the gradient down to `clip` (0 = leave it)."""
    if clip:
        return nn.utils.clip_grad_norm_(module.parameters(), clip)
    return nn.utils.get_total_norm([p.grad for p in module.parameters() if p.grad is not None])
