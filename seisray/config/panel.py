"""What networks see, and the body that they share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from seisray.config.checks import allow, require


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelConfig:
    """Windows cut from gathers.

    traces, samples: size of a panel; multiples of 8 and 32. gain: k in asinh(k * x / RMS of the trace).
    per_gather: panels cut from a gather each time its shard is read.
    """

    traces: int = 32
    samples: int = 256
    gain: float = 10.0
    per_gather: int = 4

    def __post_init__(self) -> None:
        require(self.traces >= 8 and self.traces % 8 == 0, self, "traces", "a multiple of 8")
        require(self.samples >= 32 and self.samples % 32 == 0, self, "samples", "a multiple of 32")
        require(self.gain > 0, self, "gain", "above 0")
        allow(self, "1..1000", 1, 1000, "per_gather")


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyConfig:
    """The U-Net that discriminator and picker share.

    channels: of its four levels, finest first; processors compute eight at a time, and take as long for 12 as for 16.
    With 8 at the finest level picking is 1.4 times as fast, and pickers do less well on ground that they never saw.
    kernel_samples: that a convolution sees of a trace, 3, 5 or 7.
    """

    channels: tuple[int, int, int, int] = (16, 24, 40, 48)
    kernel_samples: int = 7

    def __post_init__(self) -> None:
        require(len(self.channels) == 4 and min(self.channels) >= 2, self, "channels", "four numbers of at least 2")
        require(self.kernel_samples in (3, 5, 7), self, "kernel_samples", "3, 5 or 7")

    @classmethod
    def from_card(cls, body: Mapping[str, Any]) -> Self:
        """Return the body that a model's card describes; those of models made before it could be chosen saw 7 samples.

        Raises KeyError, TypeError or ConfigError where it describes none.
        """
        return cls(**{"kernel_samples": 7, **body, "channels": tuple(body["channels"])})
