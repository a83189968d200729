"""How a picker is made of learned weights."""

from dataclasses import dataclass, field

from seisray.config.checks import allow, require
from seisray.config.panel import BodyConfig, PanelConfig
from seisray.config.run import Precision, TrainConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentConfig:
    """Changes that keep a first break a first break; 0 or 1 turns each off.

    stretch: time axis by a factor in 1/stretch .. stretch. shift: as a share of the panel. late: share of panels
    from anywhere in the record, most of them behind the first breaks. moveout: by how much of the panel its last
    trace is brought forward or back against its first, at most, and those between in proportion: a handful of
    gathers is learned by heart otherwise, by the slope of their first breaks. statics: each trace by so many
    samples, a standard deviation, at most. gain, trace_gain: amplitudes by a factor in 1/gain .. gain, and those of
    each trace by another: what a sample is measured by depends on what else was recorded. noise: standard deviation
    at most, relative to what samples are measured by. dead: share of traces silenced. empty: share of panels of
    noise alone, without a first break. flip, polarity: probabilities; who picks by the first peak picks another
    time where it becomes a trough. decimate: probability of taking every second or third trace, where there are
    enough. reversed: share of traces whose polarity alone is so. hum, plane_wave, recorded, later_shot:
    probabilities of power-line hum, of wavelets that cross the spread, of noise from before the first breaks of
    another labelled gather, and of such a gather behind the first breaks of this one; each at up to 0.3 of the
    traces' RMS.
    """

    stretch: float = 1.6
    shift: float = 0.1
    late: float = 0.05
    moveout: float = 0.375
    statics: float = 2.0
    gain: float = 8.0
    trace_gain: float = 3.0
    noise: float = 0.1
    dead: float = 0.03
    empty: float = 0.02
    flip: float = 0.5
    polarity: float = 0.0
    decimate: float = 0.0
    reversed: float = 0.0
    hum: float = 0.0
    plane_wave: float = 0.0
    recorded: float = 0.0
    later_shot: float = 0.0

    def __post_init__(self) -> None:
        allow(self, "1..4", 1, 4, "stretch")
        allow(self, "1..100", 1, 100, "gain", "trace_gain")
        allow(
            self, "0..1", 0, 1, "shift", "late", "moveout", "dead", "empty", "flip", "polarity", "decimate", "reversed"
        )
        allow(self, "0..1", 0, 1, "hum", "plane_wave", "recorded", "later_shot")
        allow(self, "0..10", 0, 10, "noise")
        allow(self, "0..50", 0, 50, "statics")


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferConfig:
    """How a picker takes over learned weights.

    decoder: take the decoder's, too, and with it a picker's head. encoder_lr: relative to lr. frozen: levels of the
    encoder held fixed. thaw: share of the steps in which the encoder's levels begin to learn one after another, the
    deepest first (0 = all from the first step). level_lr: of a level relative to the next deeper one (1 = alike).
    rescale: give each layer's outputs unit variance on the labelled panels, but for a picker's. ema: decay of the
    average of the weights over the last steps, which then is the picker that is scored and published (0 = off, the
    weights of the last step).
    """

    lr: float = 2e-3
    decoder: bool = True
    encoder_lr: float = 1.0
    frozen: int = 0
    thaw: float = 0.0
    level_lr: float = 1.0
    rescale: bool = True
    ema: float = 0.0

    def __post_init__(self) -> None:
        allow(self, "1e-7..1", 1e-7, 1, "lr")
        allow(self, "0..10", 0, 10, "encoder_lr")
        allow(self, "0..4", 0, 4, "frozen")
        allow(self, "0..1", 0, 1, "thaw")
        allow(self, "0.01..1", 0.01, 1, "level_lr")
        require(0 <= self.ema < 1, self, "ema", "0 <= ema < 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignConfig:
    """How a picker's features are made alike on labelled gathers and on field gathers without labels.

    weight: of the reversed gradient of a network that tells the two apart, to which it rises in the course of the run
    (0 = off, no field gathers are used). A batch has as many panels of the one as of the other.
    """

    weight: float = 0.0

    def __post_init__(self) -> None:
        allow(self, "0..10", 0, 10, "weight")


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationConfig:
    """How a picker is looked at while it learns; the best one that was met is published.

    share: of the labelled gathers of each survey held out, the last by FFID (0 = off, the last step's picker is
    published). every: steps from one look to the next. patience: looks without a better picker after which the run
    stops (0 = never).
    """

    share: float = 0.0
    every: int = 50
    patience: int = 0

    def __post_init__(self) -> None:
        allow(self, "0..0.9", 0, 0.9, "share")
        allow(self, "at least 1", 1, 1e12, "every")
        allow(self, "at least 0", 0, 1e12, "patience")


@dataclass(frozen=True, kw_only=True, slots=True)
class PickerPanelConfig(PanelConfig):
    """Panels that a picker learns from: larger, since it must see where the record begins."""

    traces: int = 48
    samples: int = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class PickerTrainConfig(TrainConfig):
    """How a picker's run goes: a handful of gathers is learned within minutes, in fp32, which times picks better."""

    steps: int = 1000
    batch: int = 12
    checkpoint_every: int = 100
    precision: Precision = "fp32"


@dataclass(frozen=True, kw_only=True, slots=True)
class PickerConfig:
    """Settings of `seisray finetune`.

    label_sigma: width of the soft labels in samples. habits: move the labels of each survey by a constant onto what the
    source picker marks, so that surveys picked by different habits teach one event; the card says by how much. What
    comes of it marks that event, too: `pick --habit` moves picks to a survey's labels. calibrate: divide the logits by
    the temperature with which probabilities fit hits best, on gathers held out where there are any, else on panels of
    those learned from, which flatter; as many traces are picked as before.

    Where a source is a picker, gathers are brought to its tempo.
    """

    panel: PickerPanelConfig = field(default_factory=PickerPanelConfig)
    body: BodyConfig = field(default_factory=BodyConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    train: PickerTrainConfig = field(default_factory=PickerTrainConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    label_sigma: float = 2.0
    habits: bool = False
    calibrate: bool = False

    def __post_init__(self) -> None:
        allow(self, "0.1..50", 0.1, 50, "label_sigma")
