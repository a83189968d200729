"""The refiner: synthetic panels to panels that look like field ones, sample for sample and trace for trace.

Source: Shrivastava et al. 2017, 1612.07828: a residual network without pooling, so that what lies where stays its
input's to say.
"""

import torch
from torch import Tensor, nn

from seisray.config import PanelConfig, RefinerConfig
from seisray.models.generator import StyledConv
from seisray.models.unet import SLOPE, conv

LARGEST = 12.0  # of a panel's values before their hyperbolic sine


class Refiner(nn.Module):
    """Refine (batch, 1, traces, samples) panels of any size; what comes out is normalised as field panels are.

    A new one changes nothing. Each layer adds noise of its own, and how loud that is the latent vector says, alike for
    a whole panel (see `StyledConv`). Traces of a record longer than the panels it learned from are normalised by the
    RMS of their loudest stretch of that length.
    """

    def __init__(self, config: RefinerConfig, panel: PanelConfig) -> None:
        super().__init__()
        self.gain, self.stretch, self.latent, self.noisy = panel.gain, panel.samples, config.latent, config.noise
        self.stem = nn.Sequential(conv(1, config.channels), nn.LeakyReLU(SLOPE))
        self.layers = nn.ModuleList(
            StyledConv(config.channels, config.channels, config.latent, noisy=config.noise, apart=apart)
            for apart in config.apart
        )
        self.head = conv(config.channels, 1)
        nn.init.zeros_(self.head.weight)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                layer.padding_mode = "replicate"  # zeros would tell the first and last traces and samples

    @property
    def reach(self) -> int:
        """Return how many traces away a trace can still matter."""
        return len(self.layers) + 2

    def draw(self, n: int, traces: int, samples: int) -> tuple[Tensor, Tensor]:
        """Return latent vectors, (n, latent), and noise, (n, layers, traces + 1, samples), from torch's generator.

        The last row of noise is common to all traces. Without noise it has no layers.
        """
        layers = len(self.layers) if self.noisy else 0
        return torch.randn(n, self.latent), torch.randn(n, layers, traces + 1, samples)

    def forward(self, panels: Tensor, latent: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        """Return refined panels; latent, noise: of `draw`, drawn on the way where none are given."""
        if latent is None or noise is None:
            latent, noise = (drawn.to(panels.device) for drawn in self.draw(len(panels), *panels.shape[2:]))
        return self.normalise(self.change(panels, latent, noise))

    def change(self, panels: Tensor, latent: Tensor, noise: Tensor) -> Tensor:
        """Return panels before their last normalisation; no trace matters farther away than `reach`."""
        x = self.stem(panels)
        for number, layer in enumerate(self.layers):
            own = noise[:, number : number + 1].to(x.dtype) if self.noisy else None
            x = (x + layer(x, latent, own)) * 0.5**0.5
        return panels + torch.as_tensor(self.head(x)).float()

    def normalise(self, changed: Tensor) -> Tensor:
        """Return asinh(gain * x / RMS) of what changed panels stand for; traces of zeros stay zero."""
        raw = torch.sinh(changed.float().clamp(-LARGEST, LARGEST))
        power = raw.square()
        if power.shape[-1] > self.stretch:
            total = nn.functional.pad(power.double().cumsum(dim=-1), (1, 0))
            loudest = (total[..., self.stretch :] - total[..., : -self.stretch]).amax(dim=-1, keepdim=True).to(raw)
        else:
            loudest = power.sum(dim=-1, keepdim=True)
        return torch.asinh(self.gain * raw / (loudest / self.stretch).clamp(min=1e-12).sqrt())


@torch.no_grad()
def refine_gather(refiner: Refiner, panel: Tensor, seed: int, *, tile: int = 256) -> Tensor:
    """Return one refined panel, (traces, samples) of any size, in pieces of `tile` traces that show no seams.

    seed: of the noise; the same one gives the same panel.
    """
    random = torch.Generator().manual_seed(seed)
    traces, samples = panel.shape
    layers = len(refiner.layers) if refiner.noisy else 0
    latent = torch.randn(1, refiner.latent, generator=random)
    noise = torch.randn(1, layers, traces + 1, samples, generator=random)
    pieces = []
    for first in range(0, traces, tile):
        left, right = max(first - refiner.reach, 0), min(first + tile + refiner.reach, traces)
        own = torch.cat([noise[:, :, left:right], noise[:, :, -1:]], dim=2)
        changed = refiner.change(panel[None, None, left:right], latent, own)
        pieces.append(changed[0, 0, first - left : min(first + tile, traces) - left])
    return refiner.normalise(torch.cat(pieces))
