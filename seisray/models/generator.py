"""The generator: latent vectors to panels, normalised as field panels are."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from seisray.config import GeneratorConfig, PanelConfig
from seisray.models.unet import SAMPLE_MULTIPLE, TRACE_MULTIPLE, conv, orthogonalise, spectral_normed


class NoisyBlock(nn.Module):
    """Convolve, add noise with a learned strength a channel, activate; keeps the size.

    Field panels are largely ambient noise, which no latent vector of a few dozen numbers can spell out
    (Karras et al. 2019, 1812.04948).
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv = conv(n_in, n_out)
        self.noise_gain = nn.Parameter(torch.zeros(n_out, 1, 1))
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return (batch, n_out, traces, samples); noise: (batch, 1, traces, samples), drawn where none is given."""
        x = self.conv(x)
        noise = torch.randn_like(x[:, :1]) if noise is None else noise
        return torch.as_tensor(self.activation(x + self.noise_gain * noise))


class Generator(nn.Module):
    """Make (batch, 1, traces, samples) panels from (batch, latent) standard normal vectors.

    The last step is the normalisation of field panels, asinh(gain * x / RMS) a trace, so that D cannot win on scale.
    """

    def __init__(self, config: GeneratorConfig, panel: PanelConfig) -> None:
        super().__init__()
        self.latent, self.gain = config.latent, panel.gain
        self.seed_shape = (config.channels[-1], panel.traces // TRACE_MULTIPLE, panel.samples // SAMPLE_MULTIPLE)
        self.seed = nn.Linear(config.latent, self.seed_shape[0] * self.seed_shape[1] * self.seed_shape[2])
        widths = [config.channels[-1], *reversed(config.channels)]
        self.blocks = nn.ModuleList(NoisyBlock(n_in, n_out) for n_in, n_out in pairwise(widths))
        self.grow = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        # Time is brought back by interpolation: two interleaved outputs ring at the Nyquist frequency.
        self.stretch = nn.Upsample(scale_factor=(1, 2), mode="bilinear", align_corners=False)
        self.finest = NoisyBlock(config.channels[0], config.channels[0])
        self.head = conv(config.channels[0], 1)
        if config.orthogonal:
            orthogonalise(self)
        if config.spectral_norm:
            spectral_normed(self)

    def draw_noise(self, n: int, device: torch.device | str) -> list[Tensor]:
        """Return what `forward` would draw for n panels: (n, 1, traces, samples) of each block, coarsest first."""
        kind = torch.device(device).type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32
        _, traces, samples = self.seed_shape
        sizes = [(traces << level, samples << level) for level in range(len(self.blocks))]
        finest = (sizes[-1][0], 2 * sizes[-1][1])
        return [torch.randn(n, 1, *size, device=device, dtype=dtype) for size in (*sizes, finest)]

    def forward(self, latent: Tensor, *noise: Tensor) -> Tensor:
        """Return panels. noise: of `draw_noise`; drawn on the way where none is given."""
        fields = noise or (None,) * (len(self.blocks) + 1)
        x = self.seed(latent).unflatten(1, self.seed_shape)
        for level, block in enumerate(self.blocks):
            x = block(self.grow(x) if level else x, fields[level])
        raw = self.head(self.finest(self.stretch(x), fields[-1]))[:, 0].float()  # (B, T, S)
        rms = raw.square().mean(dim=-1, keepdim=True).add(1e-8).sqrt()
        return torch.asinh(self.gain * raw / rms)[:, None]
