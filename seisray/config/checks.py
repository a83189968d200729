"""Checks of settings at construction, and fingerprints of them."""

import dataclasses
import hashlib
import json
from typing import Any

from seisray.errors import ConfigError


def require(holds: bool, config: object, name: str, allowed: str) -> None:
    """Raise ConfigError, naming a field of a dataclass and what is allowed, unless something holds."""
    if not holds:
        raise ConfigError(f"{type(config).__name__}.{name} is {getattr(config, name)!r}, expected {allowed}")


def allow(config: object, allowed: str, low: float, high: float, *names: str) -> None:
    """Raise ConfigError unless fields of a dataclass are within low..high; allowed: how that is said."""
    for name in names:
        require(low <= getattr(config, name) <= high, config, name, allowed)


def fingerprint(value: object) -> str:
    """Return 12 hexadecimal digits that change with any setting of a dataclass, or any value that JSON can hold."""
    plain: Any = dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def config_dict(config: Any) -> dict[str, Any]:
    """Return a configuration as JSON would give it back, for cards and comparisons."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain
