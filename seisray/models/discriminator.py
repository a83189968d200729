"""The discriminator: a U-Net that judges panels, judges pixels, and repairs what was hidden.

Sources: U-Net discriminator, Schonfeld et al. 2020, 2002.12655.
"""

from typing import NamedTuple

from torch import Tensor, nn

from seisray.config import BodyConfig
from seisray.models.unet import Body, TimeHead, spectral_normed


class Judgement(NamedTuple):
    """What D says of panels. panel: (batch,) logits; pixel: (batch, traces, samples) logits; repair: the same shape."""

    panel: Tensor
    pixel: Tensor
    repair: Tensor


class Discriminator(nn.Module):
    """Judge (batch, 1, traces, samples) panels by logits; positive means field data.

    Spectral norm holds the body and the judging heads, never the repairing head, whose output must reach any amplitude.
    """

    def __init__(self, config: BodyConfig, *, spectral_norm: bool) -> None:
        super().__init__()
        self.body = Body(config.channels)
        self.panel_head = nn.Linear(config.channels[-1], 1)
        self.pixel_head = TimeHead(config.channels[0])
        self.repair_head = TimeHead(config.channels[0])
        if spectral_norm:
            for part in (self.body, self.panel_head, self.pixel_head):
                spectral_normed(part)

    def forward(self, panels: Tensor) -> Judgement:
        """Return logits and repaired panels."""
        fine, deep = self.body(panels)
        panel = self.panel_head(deep.mean(dim=(2, 3)))[:, 0]
        return Judgement(panel, self.pixel_head(fine), self.repair_head(fine))
