"""Limits of settings: the checks that name the field, its value and what is allowed."""

from collections.abc import Sequence

from seisray.errors import ConfigError


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise ConfigError where value is not a number from low to high, a whole one where both limits are."""
    if isinstance(low, int) and isinstance(high, int) and not isinstance(value, int):
        raise ConfigError(f"{name} is {value!r}, expected a whole number from {low} to {high}")
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}, expected {low:g} to {high:g}")


def checked_pair(name: str, value: Sequence[float], low: float, high: float) -> tuple[float, float]:
    """Return value as a tuple; raise ConfigError where it is not two numbers in order from low to high."""
    if len(value) != 2 or not low <= value[0] <= value[1] <= high:
        raise ConfigError(f"{name} is {value}, expected two numbers in order from {low:g} to {high:g}")
    return float(value[0]), float(value[1])
