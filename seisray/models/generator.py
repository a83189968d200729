"""The generator: latent vectors to panels, normalised as field panels are."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seisray.config import GeneratorConfig, PanelConfig
from seisray.models.unet import conv, orthogonalise, spectral_normed, weighted_layers

SEED_TRACES, SEED_SAMPLES = 8, 16  # of a panel, that begin as one number a channel
ENVELOPE_LEVEL = 1  # whose features, one to 4 traces and 8 samples, say how loud a place is
LOUDEST = 3.0  # nepers that it can be louder or quieter: 26 dB


class StyledConv(nn.Module):
    """Convolve, scale and shift each channel as a style says, activate; keeps the size.

    noisy: add noise, too. Field panels are largely ambient noise, which no latent vector of a few dozen numbers can
    spell out (Karras et al. 2019, 1812.04948); how loud it is in each channel is the style's to say, since some records
    are quiet and others are not. There are two: of each trace for itself, as wind is, and of all traces at once, as
    what a recorder or a power line adds. apart: samples from one that is taken to the next.
    """

    def __init__(self, n_in: int, n_out: int, latent: int, *, noisy: bool = False, apart: int = 1) -> None:
        super().__init__()
        self.conv = conv(n_in, n_out, apart=apart)
        self.style = nn.Linear(latent, (4 if noisy else 2) * n_out)
        nn.init.normal_(self.style.weight, std=0.1 * latent**-0.5)  # near 0: at first a plain convolution
        nn.init.zeros_(self.style.bias)
        self.noise_gain = nn.Parameter(torch.zeros(2, n_out, 1, 1)) if noisy else None
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return (batch, n_out, traces, samples).

        noise: (batch, 1, traces + 1, samples), the last row that of all traces; drawn where none is given.
        """
        x = self.conv(x)
        scale, shift, *louder = self.style(style)[..., None, None].split(x.shape[1], dim=1)  # (B, n_out, 1, 1) each
        x = x * (1 + scale) + shift
        if self.noise_gain is not None:
            noise = torch.randn_like(F.pad(x[:, :1], (0, 0, 0, 1))) if noise is None else noise
            own, common = (gain * (1 + more) for gain, more in zip(self.noise_gain, louder, strict=True))
            x = x + own * noise[:, :, :-1] + common * noise[:, :, -1:]
        return torch.as_tensor(self.activation(x))


class StyledBlock(nn.Module):
    """Two styled convolutions, the first with noise that the second shapes; keeps the size."""

    def __init__(self, n_in: int, n_out: int, latent: int) -> None:
        super().__init__()
        self.first = StyledConv(n_in, n_out, latent, noisy=True)
        self.second = StyledConv(n_out, n_out, latent)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return (batch, n_out, traces, samples); noise: as of StyledConv."""
        return torch.as_tensor(self.second(self.first(x, style, noise), style))


class Generator(nn.Module):
    """Make (batch, 1, traces, samples) panels from (batch, latent) standard normal vectors.

    The vector says what lies where at the coarsest scale, and as a style what becomes of it at each finer one (Karras
    et al. 2019, 1812.04948). A coarse envelope says how loud each place is: amplitudes of quiet records span 60 dB,
    which noise that is the same all over a panel would fill up.
    The last step is the normalisation of field panels, asinh(gain * x / RMS) a trace, so that D cannot win on scale.
    tint: (traces, samples // 2 + 1), by which amplitudes are multiplied at each wavenumber and frequency before that,
    in evaluation only; 1 until a run sets it at its end.
    """

    def __init__(self, config: GeneratorConfig, panel: PanelConfig) -> None:
        super().__init__()
        self.latent, self.gain = config.latent, panel.gain
        self.seed_shape = (config.channels[-1], panel.traces // SEED_TRACES, panel.samples // SEED_SAMPLES)
        self.seed = nn.Linear(config.latent, self.seed_shape[0] * self.seed_shape[1] * self.seed_shape[2])
        self.mapping = nn.Sequential(
            nn.Linear(config.latent, config.latent),
            nn.LeakyReLU(0.2),
            nn.Linear(config.latent, config.latent),
            nn.LeakyReLU(0.2),
        )
        widths = [config.channels[-1], *reversed(config.channels)]
        self.blocks = nn.ModuleList(StyledBlock(n_in, n_out, config.latent) for n_in, n_out in pairwise(widths))
        self.grow = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        # Time is brought back by interpolation: two interleaved outputs ring at the Nyquist frequency.
        self.stretch = nn.Upsample(scale_factor=(1, 2), mode="bilinear", align_corners=False)
        self.finest = StyledConv(config.channels[0], config.channels[0], config.latent, noisy=True)
        self.head = conv(config.channels[0], 1)
        self.envelope = conv(widths[ENVELOPE_LEVEL + 1], 1)
        self.tint: Tensor
        self.register_buffer("tint", torch.ones(panel.traces, panel.samples // 2 + 1))
        for layer in weighted_layers(self):
            if isinstance(layer, nn.Conv2d):
                layer.padding_mode = (
                    "replicate"  # zeros would tell the first and last traces and samples from the others
                )
        if config.orthogonal:
            orthogonalise(self)
        nn.init.normal_(self.envelope.weight, std=1e-3)  # at first all places are as loud as they come, unless normed
        if config.spectral_norm:
            spectral_normed(self)

    def draw_noise(self, n: int, device: torch.device | str) -> list[Tensor]:
        """Return what `forward` would draw for n panels: (n, 1, traces + 1, samples) of each block, coarsest first."""
        kind = torch.device(device).type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32
        _, traces, samples = self.seed_shape
        sizes = [(traces << level, samples << level) for level in range(len(self.blocks))]
        finest = (sizes[-1][0], 2 * sizes[-1][1])
        return [torch.randn(n, 1, high + 1, long, device=device, dtype=dtype) for high, long in (*sizes, finest)]

    def forward(self, latent: Tensor, *noise: Tensor) -> Tensor:
        """Return panels. noise: of `draw_noise`; drawn on the way where none is given."""
        style = self.mapping(latent)
        fields = noise or (None,) * (len(self.blocks) + 1)
        x = self.seed(latent).unflatten(1, self.seed_shape)
        features = []
        for level, block in enumerate(self.blocks):
            x = block(self.grow(x) if level else x, style, fields[level])
            features.append(x)
        envelope = LOUDEST * torch.tanh(self.envelope(features[ENVELOPE_LEVEL]).float())  # (B, 1, T/4, S/8)
        raw = self.head(self.finest(self.stretch(x), style, fields[-1])).float()  # (B, 1, T, S)
        loud = F.interpolate(envelope, size=raw.shape[2:], mode="bilinear", align_corners=False).exp()
        raw = (raw * loud)[:, 0]
        if not self.training:
            raw = torch.fft.irfft2(torch.fft.rfft2(raw) * self.tint, s=raw.shape[-2:])
        rms = raw.square().mean(dim=-1, keepdim=True).add(1e-10).sqrt()
        return torch.asinh(self.gain * raw / rms)[:, None]
