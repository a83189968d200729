"""Panels that a refiner made earlier, shown to D again; part of a run's checkpoints, equal on all ranks.

Source: Shrivastava et al. 2017, 1612.07828: without them D forgets what the refiner no longer makes, and it comes back.
"""

import random
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


class History:
    """Up to `size` refined panels (0 = none)."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.panels: list[Tensor] = []

    @torch.no_grad()
    def mix(self, refined: Tensor, coins: random.Random) -> Tensor:
        """Return a batch, (batch, 1, traces, samples), half of which gives way to earlier panels; keep those in return.

        coins: equal on all ranks. Which of the earlier panels are shown is drawn by torch's generator, of each rank.
        """
        half = len(refined) // 2
        if not (self.size and half):
            return refined
        shown = refined
        if len(self.panels) >= half:
            chosen = torch.randperm(len(self.panels))[:half].tolist()
            earlier = torch.stack([self.panels[i] for i in chosen]).to(refined)
            shown = torch.cat([refined[: len(refined) - half], earlier])
        for panel in of_all_ranks(refined[len(refined) - half :].float().contiguous()).cpu():
            if len(self.panels) < self.size:
                self.panels.append(panel.clone())
            else:
                self.panels[coins.randrange(self.size)] = panel.clone()
        return shown

    def state_dict(self) -> dict[str, Any]:
        """Return what the next step depends on."""
        return {"panels": [panel.clone() for panel in self.panels]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.panels = list(state["panels"])


def of_all_ranks(values: Tensor) -> Tensor:
    """Return the values of all workers, one after the other; values themselves where there is one."""
    if not (dist.is_available() and dist.is_initialized()):
        return values
    found = [torch.empty_like(values) for _ in range(dist.get_world_size())]
    dist.all_gather(found, values)
    return torch.cat(found)
