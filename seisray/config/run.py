"""How training runs, searches and the demonstration go."""

from dataclasses import dataclass
from typing import Literal, get_args

from seisray.config.checks import allow, require

Precision = Literal["auto", "fp32", "bf16"]
Tracker = Literal["none", "mlflow", "wandb"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """How a run goes.

    Parameters
    ----------
    batch
        Panels a step, over all workers together.
    least_workers
        Go on with as few where nodes are lost, and with more again when they are back (0 = wait for all).
    gpus
        Of each worker (0 = CPU).
    log_every
        In steps, as is checkpoint_every.
    retries
        Restarts after lost workers.
    wait_s
        Longest wait for room for the workers, e.g. for nodes to start; then the run fails, and can be gone on with.
    precision
        Of the convolutions; auto is bf16 where the processor computes in it, fp32 elsewhere.
    compile
        Compile networks by torch.compile at the first steps, which takes a minute or more, for all others. Needs g++ on
        CPUs, where a GAN's generator stays as it is; so does a D whose slope is penalised, which needs second
        derivatives.
    tracker
        Where figures go beside TensorBoard and Ray's metrics: mlflow (MLFLOW_TRACKING_URI) or wandb (WANDB_API_KEY).
    """

    steps: int = 400
    batch: int = 16
    workers: int = 2
    least_workers: int = 0
    gpus: float = 0
    seed: int = 0
    log_every: int = 10
    checkpoint_every: int = 50
    retries: int = 3
    wait_s: float = 900.0
    precision: Precision = "auto"
    compile: bool = False
    tracker: Tracker = "none"

    def __post_init__(self) -> None:
        allow(self, "at least 1", 1, 1e12, "steps", "batch", "workers", "log_every", "checkpoint_every")
        require(0 <= self.least_workers <= self.workers, self, "least_workers", f"0..{self.workers}")
        for workers in range(self.least_workers or self.workers, self.workers + 1):
            require(self.batch % workers == 0, self, "batch", f"a multiple of {workers} workers")
        allow(self, "at least 0", 0, 1e12, "gpus", "retries", "seed")
        allow(self, "1..1e9", 1, 1e9, "wait_s")
        for name, kind in (("precision", Precision), ("tracker", Tracker)):
            require(getattr(self, name) in get_args(kind), self, name, f"one of {', '.join(get_args(kind))}")


@dataclass(frozen=True, kw_only=True, slots=True)
class TuneConfig:
    """How a search goes; what a single trial does is in the settings of its training.

    seed: of the sampler. startup: trials drawn at random before it goes by what they showed. grace: share of the steps
    that every trial may take; then, and at each further multiple by `reduction`, only the best one in `reduction` goes
    on. concurrent: trials at a time (0 = as many as the cluster has room for).
    """

    seed: int = 0
    startup: int = 6
    grace: float = 0.4
    reduction: float = 2.0
    concurrent: int = 0

    def __post_init__(self) -> None:
        allow(self, "at least 0", 0, 1e12, "seed", "startup", "concurrent")
        require(0 < self.grace <= 1, self, "grace", "0 < grace <= 1 (1 = never stop a trial early)")
        require(1 < self.reduction <= 16, self, "reduction", "1 < reduction <= 16")


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoConfig:
    """Settings of `seisray demo`, sized for two cores and ten minutes.

    shots, snr_db: of the synthetic survey; the noisiest shots decide how many picks anybody could make.
    labelled: gathers with labels that both pickers learn from.
    gan_steps, gan_batch, picker_steps: how long they train; the GAN learns features in half of its steps.
    """

    shots: int = 60
    snr_db: tuple[float, float] = (12.0, 30.0)
    labelled: int = 20
    gan_steps: int = 500
    gan_batch: int = 8
    picker_steps: int = 330

    def __post_init__(self) -> None:
        allow(self, "at least 1", 1, 1e9, "shots", "labelled", "gan_steps", "gan_batch", "picker_steps")
