"""What a run does where it goes wrong."""

from dataclasses import dataclass
from typing import Literal, get_args

from seisray.config.checks import allow, require

Action = Literal["off", "warn", "stop", "rollback"]


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchConfig:
    """What a run does where it goes wrong: off, warn, stop, or rollback to the last good checkpoint.

    Parameters
    ----------
    broken
        A figure is NaN or infinite.
    explosion
        A gradient's norm is explosion_factor times what is usual: the largest since the last look, and the median of
        such over the last 50 looks.
    explosion_factor
        See explosion.
    beaten
        D is right about beaten_accuracy of the panels, or of their patches where it judges features, in the mean of the
        last 20 logged steps: G has little to learn from.
    beaten_accuracy
        See beaten.
    collapse
        Samples are less diverse than collapse_ratio times field panels, at a checkpoint: in the mean of any two, or in
        how far the nearest other one is. Refined panels are compared with what they were made of.
    collapse_ratio
        See collapse.
    rollbacks
        At most; where one more were needed the run stops.
    rollback_lr
        Factor on all learning rates at each rollback.
    """

    broken: Action = "rollback"
    explosion: Action = "warn"
    explosion_factor: float = 100.0
    beaten: Action = "warn"
    beaten_accuracy: float = 0.98
    collapse: Action = "warn"
    collapse_ratio: float = 0.3
    rollbacks: int = 3
    rollback_lr: float = 0.5

    def __post_init__(self) -> None:
        for fault in ("broken", "explosion", "beaten", "collapse"):
            require(getattr(self, fault) in get_args(Action), self, fault, f"one of {', '.join(get_args(Action))}")
        allow(self, "1.5..1e9", 1.5, 1e9, "explosion_factor")
        allow(self, "0.5..1", 0.5, 1, "beaten_accuracy")
        allow(self, "0..1", 0, 1, "collapse_ratio")
        allow(self, "0..1000", 0, 1000, "rollbacks")
        allow(self, "0.01..1", 0.01, 1, "rollback_lr")
