"""How settings change in the course of a run, as functions of what has passed."""

import math


def passed(step: int, steps: int) -> float:
    """Return the share of a run that has passed: 0 at the first step, 1 at the last."""
    return min(step / max(steps - 1, 1), 1.0)


def along_cosine(last: float, share: float) -> float:
    """Return a factor that falls from 1 to `last`, slowly at both ends."""
    return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * share))


def cooled(cool_share: float, share: float) -> float:
    """Return a factor that stays 1 until the last `cool_share` of a run, in which it falls to 0 along a cosine."""
    begins = 1 - cool_share
    return along_cosine(0.0, (share - begins) / cool_share) if share > begins else 1.0


def along_line(first: float, last: float, share: float) -> float:
    """Return a value between two, in proportion."""
    return first + (last - first) * share


def reversal(weight: float, share: float) -> float:
    """Return how strong a reversed gradient is: from 0 to nearly the weight (Ganin et al. 2016, 1505.07818)."""
    return weight * (2 / (1 + math.exp(-10 * share)) - 1)


def step_seed(seed: int, step: int, *place: int, salt: int = 0) -> int:
    """Return the seed of what a step draws: of the run's seed, of who draws, and of how often the run turned aside."""
    return hash((seed, step, *place, *((salt,) if salt else ()))) % 2**63
