"""Looks at a picker while it learns: gathers held out, the best picker so far, and when to stop."""

from collections.abc import Mapping, Sequence
from math import inf, isfinite
from statistics import fmean
from typing import Any

from torch import Tensor, nn

from seisray.config import ValidationConfig
from seisray.errors import ConfigError
from seisray.gather import Gather, by_survey
from seisray.metrics.picks import PickScore


class Validation:
    """Keep the weights of the best picker so far: of the highest hit rate within 2 ms, of equals the least MAE.

    step: at which it was met, 0 = not yet. idle: looks since then.
    """

    def __init__(self, config: ValidationConfig) -> None:
        self.config = config
        self.step, self.idle = 0, 0
        self._hit_rate_2ms, self._mae_ms = -1.0, inf
        self._weights: dict[str, Tensor] = {}

    def look(self, step: int, picker: nn.Module, *scores: PickScore) -> dict[str, float]:
        """Take note of a picker and its scores on the gathers held out, one a survey; return figures for the history.

        Each survey counts alike, as it does in learning, however many gathers it has.
        """
        hit_rate = fmean(score.hit_rate_2ms for score in scores)
        known = [score.mae_ms for score in scores if isfinite(score.mae_ms)]
        mae_ms = fmean(known) if known else inf
        if (hit_rate, -mae_ms) > (self._hit_rate_2ms, -self._mae_ms):
            self.step, self.idle = step, 0
            self._hit_rate_2ms, self._mae_ms = hit_rate, mae_ms
            self._weights = {name: tensor.detach().cpu().clone() for name, tensor in picker.state_dict().items()}
        else:
            self.idle += 1
        return _figures(hit_rate, mae_ms)

    @property
    def over(self) -> bool:
        """Return whether patience is at its end."""
        return 0 < self.config.patience <= self.idle

    @property
    def figures(self) -> dict[str, float]:
        """Return the best picker's validation_hit_rate_2ms, and validation_mae_ms where it picked anything."""
        return _figures(self._hit_rate_2ms, self._mae_ms)

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next look depends on, and what is published: step, weights and figures."""
        best = {"hit_rate_2ms": self._hit_rate_2ms, "mae_ms": self._mae_ms, "weights": self._weights}
        return {"step": self.step, "idle": self.idle, **best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.step, self.idle, self._weights = state["step"], state["idle"], dict(state["weights"])
        self._hit_rate_2ms, self._mae_ms = state["hit_rate_2ms"], state["mae_ms"]


def _figures(hit_rate_2ms: float, mae_ms: float) -> dict[str, float]:
    return {"validation_hit_rate_2ms": hit_rate_2ms} | ({"validation_mae_ms": mae_ms} if isfinite(mae_ms) else {})


def not_judged(gathers: Sequence[Gather], held_out: Sequence[Gather]) -> list[str]:
    """Return a line for each survey of which no gather is held out, though some of others are."""
    judges, surveys = by_survey(held_out), by_survey(gathers)
    if not judges:
        return []
    return [
        f"{survey}: of {len(own)} labelled gathers none is held out, so that the picker is judged by "
        f"{', '.join(judges)} alone; label more, or raise --validation.share"
        for survey, own in surveys.items()
        if survey not in judges
    ]


def hold_out(gathers: Sequence[Gather], share: float) -> tuple[list[Gather], list[Gather]]:
    """Return the gathers to learn from and those held out: of each survey the last ones by FFID.

    Neighbouring shots look alike: gathers drawn at random would flatter. Raises ConfigError where none can be spared.
    """
    if share == 0:
        return list(gathers), []
    apart: set[int] = set()
    for survey in {gather.survey for gather in gathers}:
        own = sorted((i for i, one in enumerate(gathers) if one.survey == survey), key=lambda i: gathers[i].ffid)
        n = min(round(share * len(own)), len(own) - 1)
        apart |= set(own[len(own) - n :])
    if not apart:
        raise ConfigError(
            f"validation.share {share} of {len(gathers)} labelled gathers leaves none to validate by; "
            "label more gathers, or raise the share (0 = no validation)"
        )
    held_out = [gather for i, gather in enumerate(gathers) if i in apart]
    return [gather for i, gather in enumerate(gathers) if i not in apart], held_out
