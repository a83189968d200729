"""Settings of every step: frozen dataclasses, checked at construction. They make the TOML files and the flags."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal

from seisray.errors import ConfigError


def _require(holds: bool, config: object, name: str, allowed: str) -> None:
    if not holds:
        raise ConfigError(f"{type(config).__name__}.{name} is {getattr(config, name)!r}, expected {allowed}")


def _allow(config: object, allowed: str, low: float, high: float, *names: str) -> None:
    for name in names:
        _require(low <= getattr(config, name) <= high, config, name, allowed)


def fingerprint(value: object) -> str:
    """Return 12 hexadecimal digits that change with any setting of a dataclass, or any value that JSON can hold."""
    plain: Any = dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def config_dict(config: Any) -> dict[str, Any]:
    """Return a configuration as JSON would give it back, for cards and comparisons."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelConfig:
    """Windows cut from gathers.

    traces, samples: size of a panel; multiples of 8 and 16. gain: k in asinh(k * x / RMS of the trace).
    per_gather: panels cut from a gather each time its shard is read.
    """

    traces: int = 32
    samples: int = 256
    gain: float = 10.0
    per_gather: int = 4

    def __post_init__(self) -> None:
        _require(self.traces >= 8 and self.traces % 8 == 0, self, "traces", "a multiple of 8")
        _require(self.samples >= 32 and self.samples % 16 == 0, self, "samples", "a multiple of 16, at least 32")
        _require(self.gain > 0, self, "gain", "above 0")
        _allow(self, "1..1000", 1, 1000, "per_gather")


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyConfig:
    """The U-Net that discriminator and picker share. channels: of its four levels, finest first."""

    channels: tuple[int, int, int, int] = (12, 24, 36, 48)

    def __post_init__(self) -> None:
        _require(len(self.channels) == 4 and min(self.channels) >= 2, self, "channels", "four numbers of at least 2")


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratorConfig:
    """latent: length of z. channels: finest level first. ema: decay a step of the averaged copy (0 = off)."""

    latent: int = 64
    channels: tuple[int, int, int, int] = (16, 32, 48, 64)
    ema: float = 0.99
    spectral_norm: bool = False

    def __post_init__(self) -> None:
        _require(self.latent >= 1, self, "latent", "at least 1")
        _require(len(self.channels) == 4 and min(self.channels) >= 2, self, "channels", "four numbers of at least 2")
        _require(0 <= self.ema < 1, self, "ema", "0 <= ema < 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class AdversaryConfig:
    """What keeps the two networks in balance; every part can be off.

    d_lr: learning rate of D; lr_ratio: D's rate over G's. r1: weight of the gradient penalty on real panels (0 = off).
    pixel_weight: of the per-pixel logits. reconstruction_weight: of the masked-reconstruction head; hidden_traces and
    hidden_blocks: what it hides, as a share of the traces and a number of blocks.
    """

    spectral_norm: bool = True
    d_lr: float = 4e-4
    lr_ratio: float = 1.0
    beta1: float = 0.0
    beta2: float = 0.99
    r1: float = 0.3
    pixel_weight: float = 0.5
    reconstruction_weight: float = 4.0
    hidden_traces: float = 0.15
    hidden_blocks: int = 3

    def __post_init__(self) -> None:
        _allow(self, "1e-7..1", 1e-7, 1, "d_lr")
        _allow(self, "0.01..100", 0.01, 100, "lr_ratio")
        _require(0 <= self.beta1 < 1, self, "beta1", "0 <= beta1 < 1")
        _require(0 <= self.beta2 < 1, self, "beta2", "0 <= beta2 < 1")
        _allow(self, "0..1000", 0, 1000, "r1", "pixel_weight", "reconstruction_weight")
        _allow(self, "0..0.9", 0, 0.9, "hidden_traces")
        _allow(self, "0..64", 0, 64, "hidden_blocks")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """How a run goes.

    batch: panels a step over all workers together. checkpoint_every, log_every: in steps.
    gpus: a worker (0 = CPU). retries: restarts after lost workers. precision: of the convolutions; auto is bf16 where
    the processor computes in it, fp32 elsewhere.
    """

    steps: int = 400
    batch: int = 16
    workers: int = 2
    gpus: float = 0
    seed: int = 0
    log_every: int = 10
    checkpoint_every: int = 50
    retries: int = 3
    precision: Literal["auto", "fp32", "bf16"] = "auto"

    def __post_init__(self) -> None:
        _allow(self, "at least 1", 1, 1e12, "steps", "batch", "workers", "log_every", "checkpoint_every")
        _require(self.batch % self.workers == 0, self, "batch", f"a multiple of workers ({self.workers})")
        _allow(self, "at least 0", 0, 1e12, "gpus", "retries", "seed")


@dataclass(frozen=True, kw_only=True, slots=True)
class GanConfig:
    """Settings of `seisray pretrain gan`. sample_every: steps between sheets of generated panels."""

    panel: PanelConfig = field(default_factory=PanelConfig)
    body: BodyConfig = field(default_factory=BodyConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    sample_every: int = 100

    def __post_init__(self) -> None:
        _allow(self, "at least 1", 1, 1e12, "sample_every")


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentConfig:
    """Changes that keep a first break a first break; 0 or 1 turns each off.

    stretch: time axis by a factor in 1/stretch .. stretch. shift: as a share of the panel. late: share of panels from
    anywhere in the record, most of them behind the first breaks. gain: amplitudes by a factor in 1/gain .. gain.
    noise: standard deviation at most, relative to the trace's RMS. dead: share of traces silenced. flip, polarity:
    probabilities.
    """

    stretch: float = 1.6
    shift: float = 0.3
    late: float = 0.1
    gain: float = 2.0
    noise: float = 0.1
    dead: float = 0.03
    flip: float = 0.5
    polarity: float = 0.5

    def __post_init__(self) -> None:
        _allow(self, "1..4", 1, 4, "stretch")
        _allow(self, "1..100", 1, 100, "gain")
        _allow(self, "0..1", 0, 1, "shift", "late", "dead", "flip", "polarity")
        _allow(self, "0..10", 0, 10, "noise")


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferConfig:
    """How a picker takes over learned weights. Rates are relative to lr; frozen: levels of the encoder held fixed."""

    lr: float = 2e-3
    encoder_lr: float = 1.0
    frozen: int = 0
    rescale: bool = True

    def __post_init__(self) -> None:
        _allow(self, "1e-7..1", 1e-7, 1, "lr")
        _allow(self, "0..10", 0, 10, "encoder_lr")
        _allow(self, "0..4", 0, 4, "frozen")


@dataclass(frozen=True, kw_only=True, slots=True)
class PickerPanelConfig(PanelConfig):
    """Panels that a picker learns from: larger, since it must see where the record begins."""

    traces: int = 48
    samples: int = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class PickerTrainConfig(TrainConfig):
    """How a picker's run goes: a handful of gathers is learned within minutes, in fp32, which times picks better."""

    steps: int = 600
    batch: int = 12
    checkpoint_every: int = 100
    precision: Literal["auto", "fp32", "bf16"] = "fp32"


@dataclass(frozen=True, kw_only=True, slots=True)
class PickerConfig:
    """Settings of `seisray finetune`. label_sigma: width of the soft labels in samples."""

    panel: PickerPanelConfig = field(default_factory=PickerPanelConfig)
    body: BodyConfig = field(default_factory=BodyConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)
    train: PickerTrainConfig = field(default_factory=PickerTrainConfig)
    label_sigma: float = 2.0

    def __post_init__(self) -> None:
        _allow(self, "0.1..50", 0.1, 50, "label_sigma")


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoConfig:
    """Settings of `seisray demo`, sized for two cores and ten minutes.

    shots, snr_db: of the synthetic survey; the noisiest shots decide how many picks anybody could make.
    labelled: gathers with labels that both pickers learn from.
    gan_steps, gan_batch, picker_steps: how long they train.
    """

    shots: int = 60
    snr_db: tuple[float, float] = (12.0, 30.0)
    labelled: int = 20
    gan_steps: int = 200
    gan_batch: int = 8
    picker_steps: int = 330

    def __post_init__(self) -> None:
        _allow(self, "at least 1", 1, 1e9, "shots", "labelled", "gan_steps", "gan_batch", "picker_steps")


@dataclass(frozen=True, kw_only=True, slots=True)
class TuneConfig:
    """How a search goes; what a single trial does is in the settings of its training.

    seed: of the sampler. startup: trials drawn at random before it goes by what they showed. grace: share of the steps
    that every trial may take; then, and at each further multiple by `reduction`, only the best one in `reduction` goes
    on. concurrent: trials at a time (0 = as many as the cluster has room for).
    """

    seed: int = 0
    startup: int = 6
    grace: float = 0.25
    reduction: float = 2.0
    concurrent: int = 0

    def __post_init__(self) -> None:
        _allow(self, "at least 0", 0, 1e12, "seed", "startup", "concurrent")
        _require(0 < self.grace <= 1, self, "grace", "0 < grace <= 1 (1 = never stop a trial early)")
        _require(1 < self.reduction <= 16, self, "reduction", "1 < reduction <= 16")
