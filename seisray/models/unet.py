"""The U-Net body that discriminator and picker share, so that the one can become the other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

KERNEL = (3, 7)  # traces x samples: moveout is slow across traces, wavelets are a few samples long
SLOPE = 0.2  # of the leaky ReLUs
TRACE_MULTIPLE, SAMPLE_MULTIPLE = 8, 16


def conv(n_in: int, n_out: int, *, kernel: tuple[int, int] = KERNEL, stride: tuple[int, int] = (1, 1)) -> nn.Conv2d:
    """Return a convolution that keeps the size, but for its stride, and the variance of what goes through it."""
    layer = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=(kernel[0] // 2, kernel[1] // 2))
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


class Block(nn.Sequential):
    """Two convolutions: (batch, n_in, traces, samples) -> (batch, n_out, traces, samples).

    There is no norm: one over a panel would let the far end of a gather change the picks here, and pickers learn as
    well without.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(conv(n_in, n_out), nn.LeakyReLU(SLOPE), conv(n_out, n_out), nn.LeakyReLU(SLOPE))


class Body(nn.Module):
    """Map panels (batch, 1, traces, samples) to features at two scales; traces % 8 == 0, samples % 16 == 0.

    A stem halves time, three poolings halve both axes. Returns the finest decoder features
    (batch, channels[0], traces, samples / 2) and the deepest encoder features
    (batch, channels[3], traces / 8, samples / 16).
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(1, channels[0], stride=(1, 2)), nn.LeakyReLU(SLOPE))
        pairs = list(zip([channels[0], *channels], channels, strict=False))
        self.encoder = nn.ModuleList(Block(n_in, n_out) for n_in, n_out in pairs)
        steps = list(zip(channels[:0:-1], channels[-2::-1], strict=True))
        self.decoder = nn.ModuleList(Block(deep + fine, fine) for deep, fine in steps)
        self.pool = nn.AvgPool2d(2)
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")

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
        """Return the finest features of the decoder, of what `encode` returned."""
        *skips, x = features
        for block in self.decoder:
            x = block(torch.cat([self.grow(x), skips.pop()], dim=1))
        return x

    def blank_skips(self, deep: Tensor) -> list[Tensor]:
        """Return zeros of the shapes that `encode` gives besides its deepest features."""
        n, _, traces, samples = deep.shape
        widths = [block[0].out_channels for block in self.encoder][:-1]  # type: ignore[index]
        factors = [2 ** (len(widths) - level) for level in range(len(widths))]
        return [
            deep.new_zeros(n, width, factor * traces, factor * samples)
            for width, factor in zip(widths, factors, strict=True)
        ]


class TimeHead(nn.Module):
    """Bring fine features back to every sample: (batch, n_in, traces, samples / 2) -> (batch, traces, samples).

    The two samples of a pair are two channels of one convolution, interleaved.
    """

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.conv = conv(n_in, 2)

    def forward(self, fine: Tensor) -> Tensor:
        """Return one value a sample."""
        x = self.conv(fine)  # (B, 2, T, S/2)
        return x.permute(0, 2, 3, 1).flatten(2)  # (B, T, S/2, 2) -> (B, T, S)


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
