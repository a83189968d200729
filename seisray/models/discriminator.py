"""The discriminator: a U-Net that judges panels, judges pixels, and repairs what was hidden.

Sources: U-Net discriminator, Schonfeld et al. 2020, 2002.12655; minibatch standard deviation, Karras et al. 2018,
1710.10196.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from seisray.config import BodyConfig
from seisray.models.unet import Body, TimeHead, orthogonalise, spectral_normed


class Judgement(NamedTuple):
    """What D says of panels.

    panel: logits, (batch,) or (batch, patches). pixel: logits, (batch, traces, samples). repair: of the same shape, or
    (batch, 0) where D repairs nothing.
    """

    panel: Tensor
    pixel: Tensor
    repair: Tensor

    def float(self) -> "Judgement":
        """Return logits and repairs in float32, in which the losses are computed."""
        return Judgement(*(part.float() for part in self))


class Discriminator(nn.Module):
    """Judge (batch, 1, traces, samples) panels by logits; positive means field data.

    Spectral norm holds the body and the judging heads, never the repairing head, whose output must reach any amplitude.
    minibatch_std: panels in a group, neighbours in the batch, whose spread the panel's head is shown (0 = none).
    """

    def __init__(
        self, config: BodyConfig, *, spectral_norm: bool, minibatch_std: int = 0, orthogonal: bool = False
    ) -> None:
        super().__init__()
        self.minibatch_std = minibatch_std
        self.body = Body(config)
        self.panel_head = nn.Linear(config.channels[-1] + (minibatch_std > 0), 1)
        self.pixel_head = TimeHead(config.channels[0], config.kernel_samples)
        self.repair_head = TimeHead(config.channels[0], config.kernel_samples)
        if orthogonal:
            orthogonalise(self)
        if spectral_norm:
            for part in (self.body, self.panel_head, self.pixel_head):
                spectral_normed(part)

    def forward(self, panels: Tensor) -> Judgement:
        """Return logits and repaired panels."""
        fine, deep = self.body(panels)
        features = deep.mean(dim=(2, 3))  # (B, C)
        if self.minibatch_std:
            features = torch.cat([features, spread(deep, self.minibatch_std).to(features)], dim=1)
        panel = self.panel_head(features)[:, 0]
        return Judgement(panel, self.pixel_head(fine), self.repair_head(fine))


def spread(features: Tensor, group: int) -> Tensor:
    """Return (batch, 1): the mean standard deviation of (batch, ...) features over groups of neighbours in the batch.

    It is 0 where all panels of a group are alike, which betrays a generator that makes only a few.
    """
    together = features.float().unflatten(0, (-1, group))  # (B / group, group, ...)
    # Tensor.var over so short an axis takes sixty times as long on a CPU.
    deviation = (together - together.mean(dim=1, keepdim=True)).square().mean(dim=1).add(1e-8).sqrt()
    return deviation.flatten(1).mean(dim=1).repeat_interleave(group)[:, None]
