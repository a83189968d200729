"""The discriminator that judges panels by what its body learned before the game, by repairing hidden parts of them.

Source: projected GANs, Sauer et al. 2021, 2111.01007: heads at several depths of a network that stays as it is, each
behind a random mixture of channels, so that none can win by a single feature.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seisray.config import BodyConfig
from seisray.models.discriminator import Judgement, spread
from seisray.models.unet import SLOPE, Body, TimeHead, conv, orthogonalise, spectral_normed

RAW_WIDTH = 16  # of the head that sees panels as they are: what the body overlooks counts, too
LOUD_SAMPLES = 8  # over which loudness is taken


class ProjectedDiscriminator(nn.Module):
    """Judge (batch, 1, traces, samples) panels by the encoder of a body, which is not trained here.

    Three more heads see the panels as they are, and what convolutions over traces and samples are nearly blind to:
    their spectrum, and how loud each place is, by which quiet records differ most from noisy ones. Each head gives
    logits of patches of 8 traces and 16 or 32 samples; positive means field data. minibatch_std: panels in a group,
    neighbours in the batch, whose spread the deepest head is shown (0 = none). spectral_norm: hold the heads;
    orthogonal: begin with such weights in them.
    """

    def __init__(
        self,
        body: Body,
        config: BodyConfig,
        *,
        spectral_norm: bool,
        minibatch_std: int = 0,
        orthogonal: bool = False,
    ) -> None:
        super().__init__()
        self.body, self.minibatch_std = body.requires_grad_(False), minibatch_std
        levels = len(config.channels)
        shown = [*config.channels[:-1], config.channels[-1] + (minibatch_std > 0)]
        self.heads = nn.ModuleList(
            PatchHead(n_in, 2 * n_in, [(2, 2)] * (levels - 1 - level)) for level, n_in in enumerate(shown)
        )
        self.raw_head = PatchHead(1, RAW_WIDTH, [(1, 2)] + [(2, 2)] * (levels - 1))
        self.spectrum_head = PatchHead(3, RAW_WIDTH, [(2, 2)] * (levels - 1))
        self.loudness_head = PatchHead(1, RAW_WIDTH, [(2, 1)] + [(2, 2)] * (levels - 2))
        self.pixel_head = nn.Sequential(conv(config.channels[0], RAW_WIDTH), nn.LeakyReLU(SLOPE), TimeHead(RAW_WIDTH))
        own = (self.raw_head, self.spectrum_head, self.loudness_head)
        for judge in (*(head.judge for head in (*self.heads, *own)), self.pixel_head):
            if orthogonal:
                orthogonalise(judge)
            if spectral_norm:
                spectral_normed(judge)

    def forward(self, panels: Tensor) -> Judgement:
        """Return logits of panels, (batch, heads * patches), and of pixels; it repairs nothing."""
        features = self.body.encode(panels)
        *others, deep = features
        shown = [*others, torch.cat([deep, self._spread(deep)], dim=1)] if self.minibatch_std else features
        logits = [head(x) for head, x in zip(self.heads, shown, strict=True)]
        logits += [self.raw_head(panels), self.spectrum_head(spectrum(panels)), self.loudness_head(loudness(panels))]
        panel = torch.cat(logits, dim=1)
        return Judgement(panel, self.pixel_head(features[0]), panels.new_zeros(len(panels), 0))

    def _spread(self, deep: Tensor) -> Tensor:
        return spread(deep, self.minibatch_std).to(deep)[..., None, None].expand(-1, 1, *deep.shape[2:])


class PatchHead(nn.Module):
    """Mix channels at random, once and for all, stride, and judge: (batch, n_in, ...) -> (batch, patches).

    The mixture and the first convolution are one: at the panels themselves, one channel wide, that spares it 15 of 16
    multiplications.
    """

    def __init__(self, n_in: int, width: int, strides: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.mix = nn.Conv2d(n_in, width, 1, bias=False).requires_grad_(False)
        nn.init.kaiming_normal_(self.mix.weight)
        layers = [layer for stride in strides for layer in (small_conv(width, width, stride), nn.LeakyReLU(SLOPE))]
        self.judge = nn.Sequential(*layers, small_conv(width, width), nn.LeakyReLU(SLOPE), small_conv(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        first, others = cast(nn.Conv2d, self.judge[0]), list(self.judge)[1:]
        kernel = torch.einsum("omhw,mi->oihw", first.weight, self.mix.weight[:, :, 0, 0])
        kernel = kernel.contiguous(memory_format=torch.channels_last)  # or gradients change their layout on the way
        x = F.conv2d(x, kernel, first.bias, first.stride, first.padding)
        for layer in others:
            x = layer(x)
        return x.flatten(1)


def spectrum(panels: Tensor) -> Tensor:
    """Return log10 amplitudes by wavenumber and frequency, and where each lies: (batch, 3, traces, samples / 2).

    Wavenumber 0 is in the middle; the Nyquist frequency is left out.
    """
    with torch.autocast(panels.device.type, enabled=False):
        waves = torch.fft.fftshift(torch.fft.rfft2(panels.float(), norm="ortho"), dim=2)[..., :-1]
        level = 0.5 * torch.log10(waves.real.square() + waves.imag.square() + 1e-4)  # (B, 1, K, F)
    wavenumber = torch.linspace(-1, 1, level.shape[2], device=panels.device)[:, None].expand_as(level)
    frequency = torch.linspace(-1, 1, level.shape[3], device=panels.device).expand_as(level)
    return torch.cat([level, wavenumber, frequency], dim=1)


def loudness(panels: Tensor) -> Tensor:
    """Return log10 of the RMS of every 8 samples of a trace, -1.5 where they are silent: (batch, 1, T, samples / 8)."""
    with torch.autocast(panels.device.type, enabled=False):
        return 0.5 * torch.log10(F.avg_pool2d(panels.float().square(), (1, LOUD_SAMPLES)) + 1e-3)


def small_conv(n_in: int, n_out: int, stride: tuple[int, int] = (1, 1)) -> nn.Conv2d:
    """Return a convolution of three traces by five samples."""
    return conv(n_in, n_out, kernel=(3, 5), stride=stride)
