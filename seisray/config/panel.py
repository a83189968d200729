"""What networks see, and the body that they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from seisray.config.checks import allow, require
from seisray.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelConfig:
    """Windows cut from gathers.

    traces, samples: size of a panel; multiples of 8 and 32. gain: k in asinh(k * x / RMS): of the trace, in a
    picker as of `running_rms`.
    per_gather: panels cut from a gather each time its shard is read.
    """

    traces: int = 32
    samples: int = 256
    gain: float = 10.0
    per_gather: int = 4

    def __post_init__(self) -> None:
        require(self.traces >= 8 and self.traces % 8 == 0, self, "traces", "a multiple of 8")
        require(self.samples >= 32 and self.samples % 32 == 0, self, "samples", "a multiple of 32")
        require(0 < self.gain <= 1e6, self, "gain", "above 0 and at most 1e6")
        allow(self, "1..1000", 1, 1000, "per_gather")


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyConfig:
    """The U-Net that discriminator and picker share.

    channels: of its four levels, finest first; processors compute eight at a time, and take as long for 12 as for 16.
    With 8 at the finest level the network takes 0.8 of the time, and pickers do less well on ground they never saw.
    kernel_samples: that convolutions of its blocks and heads see of a trace, 3, 5 or 7; the stem sees 11.
    """

    channels: tuple[int, int, int, int] = (16, 24, 40, 48)
    kernel_samples: int = 7

    def __post_init__(self) -> None:
        require(all(type(n) is int for n in self.channels), self, "channels", "whole numbers")
        require(len(self.channels) == 4 and min(self.channels) >= 2, self, "channels", "four numbers of at least 2")
        whole = type(self.kernel_samples) is int
        require(whole and self.kernel_samples in (3, 5, 7), self, "kernel_samples", "3, 5 or 7")

    @classmethod
    def from_card(cls, body: Any) -> Self:
        """Return the body that a model's card describes; raise ConfigError where it describes none."""
        names = {field.name for field in fields(cls)}
        if not isinstance(body, Mapping) or set(body) != names or not isinstance(body["channels"], Sequence):
            raise ConfigError(f"its card's body is {body!r}, expected {' and '.join(sorted(names))}")
        return cls(**{**body, "channels": tuple(body["channels"])})
