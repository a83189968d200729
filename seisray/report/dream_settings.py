"""Settings of `seisray dream`; they need neither torch nor matplotlib, so that the command line starts at once."""

from dataclasses import dataclass
from typing import Literal, get_args

from seisray.errors import ConfigError

Display = Literal["density", "wiggle", "both"]
Colours = Literal["grey", "red-blue"]
Noise = Literal["walk", "held"]
Sheet = Literal["samples", "interpolation"]

_RANGES = {
    "seconds": (0.1, 86_400),
    "fps": (1, 120),
    "keys": (3, 2000),
    "seed": (0, 2**63 - 1),
    "height_px": (240, 2160),
    "rows": (1, 64),
}
_CHOICES = {
    "noise": get_args(Noise),
    "display": get_args(Display),
    "colours": get_args(Colours),
    "sheet": (None, *get_args(Sheet)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DreamConfig:
    """Settings of `seisray dream`.

    Parameters
    ----------
    seconds
        How long the walk takes once around.
    fps
        Frames a second.
    keys
        Random latent vectors that the walk passes, evenly in number, not in time.
    seed
        Of these vectors and of the generator's noise.
    noise
        What the generator adds to each layer walks along, as slowly as the latent vectors, or is held.
    display
        Variable density, wiggles with filled peaks, or both side by side.
    colours
        Of the density display; peaks are black, or red.
    height_px
        Of the picture; even.
    sheet
        What a PNG shows: samples, or rows that lead from one latent vector to another.
    rows
        Of a sheet, eight panels each.
    """

    seconds: float = 20.0
    fps: int = 24
    keys: int = 8
    seed: int = 0
    noise: Noise = "walk"
    display: Display = "both"
    colours: Colours = "grey"
    height_px: int = 720
    sheet: Sheet | None = None
    rows: int = 4

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ConfigError(f"DreamConfig.{name} is {getattr(self, name)!r}, expected {low:g}..{high:g}")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                names = ", ".join(str(one) for one in allowed if one is not None)
                raise ConfigError(f"DreamConfig.{name} is {getattr(self, name)!r}, expected one of {names}")
        if self.height_px % 2:
            raise ConfigError(f"DreamConfig.height_px is {self.height_px}, expected an even number, as H.264 needs")

    @property
    def n_frames(self) -> int:
        """Return how many frames the walk has, at least two."""
        return max(2, round(self.seconds * self.fps))
