"""The picker: where on each trace is the first break, or is there none?"""

import torch
from torch import Tensor, nn

from seisray.config import BodyConfig
from seisray.models.unet import Body, TimeHead


class Picker(nn.Module):
    """Map panels (batch, 1, traces, samples) to logits (batch, traces, samples + 1); the last class is "no pick"."""

    def __init__(self, config: BodyConfig) -> None:
        super().__init__()
        self.body = Body(config.channels)
        self.pick_head = TimeHead(config.channels[0])
        self.none_head = nn.Linear(config.channels[0], 1)

    def forward(self, panels: Tensor) -> Tensor:
        """Return logits; a softmax over the last axis gives probabilities a trace."""
        fine, _ = self.body(panels)
        # The maximum over time does not depend on how long the record is.
        none = self.none_head(fine.amax(dim=-1).movedim(1, -1))  # (B, C, T, S/2) -> (B, T, C) -> (B, T, 1)
        return torch.cat([self.pick_head(fine), none], dim=-1)
