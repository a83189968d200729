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
    """The generator and its averaged copy.

    Parameters
    ----------
    latent
        Length of z.
    channels
        Of the four levels, finest first.
    ema
        Decay a step of the averaged copy (0 = off).
    ema_ramp
        After n steps that decay is at most (n + 1) / (n + 1 + ema_ramp): early steps are forgotten (0 = off).
    spectral_norm
        Hold every layer of G to unit spectral norm.
    orthogonal
        Begin with orthogonal weights.
    """

    latent: int = 64
    channels: tuple[int, int, int, int] = (16, 32, 48, 64)
    ema: float = 0.99
    ema_ramp: int = 9
    spectral_norm: bool = False
    orthogonal: bool = False

    def __post_init__(self) -> None:
        _require(self.latent >= 1, self, "latent", "at least 1")
        _require(len(self.channels) == 4 and min(self.channels) >= 2, self, "channels", "four numbers of at least 2")
        _require(0 <= self.ema < 1, self, "ema", "0 <= ema < 1")
        _allow(self, "at least 0", 0, 1e12, "ema_ramp")


@dataclass(frozen=True, kw_only=True, slots=True)
class AdversaryConfig:
    """What keeps the two networks in balance; every part can be off.

    Parameters
    ----------
    loss
        bce (non-saturating, on logits), hinge, wgan (without gradient_penalty or spectral_norm its logits only grow),
        rpgan (each real panel against one fake), sigmoid (bce of squashed outputs; exists to show what logits spare).
    spectral_norm
        Hold D's judging layers to unit spectral norm.
    orthogonal
        Begin with orthogonal weights in D.
    minibatch_std
        Panels in a group whose spread D is shown; divides a worker's micro-batch (0 = off).
    d_lr
        Learning rate of D.
    lr_ratio
        D's rate over G's.
    beta1
        Of both Adam optimisers, as is beta2.
    d_steps
        Steps of D for each of G, all on the step's real panels, each with fresh fakes.
    gradient_clip
        Largest norm of either network's gradient (0 = off).
    accumulate
        Micro-batches a step, for batches that do not fit in memory.
    top_k
        Share of the fakes, those that D likes best, that G learns from at the end of a run, from all at its start
        (1 = off).
    r1
        Weight of D's squared gradient at real panels (0 = off).
    r2
        The same at generated panels.
    gradient_penalty
        Weight of D's squared departure from slope 1 between real and generated panels, as of WGAN-GP (0 = off).
    penalty_every
        Steps from one payment of these three to the next, each so many times as large (1 = every step).
    penalty_decay
        What is left of their weights at the end of the run, along a cosine (1 = all).
    augment
        Probability of each change to what D sees, real and generated alike (0 = off).
    augment_target
        Mean sign of D's logits on field panels by which that probability adapts, beginning at `augment` (0 = off).
    augment_steps
        In which an adapting probability goes from 0 to 1.
    instance_noise
        Standard deviation of noise on all that D judges at the first step, in units of a panel (0 = off).
    instance_noise_steps
        In which it falls to zero.
    label_smoothing
        Share by which field panels count as generated; bce and sigmoid only (0 = off).
    cutmix
        Probability that D's step adds panels pieced together from a real and a generated one (0 = off).
    cutmix_weight
        Of the squared difference between their pixel logits and those of the pieces.
    lecam
        Weight of the squared distance of real logits from the running mean of generated ones, and of generated ones
        from that of real ones (0 = off).
    pixel_weight
        Of the per-pixel logits.
    reconstruction_weight
        Of the head that repairs what was hidden (0 = off).
    hidden_traces
        Share of the traces hidden.
    hidden_blocks
        Number of blocks hidden.
    """

    loss: Literal["bce", "hinge", "wgan", "rpgan", "sigmoid"] = "bce"
    spectral_norm: bool = True
    orthogonal: bool = False
    minibatch_std: int = 0
    d_lr: float = 4e-4
    lr_ratio: float = 1.0
    beta1: float = 0.0
    beta2: float = 0.99
    d_steps: int = 1
    gradient_clip: float = 0.0
    accumulate: int = 1
    top_k: float = 1.0
    r1: float = 0.3
    r2: float = 0.0
    gradient_penalty: float = 0.0
    penalty_every: int = 1
    penalty_decay: float = 1.0
    augment: float = 0.0
    augment_target: float = 0.0
    augment_steps: int = 1000
    instance_noise: float = 0.0
    instance_noise_steps: int = 1000
    label_smoothing: float = 0.0
    cutmix: float = 0.0
    cutmix_weight: float = 1.0
    lecam: float = 0.0
    pixel_weight: float = 0.5
    reconstruction_weight: float = 4.0
    hidden_traces: float = 0.15
    hidden_blocks: int = 3

    def __post_init__(self) -> None:
        losses = ("bce", "hinge", "wgan", "rpgan", "sigmoid")
        _require(self.loss in losses, self, "loss", f"one of {', '.join(losses)}")
        _require(self.minibatch_std == 0 or self.minibatch_std >= 2, self, "minibatch_std", "0 (off) or at least 2")
        _allow(self, "1e-7..1", 1e-7, 1, "d_lr")
        _allow(self, "0.01..100", 0.01, 100, "lr_ratio")
        _require(0 <= self.beta1 < 1, self, "beta1", "0 <= beta1 < 1")
        _require(0 <= self.beta2 < 1, self, "beta2", "0 <= beta2 < 1")
        _allow(self, "1..100", 1, 100, "d_steps")
        _allow(self, "1..10000", 1, 10000, "accumulate", "penalty_every")
        _require(0 < self.top_k <= 1, self, "top_k", "0 < top_k <= 1 (1 = off)")
        _allow(self, "0..1000", 0, 1000, "r1", "r2", "gradient_penalty", "lecam", "cutmix_weight")
        _allow(self, "0..1000", 0, 1000, "pixel_weight", "reconstruction_weight")
        _allow(self, "0..1", 0, 1, "penalty_decay", "augment", "augment_target", "cutmix")
        safe = self.augment <= 0.8 or self.augment_target == 0
        _require(safe, self, "augment", "at most 0.8 where it adapts: beyond, G learns the changes too")
        _allow(self, "0..0.5", 0, 0.5, "label_smoothing")
        smoothed = self.loss in ("bce", "sigmoid") or self.label_smoothing == 0
        _require(smoothed, self, "label_smoothing", f"0 with the loss {self.loss}, which has no labels")
        _allow(self, "0..1e6 (0 = off)", 0, 1e6, "gradient_clip")
        _allow(self, "0..10", 0, 10, "instance_noise")
        _allow(self, "at least 1", 1, 1e12, "augment_steps", "instance_noise_steps")
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
