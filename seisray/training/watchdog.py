"""The watchdog of a run: NaN, exploding gradients, a D that wins outright, collapse."""

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from seisray.config import WatchConfig
from seisray.training.agreement import highest

ACTIONS = ("off", "warn", "rollback", "stop")
PASSING = {"broken", "explosion"}  # faults of a step, not of a game
NORMS = ("gradient", "d_gradient", "g_gradient")
LEAST_NORMS, MOST_NORMS = 10, 50
ACCURACIES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """Say what went wrong at a step, and what is done about it."""

    step: int
    fault: str
    text: str
    action: str

    def __str__(self) -> str:
        done = {"warn": "warning", "rollback": "back to the last good checkpoint", "stop": "stopping"}[self.action]
        return f"step {self.step}: {self.fault}: {self.text}: {done}"


class Watchdog:
    """Look at the figures of a run as they are logged. rolled_back: how often the run went back before."""

    def __init__(self, config: WatchConfig, *, rolled_back: int = 0) -> None:
        self.config, self.rolled_back = config, rolled_back
        self._forget()

    def _forget(self) -> None:
        self._norms: dict[str, deque[float]] = {name: deque(maxlen=MOST_NORMS) for name in NORMS}
        self._accuracies: deque[float] = deque(maxlen=ACCURACIES)
        self._known: set[str] = set()

    def look(self, step: int, figures: Mapping[str, float]) -> list[Alarm]:
        """Return what is wrong; a warning comes once, and again only after its fault went away.

        figures: of losses; d_accuracy, diversity_ratio and, the largest since the last look, norms of gradients where
        there are any.
        """
        faults: dict[str, str] = {}
        for fault, text in self._faults(figures):
            faults[fault] = f"{faults[fault]}; {text}" if fault in faults else text
        alarms = []
        for fault, text in faults.items():
            action = getattr(self.config, fault)
            if action == "rollback" and self.rolled_back >= self.config.rollbacks:
                action, text = "stop", f"{text}, after {self.rolled_back} rollbacks"
            if action != "off" and (action != "warn" or fault not in self._known):
                alarms.append(Alarm(step=step, fault=fault, text=text, action=action))
        lasting = {"collapse"} if "diversity_ratio" not in figures else set()  # it is not looked at in every step
        self._known = set(faults) | (self._known & lasting)
        return alarms

    @property
    def calm(self) -> bool:
        """Return whether nothing was broken or exploding at the last look; the other faults may last a whole run."""
        return not any(getattr(self.config, fault) != "off" for fault in self._known & PASSING)

    def go_back(self) -> None:
        """Forget what was seen, since the run goes on from an earlier step."""
        self.rolled_back += 1
        self._forget()

    def state_dict(self) -> dict[str, Any]:
        """Return what was seen, for a run that is interrupted."""
        norms = {name: list(seen) for name, seen in self._norms.items()}
        return {"norms": norms, "accuracies": list(self._accuracies), "known": sorted(self._known)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what was seen before; nothing was where the state is empty."""
        for name, seen in state.get("norms", {}).items():
            self._norms[name].extend(seen)
        self._accuracies.extend(state.get("accuracies", ()))
        self._known.update(state.get("known", ()))

    def _faults(self, figures: Mapping[str, float]) -> Iterator[tuple[str, str]]:
        broken = [name for name, figure in figures.items() if not math.isfinite(figure)]
        if broken:
            yield "broken", f"{', '.join(broken)} not finite"
            return
        for name, seen in self._norms.items():
            norm = figures.get(name)
            if norm is None:
                continue
            usual = median(seen) if len(seen) >= LEAST_NORMS else math.inf
            if norm > self.config.explosion_factor * usual:
                yield "explosion", f"{name} {norm:.3g}, usually {usual:.3g}"
            seen.append(norm)
        if "d_accuracy" in figures:
            self._accuracies.append(figures["d_accuracy"])
            if len(self._accuracies) == ACCURACIES and mean(self._accuracies) >= self.config.beaten_accuracy:
                yield "beaten", f"D is right in {mean(self._accuracies):.1%}"
        ratio = figures.get("diversity_ratio")
        if ratio is not None and ratio < self.config.collapse_ratio:
            yield "collapse", f"samples are {ratio:.2f} times as diverse as field panels"


def strongest(alarms: list[Alarm], device: str) -> str:
    """Return what all workers do about the alarms that one of them raised: the strongest action of any."""
    return ACTIONS[highest(max((ACTIONS.index(alarm.action) for alarm in alarms), default=0), device)]
