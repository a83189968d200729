"""The rivals of the GAN: an autoencoder, and networks that repair what is hidden or find repairs."""

from dataclasses import dataclass, field

from seisray.config.checks import allow
from seisray.config.panel import BodyConfig, PanelConfig
from seisray.config.run import TrainConfig
from seisray.config.watch import WatchConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class RebuildTrainConfig(TrainConfig):
    """How a run of `seisray pretrain autoencoder`, `masked` or `inpaint` goes."""

    steps: int = 600
    batch: int = 12
    checkpoint_every: int = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskedConfig:
    """Settings of `seisray pretrain masked`.

    lr: peak of a one-cycle schedule. accumulate: micro-batches a step, for batches that do not fit in memory.
    hidden_traces: share of the traces hidden. hidden_blocks: blocks hidden a panel. sample_every: steps between sheets
    of repaired panels. held_out: share of the gathers that is not learned from.
    """

    panel: PanelConfig = field(default_factory=lambda: PanelConfig(traces=48, samples=512))
    body: BodyConfig = field(default_factory=BodyConfig)
    lr: float = 2e-3
    accumulate: int = 1
    hidden_traces: float = 0.15
    hidden_blocks: int = 3
    train: RebuildTrainConfig = field(default_factory=RebuildTrainConfig)
    watch: WatchConfig = field(default_factory=WatchConfig)
    sample_every: int = 100
    held_out: float = 0.1

    def __post_init__(self) -> None:
        allow(self, "0.01..0.9", 0.01, 0.9, "hidden_traces")
        _check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoencoderConfig(MaskedConfig):
    """Settings of `seisray pretrain autoencoder`.

    latent: numbers that a panel is squeezed into. hidden_traces, hidden_blocks: of what it sees (0 = show it whole;
    else it learns to rebuild what it did not see, too). The others: as of `masked`.
    """

    panel: PanelConfig = field(default_factory=lambda: PanelConfig(traces=32, samples=256))
    latent: int = 64
    hidden_traces: float = 0.0
    hidden_blocks: int = 0

    def __post_init__(self) -> None:
        allow(self, "0..0.9", 0, 0.9, "hidden_traces")
        allow(self, "2..4096", 2, 4096, "latent")
        _check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class InpaintConfig(MaskedConfig):
    """Settings of `seisray pretrain inpaint`. lr: of both networks, which stays; the others as of `masked`.

    spectral_norm: hold the detector's judging layers. guess_weight: of the repairer's error, beside being found.
    reconstruction_weight: of the detector's own repairs. gradient_clip: largest norm of either network's gradient.
    accumulate: 1, batches are taken whole.
    """

    lr: float = 4e-4
    spectral_norm: bool = False
    guess_weight: float = 1.0
    reconstruction_weight: float = 4.0
    gradient_clip: float = 10.0

    def __post_init__(self) -> None:
        allow(self, "0.01..0.9", 0.01, 0.9, "hidden_traces")
        allow(self, "0..1000", 0, 1000, "guess_weight", "reconstruction_weight")
        allow(self, "0.01..1e6", 0.01, 1e6, "gradient_clip")
        allow(self, "1: it takes its batches whole", 1, 1, "accumulate")
        _check(self)


def _check(config: MaskedConfig) -> None:
    allow(config, "1e-7..1", 1e-7, 1, "lr")
    allow(config, "0..64", 0, 64, "hidden_blocks")
    allow(config, "1..10000", 1, 10000, "accumulate")
    allow(config, "at least 1", 1, 1e12, "sample_every")
    allow(config, "0..0.5", 0, 0.5, "held_out")
