"""Picks in a word of SEG-Y trace headers."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError, PicksError
from seisray.formats.segy.gathers import PickUnit
from seisray.formats.segy.headers import STANDARD, HeaderField, header_mapping
from seisray.formats.segy.layout import SegyLayout

_PER_MS = {"ms": 1.0, "us": 1e3, "s": 1e-3}


def pick_field(header: str, used: Mapping[str, HeaderField] = STANDARD) -> HeaderField:
    """Return where picks go, of 'first_break=byte[:format]', an int32 unless told.

    used: what the headers hold besides; a word that overlaps one of them raises ConfigError, for that must stay.
    """
    name, _, _ = header.partition("=")
    if name != "first_break":
        raise ConfigError(f"--header {header!r}: expected first_break=byte[:format], where picks go")
    field = header_mapping([header])["first_break"]
    for own, other in used.items():
        if own != name and field.byte <= other.last_byte and other.byte <= field.last_byte:
            raise ConfigError(
                f"--header {header!r}: bytes {other.byte}-{other.last_byte} hold {own}; choose bytes that nothing "
                "uses, such as 201:int16 or 233:float32"
            )
    return field


def header_values(
    time_ms: NDArray[np.float64], field: HeaderField, unit: PickUnit, sample_interval_us: float, where: str
) -> tuple[NDArray[np.float64], float]:
    """Return the numbers that a header word holds for times, 0 = no pick, and the largest rounding in ms.

    time_ms: (n,), NaN = no pick. Raises PicksError where a pick does not fit, or would read as none: 0 or less.
    """
    per_ms = _PER_MS.get(unit, 1000 / sample_interval_us)
    exact = np.where(np.isfinite(time_ms), time_ms, 0) * per_ms
    if field.dtype.kind == "f":
        with np.errstate(over="ignore"):
            stored = exact.astype(field.dtype).astype(np.float64)
        fits = np.isfinite(stored)
    else:
        stored, limits = np.rint(exact), np.iinfo(field.dtype)
        fits = (stored >= limits.min) & (stored <= limits.max)
    picked = np.isfinite(time_ms)
    where_wrong = np.flatnonzero(picked & ~fits)
    if where_wrong.size:
        worst = time_ms[where_wrong[np.abs(exact[where_wrong]).argmax()]]
        raise PicksError(
            f"{where}: {where_wrong.size} picks, the largest at {worst:g} ms, do not fit {field.format} in {unit}; "
            "choose another --units, or a wider format, such as float32"
        )
    lost = np.flatnonzero(picked & (stored <= 0))
    if lost.size:
        raise PicksError(
            f"{where}: {lost.size} picks, one at {time_ms[lost[0]]:g} ms, would be 0 or less in {field.format} {unit}, "
            "which means none; choose finer --units, or another --pick-origin"
        )
    number = np.where(picked, stored, 0.0)
    rounding_ms = np.abs(number - exact) / per_ms
    return number, float(rounding_ms.max(initial=0.0))


def stamp(
    blocks: NDArray[np.uint8],
    values: NDArray[np.float64],
    known: NDArray[np.bool_],
    field: HeaderField,
    layout: SegyLayout,
) -> NDArray[np.uint8]:
    """Return traces as they lie in a file, (n, trace_bytes), with values in a header word of the known ones."""
    made = blocks.copy()
    some = made[known]
    field.write(some, values[known], layout.byte_order)
    made[known] = some
    return made
