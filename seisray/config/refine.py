"""The refiner of synthetic gathers, and what holds it to their first breaks."""

from dataclasses import dataclass, field

from seisray.config.checks import allow, require
from seisray.config.gan import AdversaryConfig, GameConfig
from seisray.config.panel import PanelConfig
from seisray.config.run import TrainConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class RefinerConfig:
    """The network that changes synthetic panels, and its averaged copy.

    Parameters
    ----------
    channels
        Of every layer.
    apart
        Samples from one that a layer takes to the next, a layer each: how far in time a layer sees.
    latent
        Numbers drawn a panel, by which loudness and colour of what is added differ from panel to panel.
    noise
        Show it noise of each trace and noise common to all, of which it can make what synthetic records lack.
    ema
        Decay a step of the averaged copy (0 = off).
    ema_ramp
        After n steps of the game that decay is at most (n + 1) / (n + 1 + ema_ramp) (0 = off).
    """

    channels: int = 12
    apart: tuple[int, ...] = (1, 2, 4, 8)
    latent: int = 8
    noise: bool = True
    ema: float = 0.99
    ema_ramp: int = 9

    def __post_init__(self) -> None:
        allow(self, "2..1024", 2, 1024, "channels")
        require(0 < len(self.apart) <= 16, self, "apart", "1 to 16 numbers")
        require(all(1 <= one <= 256 for one in self.apart), self, "apart", "numbers of 1..256")
        allow(self, "1..4096", 1, 4096, "latent")
        require(0 <= self.ema < 1, self, "ema", "0 <= ema < 1")
        allow(self, "at least 0", 0, 1e12, "ema_ramp")


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepConfig:
    """What a refined panel keeps of the synthetic one; every part can be off (0).

    Parameters
    ----------
    likeness
        Weight of the mean absolute change of a sample, anywhere.
    onset
        Weight of change that neighbouring traces share at one time from their first breaks, near these.
    rise
        Weight of energy that rises before the first break and did not.
    window
        Samples before and after a first break that are near it.
    stack
        Neighbouring traces that are compared.
    cycle
        Weight of what a second network cannot bring back of the synthetic panel (CycleGAN, 1703.10593).
    history
        Earlier refined panels from which D is shown half a batch (SimGAN, 1612.07828), so that what it learned of them
        is not lost.
    """

    likeness: float = 0.02
    onset: float = 2.0
    rise: float = 1.0
    window: int = 32
    stack: int = 8
    cycle: float = 0.0
    history: int = 64

    def __post_init__(self) -> None:
        allow(self, "0..1000", 0, 1000, "likeness", "onset", "rise", "cycle")
        allow(self, "2..4096", 2, 4096, "window")
        allow(self, "2..1024", 2, 1024, "stack")
        allow(self, "0..100000", 0, 100000, "history")


@dataclass(frozen=True, kw_only=True, slots=True)
class RefinePanelConfig(PanelConfig):
    """Windows cut from gathers, of the width of a usual spread."""

    traces: int = 48


@dataclass(frozen=True, kw_only=True, slots=True)
class RefineAdversaryConfig(AdversaryConfig):
    """What keeps refiner and judge in balance: the refiner learns faster, for it begins by changing nothing."""

    lr_ratio: float = 0.4
    augment: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RefineTrainConfig(TrainConfig):
    """How a run of `seisray refine` goes."""

    steps: int = 1500
    checkpoint_every: int = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class RefineConfig(GameConfig):
    """Settings of `seisray refine`. It plays the GAN's game: the refiner stands where the generator stood.

    sample_every: steps between sheets. held_out: share of the field gathers that is not learned from, for the
    measurements at the end. measured: how many panels these take of each kind (0 = leave them out).
    """

    panel: RefinePanelConfig = field(default_factory=RefinePanelConfig)
    refiner: RefinerConfig = field(default_factory=RefinerConfig)
    adversary: RefineAdversaryConfig = field(default_factory=RefineAdversaryConfig)
    keep: KeepConfig = field(default_factory=KeepConfig)
    train: RefineTrainConfig = field(default_factory=RefineTrainConfig)

    def __post_init__(self) -> None:
        GameConfig.__post_init__(self)
        require(self.keep.stack <= self.panel.traces, self.keep, "stack", f"at most panel.traces = {self.panel.traces}")
