"""The picker: where on each trace is the first break, or is there none?"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seisray.config import BodyConfig
from seisray.models.unet import Body, TimeHead


class Picker(nn.Module):
    """Map panels (batch, 1, traces, samples) to logits (batch, traces, samples + 1); the last class is "no pick".

    "No pick" is a threshold that was learned: so a logit depends on what lies around its sample alone, however large
    the gather is.
    """

    def __init__(self, config: BodyConfig) -> None:
        super().__init__()
        self.body = Body(config)
        self.pick_head = TimeHead(config.channels[0], config.kernel_samples)
        self.none = nn.Parameter(torch.zeros(1))

    def forward(self, panels: Tensor) -> Tensor:
        """Return logits; a softmax over the last axis gives probabilities a trace."""
        return self.answer(self.body.encode(panels))

    def answer(self, features: Sequence[Tensor]) -> Tensor:
        """Return logits (batch, traces, samples + 1) of what the body's encoder made of panels, finest first."""
        found = self.pick_head(self.body.decode(features))
        return torch.cat([found, self.none.expand(*found.shape[:2], 1)], dim=-1)
