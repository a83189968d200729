"""The U-Net body that discriminator and picker share, so that the one can become the other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from seisray.config import BodyConfig

KERNEL = (3, 7)  # traces x samples, unless told: moveout is slow across traces, wavelets are a few samples long
SLOPE = 0.2  # of the leaky ReLUs
STEM_STRIDE = 4  # samples a feature of the finest level
AT_ONCE = 4  # features that heads bring back to samples together
TRACE_MULTIPLE, SAMPLE_MULTIPLE = 8, 8 * STEM_STRIDE  # after three poolings


def conv(
    n_in: int,
    n_out: int,
    *,
    kernel: tuple[int, int] = KERNEL,
    stride: tuple[int, int] = (1, 1),
    apart: int = 1,
) -> nn.Conv2d:
    """Return a convolution that keeps the size, but for its stride, and the variance of what goes through it.

    apart: samples from one that it takes to the next.
    """
    padding = (kernel[0] // 2, apart * (kernel[1] // 2))
    layer = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=padding, dilation=(1, apart))
    begin(layer)
    return layer


def begin(layer: nn.Conv2d) -> None:
    """Give a layer weights that keep the variance of what goes through it and the leaky ReLU behind it."""
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


class Stem(nn.Conv2d):
    """A convolution that quarters time: (batch, 1, traces, samples) -> (batch, n_out, traces, samples / 4).

    It is computed as one over quarters, whose four samples are four channels side by side in memory: processors take
    two fifths of the time for that, and what comes out lies channels last.
    """

    def __init__(self, n_out: int) -> None:
        width = 2 * STEM_STRIDE + 3
        super().__init__(1, n_out, (KERNEL[0], width), stride=(1, STEM_STRIDE), padding=(KERNEL[0] // 2, width // 2))
        begin(self)

    def forward(self, panels: Tensor) -> Tensor:
        """Return the features; samples % 4 == 0."""
        quarters = panels[:, 0].unflatten(-1, (-1, STEM_STRIDE)).permute(0, 3, 1, 2)
        # samples -5..5 around the first of a quarter lie in the quarters -2..2, which are its samples -8..11
        weight = nn.functional.pad(self.weight[:, 0], (STEM_STRIDE - 1, STEM_STRIDE + 2))
        weight = weight.unflatten(-1, (-1, STEM_STRIDE)).permute(0, 3, 1, 2)
        return nn.functional.conv2d(quarters, weight, self.bias, padding=(KERNEL[0] // 2, weight.shape[-1] // 2))


class Block(nn.Sequential):
    """Convolutions that keep the size: (batch, n_in, traces, samples) -> (batch, n_out, traces, samples).

    kernels: one for each, (traces, samples). There is no norm: one over a panel would let the far end of a gather
    change the picks here, and pickers learn as well without.
    """

    def __init__(self, n_in: int, n_out: int, *kernels: tuple[int, int]) -> None:
        widths = pairwise([n_in, *[n_out] * len(kernels)])
        layers = [conv(*two, kernel=kernel) for two, kernel in zip(widths, kernels, strict=True)]
        super().__init__(*[part for layer in layers for part in (layer, nn.LeakyReLU(SLOPE, inplace=True))])


class Ascent(nn.Module):
    """One step of the decoder: narrow, grow to twice the traces and samples, add what the encoder has there.

    It looks along time and then across traces: at 7 samples half of the arithmetic of both at once. Pickers are as good
    on ground that they never saw; with the same in the encoder, too, a little less so.
    """

    def __init__(self, n_in: int, n_out: int, *, kernel: tuple[int, int]) -> None:
        super().__init__()
        self.narrow = conv(n_in, n_out, kernel=(1, 1))
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")
        self.block = Block(n_out, n_out, (1, kernel[1]), (kernel[0], 1))

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """Return (batch, n_out, 2 traces, 2 samples); skip: of that shape, or nothing to add."""
        x = self.grow(self.narrow(x))
        finer: Tensor = self.block(x if skip is None else x + skip)
        return finer


class Body(nn.Module):
    """Map panels (batch, 1, traces, samples) to features at two scales; traces % 8 == 0, samples % 32 == 0.

    A stem quarters time, three poolings halve both axes. Returns the finest decoder features
    (batch, channels[0], traces, samples / 4) and the deepest encoder features
    (batch, channels[3], traces / 8, samples / 32).

    It computes little where panels are large: one convolution at the finest level of the encoder and one, split in
    two, at each of the decoder, where the encoder's features are added, not joined. A fifth of the arithmetic of the
    U-Net with two convolutions everywhere on a stem that halves time; a picker that trains for as long is as good.
    """

    def __init__(self, config: BodyConfig) -> None:
        super().__init__()
        channels, kernel = config.channels, (KERNEL[0], config.kernel_samples)
        self.stem = nn.Sequential(Stem(channels[0]), nn.LeakyReLU(SLOPE, inplace=True))
        first, *others = pairwise([channels[0], *channels])
        blocks = [Block(*first, kernel), *[Block(*two, kernel, kernel) for two in others]]
        self.encoder = nn.ModuleList(blocks)
        self.decoder = nn.ModuleList(Ascent(*widths, kernel=kernel) for widths in pairwise(reversed(channels)))
        self.pool = nn.AvgPool2d(2)

    def forward(self, panels: Tensor) -> tuple[Tensor, Tensor]:
        """Return (fine, deep) features."""
        features = self.encode(panels)
        return self.decode(features), features[-1]

    def encode(self, panels: Tensor) -> list[Tensor]:
        """Return the encoder's features of each level, finest first."""
        x = self.stem(panels)
        features = []
        for level, block in enumerate(self.encoder):
            x = block(self.pool(x) if level else x)
            features.append(x)
        return features

    def decode(self, features: Sequence[Tensor]) -> Tensor:
        """Return the finest features of the decoder, of what `encode` returned; of the deepest alone, what it holds."""
        *skips, x = features
        for ascent in self.decoder:
            x = ascent(x, skips.pop() if skips else None)
        return x


