"""Rivals of the GAN that rebuild panels: an autoencoder with a bottleneck, and a network that repairs what is hidden.

Both are the U-Net body of discriminator and picker, so that whatever they learn can become a picker in the same way.
"""

import math

import torch
from torch import Tensor, nn

from seisray.config import AutoencoderConfig, BodyConfig
from seisray.models.unet import SAMPLE_MULTIPLE, TRACE_MULTIPLE, Body, TimeHead


class Autoencoder(nn.Module):
    """Squeeze panels (batch, 1, traces, samples) into (batch, latent) numbers, and rebuild them from these alone.

    The body's decoder sees nothing of the encoder's finer features: nothing passes the bottleneck by.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        channels, panel = config.body.channels, config.panel
        self.body = Body(config.body)
        self.deep_shape = (channels[-1], panel.traces // TRACE_MULTIPLE, panel.samples // SAMPLE_MULTIPLE)
        self.squeeze = nn.Linear(math.prod(self.deep_shape), config.latent)
        self.unfold = nn.Linear(config.latent, math.prod(self.deep_shape))
        self.repair_head = TimeHead(channels[0], config.body.kernel_samples)

    def encode(self, panels: Tensor) -> Tensor:
        """Return (batch, latent)."""
        return torch.as_tensor(self.squeeze(self.body.encode(panels)[-1].flatten(1)))

    def decode(self, latent: Tensor) -> Tensor:
        """Return (batch, traces, samples)."""
        x = self.unfold(latent).unflatten(1, self.deep_shape)
        return torch.as_tensor(self.repair_head(self.body.decode([x])))

    def forward(self, panels: Tensor) -> Tensor:
        """Return rebuilt panels, (batch, traces, samples)."""
        return self.decode(self.encode(panels))


class Repairer(nn.Module):
    """Repair panels (batch, 1, traces, samples) in which parts are hidden, as D's third head does, and nothing else."""

    def __init__(self, config: BodyConfig) -> None:
        super().__init__()
        self.body = Body(config)
        self.repair_head = TimeHead(config.channels[0], config.kernel_samples)

    def forward(self, panels: Tensor) -> Tensor:
        """Return whole panels, (batch, traces, samples)."""
        fine, _ = self.body(panels)
        return torch.as_tensor(self.repair_head(fine))
