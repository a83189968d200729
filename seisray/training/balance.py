"""What adapts itself to D in the course of a GAN's run; part of its checkpoints, equal on all ranks."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from seisray.config import AdversaryConfig
from seisray.models.augment import SAFE

MEMORY = 0.99  # of the running means, a step of D


class Balance:
    """The probability of augmentation (ADA, 2006.06676) and the running means of D's logits (LeCam, 2104.03310).

    probability: 0-d. anchors: (2,), of real and of generated panels; 0 at the start, as the logits of a new D.
    """

    def __init__(self, config: AdversaryConfig, device: str) -> None:
        self.config = config
        self.probability = torch.tensor(config.augment, device=device)
        self.anchors = torch.zeros(2, device=device)

    @torch.no_grad()
    def update(self, confidence: Tensor, real: Tensor, fake: Tensor) -> None:
        """Adapt to a step of D; 0-d each: its confidence, and its mean logits of real and of generated panels."""
        config = self.config
        if not (config.augment_target or config.lecam):
            return
        found = mean_of_ranks(torch.stack([confidence, real, fake]))
        if config.augment_target:
            move = (found[0] - config.augment_target).sign() / config.augment_steps
            self.probability = (self.probability + move).clamp(0, SAFE)
        if config.lecam:
            self.anchors = self.anchors.lerp(found[1:], 1 - MEMORY)

    def state_dict(self) -> dict[str, Any]:
        """Return what the next step depends on."""
        return {"probability": self.probability.clone(), "anchors": self.anchors.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.probability = state["probability"].to(self.probability)
        self.anchors = state["anchors"].to(self.anchors)


def mean_of_ranks(values: Tensor) -> Tensor:
    """Return the mean over all workers; values themselves where there is one."""
    if not (dist.is_available() and dist.is_initialized()):
        return values
    values = values.clone()
    dist.all_reduce(values)
    return values / dist.get_world_size()
