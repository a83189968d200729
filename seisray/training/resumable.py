"""What every step class hands to a checkpoint and takes back."""

from typing import Any

from torch.optim import Optimizer

RATES = ("lr", "initial_lr", "max_lr", "min_lr")  # a one-cycle schedule goes by the last three


class Resumable:
    """A step whose future is in its state. parts: attributes that have a state_dict of their own.

    step: counts calls. salt: how often the run turned aside; random numbers depend on it.
    """

    parts: tuple[str, ...]
    step = 0
    salt = 0

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next step depends on."""
        return {"step": self.step, "salt": self.salt} | {part: getattr(self, part).state_dict() for part in self.parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.step, self.salt = state["step"], state["salt"]
        for part in self.parts:
            getattr(self, part).load_state_dict(state[part])

    def turn_aside(self, turns: int, lr_factor: float) -> None:
        """Go on from here with other random numbers, the n-th others, and with learning rates scaled."""
        self.salt = turns
        for part in self.parts:
            optimiser = getattr(self, part)
            if isinstance(optimiser, Resumable):
                optimiser.turn_aside(turns, lr_factor)
            for group in optimiser.param_groups if isinstance(optimiser, Optimizer) else ():
                group.update({rate: group[rate] * lr_factor for rate in RATES if rate in group})