class TimeHead(nn.Module):
    """Bring fine features back to every sample: (batch, n_in, traces, samples / 4) -> (batch, traces, samples).

    The four samples of a feature are four channels of one convolution, interleaved. It is computed for four features at
    once, whose sixteen samples are sixteen channels: processors take two thirds of the time for that, as they compute
    up to sixteen channels side by side.
    """

    def __init__(self, n_in: int, kernel_samples: int = KERNEL[1]) -> None:
        super().__init__()
        self.conv = conv(n_in, STEM_STRIDE, kernel=(KERNEL[0], kernel_samples))

    def forward(self, fine: Tensor) -> Tensor:
        """Return one value a sample; samples % 16 == 0."""
        one, bias = self.conv.weight, self.conv.bias
        assert bias is not None
        weight = torch.cat([nn.functional.pad(one, (later, AT_ONCE - 1 - later)) for later in range(AT_ONCE)])
        x = nn.functional.conv2d(fine, weight, bias.repeat(AT_ONCE), stride=(1, AT_ONCE), padding=self.conv.padding)
        return x.permute(0, 2, 3, 1).flatten(2)  # (B, 16, T, S/16) -> (B, T, S/16, 16) -> (B, T, S)


def spectral_normed(module: nn.Module) -> None:
    """Give each convolution and linear layer of a module unit spectral norm (Miyato et al. 2018, 1802.05957)."""
    for layer in list(weighted_layers(module)):
        parametrizations.spectral_norm(layer)


@contextmanager
def held_norms(module: nn.Module, *, hold: bool = True) -> Iterator[None]:
    """Hold the estimates of spectral norms where they are: parts of one batch must meet the same weights."""
    norms = [part for part in module.modules() if isinstance(part, parametrize.ParametrizationList) and part.training]
    for norm in norms if hold else ():
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()


@torch.no_grad()
def orthogonalise(module: nn.Module) -> None:
    """Begin with weights whose rows (columns, in layers that widen) are orthogonal (Saxe et al. 2014, 1312.6120).

    As with the other initial weights, the variance of what goes through a layer and its leaky ReLU is kept.
    """
    for layer in weighted_layers(module):
        nn.init.orthogonal_(layer.weight, nn.init.calculate_gain("leaky_relu", SLOPE))
        rows, columns = layer.weight.flatten(1).shape
        layer.weight *= max(1.0, rows / columns) ** 0.5


def weighted_layers(module: nn.Module) -> Iterator[nn.Conv2d | nn.Linear]:
    """Yield the convolutions and linear layers of a module in order of definition."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            yield layer


def channels_last(module: nn.Module) -> None:
    """Lay a module's weights out channels last, in place: convolutions on CPUs then take 0.6 of the time."""
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
