"""The generator, and what keeps it and the discriminator in balance."""

import math
from dataclasses import dataclass, field
from typing import Literal

from seisray.config.checks import allow, require
from seisray.config.panel import BodyConfig, PanelConfig
from seisray.config.rebuild import MaskedConfig, RebuildTrainConfig
from seisray.config.run import TrainConfig
from seisray.config.watch import WatchConfig


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
        After n steps of the game that decay is at most (n + 1) / (n + 1 + ema_ramp): early steps are forgotten (0 =
        off).
    spectral_norm
        Hold every layer of G to unit spectral norm.
    orthogonal
        Begin with orthogonal weights.
    """

    latent: int = 64
    channels: tuple[int, int, int, int] = (16, 32, 48, 64)
    ema: float = 0.999
    ema_ramp: int = 9
    spectral_norm: bool = False
    orthogonal: bool = False

    def __post_init__(self) -> None:
        require(self.latent >= 1, self, "latent", "at least 1")
        require(all(type(n) is int for n in self.channels), self, "channels", "whole numbers")
        require(len(self.channels) == 4 and min(self.channels) >= 2, self, "channels", "four numbers of at least 2")
        require(0 <= self.ema < 1, self, "ema", "0 <= ema < 1")
        allow(self, "at least 0", 0, 1e12, "ema_ramp")


@dataclass(frozen=True, kw_only=True, slots=True)
class AdversaryConfig:
    """What keeps the two networks in balance; every part can be off.

    Parameters
    ----------
    judge
        features: D's body learns to repair what is hidden, then stays as it is, and heads judge what it makes of a
        panel. unet: the body learns as it judges, and repairs beside.
    feature_share
        Share of the steps in which the body learns to repair, before the game (features only).
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
    cool_share
        Share of the run, its end, in which both rates and the changes of `augment` fall to zero along a cosine (0 =
        off).
    beta1
        Of both Adam optimisers, as is beta2.
    d_steps
        Steps of D for each of G, all on the step's real panels, each with fresh fakes.
    gradient_clip
        Largest norm of either network's gradient (0 = off).
    accumulate
        Micro-batches a step, for batches that do not fit in memory.
    top_k
        Share of the fakes, those that D likes best, that G learns from at the end of the game, from all at its start
        (1 = off).
    r1
        Weight of the squared slope, at real panels, of D's logits, one of its patches and, by pixel_weight, one of its
        pixels (0 = off).
    r2
        The same at generated panels.
    gradient_penalty
        Weight of the squared departure from 1 of the slope of a panel's mean logit and, by pixel_weight, of its pixels'
        between real and generated panels, as of WGAN-GP (0 = off).
    penalty_every
        Steps from one payment of these three to the next, each so many times as large (1 = every step).
    penalty_decay
        What is left of their weights at the end of the game, along a cosine (1 = all).
    augment
        Probability of each change to what D sees, real and generated alike (0 = off).
    augment_target
        Mean sign of D's logits on field panels by which that probability adapts, beginning at `augment` (0 = off).
    augment_steps
        In which an adapting probability goes from 0 to 1.
    coarse_share
        Share of the game, its beginning, in which all that D judges sharpens from an eighth of its resolution to all of
        it (0 = off): G learns the large features first, as by progressive growing.
    instance_noise
        Standard deviation of noise on all that D judges in the game's first step, in units of a panel (0 = off).
    instance_noise_steps
        In which it falls to zero.
    label_smoothing
        Share by which field panels count as generated; bce and sigmoid only (0 = off).
    cutmix
        Probability that D's step adds panels pieced together from a real and a generated one, to be judged pixel by
        pixel, and by a U-Net as generated (0 = off).
    cutmix_weight
        Of the squared difference between their pixel logits and those of the pieces (consistency).
    lecam
        Weight of the squared distance of real logits from the running mean of generated ones, and of generated ones
        from that of real ones (0 = off).
    pixel_weight
        Of the per-pixel logits.
    reconstruction_weight
        Of the head that repairs what was hidden (0 = off; unet only, as the body of features does nothing else).
    hidden_traces
        Share of the traces hidden.
    hidden_blocks
        Number of blocks hidden.
    """

    judge: Literal["features", "unet"] = "features"
    feature_share: float = 0.2
    loss: Literal["bce", "hinge", "wgan", "rpgan", "sigmoid"] = "rpgan"
    spectral_norm: bool = True
    orthogonal: bool = False
    minibatch_std: int = 2
    d_lr: float = 4e-4
    lr_ratio: float = 1.0
    cool_share: float = 0.0
    beta1: float = 0.0
    beta2: float = 0.99
    d_steps: int = 1
    gradient_clip: float = 0.0
    accumulate: int = 1
    top_k: float = 1.0
    r1: float = 0.0
    r2: float = 0.0
    gradient_penalty: float = 0.0
    penalty_every: int = 1
    penalty_decay: float = 1.0
    augment: float = 0.2
    augment_target: float = 0.0
    augment_steps: int = 1000
    coarse_share: float = 0.0
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
        require(self.judge in ("features", "unet"), self, "judge", "one of features, unet")
        allow(self, "0.01..0.9", 0.01, 0.9, "feature_share")
        losses = ("bce", "hinge", "wgan", "rpgan", "sigmoid")
        require(self.loss in losses, self, "loss", f"one of {', '.join(losses)}")
        require(self.minibatch_std == 0 or self.minibatch_std >= 2, self, "minibatch_std", "0 (off) or at least 2")
        allow(self, "1e-7..1", 1e-7, 1, "d_lr")
        allow(self, "0.01..100", 0.01, 100, "lr_ratio")
        require(0 <= self.beta1 < 1, self, "beta1", "0 <= beta1 < 1")
        require(0 <= self.beta2 < 1, self, "beta2", "0 <= beta2 < 1")
        allow(self, "1..100", 1, 100, "d_steps")
        allow(self, "1..10000", 1, 10000, "accumulate", "penalty_every")
        require(0 < self.top_k <= 1, self, "top_k", "0 < top_k <= 1 (1 = off)")
        allow(self, "0..1000", 0, 1000, "r1", "r2", "gradient_penalty", "lecam", "cutmix_weight")
        allow(self, "0..1000", 0, 1000, "pixel_weight", "reconstruction_weight")
        allow(self, "0..1", 0, 1, "coarse_share", "cool_share", "penalty_decay", "augment", "augment_target", "cutmix")
        safe = self.augment <= 0.8 or self.augment_target == 0
        require(safe, self, "augment", "at most 0.8 where it adapts: beyond, G learns the changes too")
        allow(self, "0..0.5", 0, 0.5, "label_smoothing")
        smoothed = self.loss in ("bce", "sigmoid") or self.label_smoothing == 0
        require(smoothed, self, "label_smoothing", f"0 with the loss {self.loss}, which has no labels")
        allow(self, "0..1e6 (0 = off)", 0, 1e6, "gradient_clip")
        allow(self, "0..10", 0, 10, "instance_noise")
        allow(self, "at least 1", 1, 1e12, "augment_steps", "instance_noise_steps")
        least = 0.01 if self.judge == "features" else 0.0
        allow(self, f"{least:g}..0.9", least, 0.9, "hidden_traces")
        allow(self, "0..64", 0, 64, "hidden_blocks")


@dataclass(frozen=True, kw_only=True, slots=True)
class GameConfig:
    """Settings of every run in which one network is judged by another.

    sample_every: steps between sheets of generated panels. held_out: share of the gathers that is not learned from, for
    the measurements at the end. measured: how many panels these take of each kind (0 = leave them out).
    """

    panel: PanelConfig = field(default_factory=PanelConfig)
    body: BodyConfig = field(default_factory=BodyConfig)
    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)
    train: TrainConfig = field(default_factory=lambda: TrainConfig(steps=2000, checkpoint_every=100))
    watch: WatchConfig = field(default_factory=WatchConfig)
    sample_every: int = 100
    held_out: float = 0.1
    measured: int = 384

    def __post_init__(self) -> None:
        allow(self, "at least 1", 1, 1e12, "sample_every")
        allow(self, "0..0.5", 0, 0.5, "held_out")
        require(self.measured == 0 or self.measured >= 16, self, "measured", "0 (off) or at least 16")
        train, adversary = self.train, self.adversary
        learning = self.feature_steps < train.steps
        require(learning, adversary, "feature_share", f"less than all {train.steps} steps, or no game is left")
        groups = adversary.accumulate * max(adversary.minibatch_std, 1)
        of_what = f"AdversaryConfig.accumulate = {adversary.accumulate} x minibatch_std = {adversary.minibatch_std}"
        for workers in range(train.least_workers or train.workers, train.workers + 1):
            whole = train.batch // workers % groups == 0
            require(whole, train, "batch", f"a multiple of {groups} panels for each of {workers} workers ({of_what})")

    @property
    def feature_steps(self) -> int:
        """Steps in which D's body learns to repair, before the game."""
        share = self.adversary.feature_share if self.adversary.judge == "features" else 0.0
        return math.ceil(share * self.train.steps)

    def repairing(self) -> MaskedConfig:
        """Return how the body learns to repair."""
        train, adversary = self.train, self.adversary
        return MaskedConfig(
            panel=self.panel,
            body=self.body,
            accumulate=adversary.accumulate,
            hidden_traces=adversary.hidden_traces,
            hidden_blocks=adversary.hidden_blocks,
            train=RebuildTrainConfig(
                steps=self.feature_steps,
                batch=train.batch,
                workers=train.workers,
                seed=train.seed,
                precision=train.precision,
                compile=train.compile,
            ),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class GanConfig(GameConfig):
    """Settings of `seisray pretrain gan`; sample_every, held_out and measured as of every game."""

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
