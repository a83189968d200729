"""How gathers are picked."""

from dataclasses import dataclass
from typing import Literal, get_args

from seisray.config.checks import allow, require

SHIPPED = "shipped"
"""Name of the picker that comes with the package, in every store."""
Engine = Literal["torch", "bf16", "openvino"]
"""What computes a network that picks."""
Event = Literal["learned", "onset", "peak", "trough", "zero"]
"""What of a wavelet a pick marks."""
Polarity = Literal["auto", "recorded", "reversed"]
"""Which way up a picker sees records; auto = that which it is surer of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PickConfig:
    """What picks depend on besides the picker and the data; 0 turns each off.

    Parameters
    ----------
    engine
        What computes the network: torch, in float32; bf16, which is the same in bfloat16, faster where processors or
        GPUs compute in it, and puts up to one pick in fifty more than a tenth of a sample elsewhere; or openvino,
        in float32, for processors only (pip install seisray[openvino]).
    earliest_ms
        No pick lies before this time from the first sample.
    latest_ms
        No pick lies after this time from the first sample.
    fastest_m_s
        No pick lies before the offset over this velocity, counted from the shot.
    slowest_m_s
        No pick lies after the offset over this velocity, counted from the shot.
    slack_ms
        By which these velocities may be missed.
    smoothness
        What a pick that lies a millisecond off its neighbour's loses, in the logarithm of its probability: where a
        trace could be picked at several times, its neighbours decide.
    average
        Pick by the mean of what the picker says of a gather and of its mirror image, at twice the work.
    event
        What a pick marks: what the picker learned, or the onset, peak, trough or zero crossing nearest to that, which
        may lie outside the times above.
    event_ms
        Farthest that it lies from there; picks with none so near stay as they are.
    polarity
        Which way up the picker sees the records: as recorded, reversed, or as it is surer of some of them; a survey
        that it learned from as it did then.
    habit
        Labels, a survey in the store or, where a survey is picked, a CSV of it: picks are moved by the median of these
        labels less the picks of the same traces.
    habit_ms
        Added to every pick; in place of habit.
    """

    engine: Engine = "torch"
    earliest_ms: float = 0.0
    latest_ms: float = 0.0
    fastest_m_s: float = 0.0
    slowest_m_s: float = 0.0
    slack_ms: float = 5.0
    smoothness: float = 0.0
    average: bool = False
    event: Event = "learned"
    event_ms: float = 5.0
    polarity: Polarity = "auto"
    habit: str = ""
    habit_ms: float = 0.0

    def __post_init__(self) -> None:
        for name, kind in (("engine", Engine), ("event", Event), ("polarity", Polarity)):
            require(getattr(self, name) in get_args(kind), self, name, f"one of {', '.join(get_args(kind))}")
        allow(self, "0..1e6", 0, 1e6, "earliest_ms", "latest_ms", "slack_ms", "event_ms", "smoothness")
        allow(self, "-100..100", -100, 100, "habit_ms")
        allow(self, "0..1e5", 0, 1e5, "fastest_m_s", "slowest_m_s")
        require(not 0 < self.latest_ms <= self.earliest_ms, self, "latest_ms", "after earliest_ms, or 0")
        require(not 0 < self.fastest_m_s <= self.slowest_m_s, self, "fastest_m_s", "above slowest_m_s, or 0")
        moved = bool(self.habit or self.habit_ms)
        require(not moved or self.event == "learned", self, "event", "learned where picks are moved by a habit")
