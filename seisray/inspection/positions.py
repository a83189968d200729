"""Where shots and receivers are, as far as headers say, and whether offsets agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.units import apply_scalar

LENGTHS = (0, 1)  # coordinate units that are lengths; the others are angles
AGREE = 0.05
FAR = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Positions:
    """Hold source_m, receiver_m: (n_traces, 2) x and y, and offset_m: (n_traces,); NaN = not known.

    n_blank: traces whose coordinates are 0, 0 far from all others, and so were not filled in. angles: there
    are coordinates, but not lengths.
    """

    source_m: NDArray[np.float64]
    receiver_m: NDArray[np.float64]
    offset_m: NDArray[np.float64]
    n_blank: int = 0
    angles: bool = False


def read_positions(head: Mapping[str, NDArray[Any]], unit_m: NDArray[np.float64]) -> Positions:
    """Return positions from SEG-Y header values, (n_traces,) each; what is zero on every trace is not known.

    unit_m: (n_traces,) metres in the unit of length of each trace's file.
    """
    lengths = np.isin(head["coordinate_units"], LENGTHS)

    def pair(end: str) -> NDArray[np.float64]:
        raw = np.stack([head[f"{end}_x"], head[f"{end}_y"]], axis=1)
        metres = np.stack([apply_scalar(one, head["coordinate_scalar"]) * unit_m for one in raw.T], axis=1)
        return np.where(lengths[:, None] & bool(raw.any()), metres, np.nan)

    offset = head["offset"] * unit_m if head["offset"].any() else np.full(unit_m.size, np.nan)
    source_m, receiver_m = pair("source"), pair("receiver")
    blank = _blank(source_m) | _blank(receiver_m)
    source_m[_blank(source_m)] = receiver_m[_blank(receiver_m)] = np.nan
    return Positions(
        source_m=source_m,
        receiver_m=receiver_m,
        offset_m=offset,
        n_blank=int(blank.sum()),
        angles=not lengths.all()
        and any(head[f"{end}_{axis}"].any() for end in ("source", "receiver") for axis in "xy"),
    )


def _blank(xy_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return (n,): whether a position is 0, 0 and the others are much farther from there than from each other."""
    zero: NDArray[np.bool_] = (xy_m == 0).all(axis=1)
    others = places(xy_m[~zero])
    if not zero.any() or not len(others):
        return np.zeros_like(zero)
    far = np.linalg.norm(others, axis=1).min() > FAR * np.linalg.norm(np.ptp(others, axis=0))
    return zero & bool(far)


def describe_positions(positions: Positions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is known of the geometry, in lines, and what is odd about it."""
    known = {"source": places(positions.source_m), "receiver": places(positions.receiver_m)}
    has_offset = bool(np.isfinite(positions.offset_m).any())
    lines = [
        f"{len(xy):,} {end} positions: x {_span(xy[:, 0])}, y {_span(xy[:, 1])}" for end, xy in known.items() if len(xy)
    ]
    absent = [end for end, xy in known.items() if not len(xy)]
    if has_offset:
        lines.append(f"offsets {_span(positions.offset_m[np.isfinite(positions.offset_m)])}")
    if len(absent) == 2:
        what = "coordinates are angles, which are not used" if positions.angles else "no coordinates in the headers"
        lines.append(f"{what}: give ingest --geometry CSV (kind,number,x_m,y_m) or SPS if you have one")
    elif absent:
        lines.append(f"no {absent[0]} coordinates in the headers")
    odd = []
    if positions.n_blank:
        odd.append(f"coordinates are 0, 0 on {positions.n_blank:,} traces read, far from all others: not filled in")
    distance = np.linalg.norm(positions.source_m - positions.receiver_m, axis=1)
    if np.nanmax(distance, initial=0.0) > 0 and has_offset:
        off = np.abs(np.abs(positions.offset_m) - distance)
        bad = int((off > np.maximum(AGREE * np.nanmax(distance), 1.0)).sum())
        if bad > 0.1 * distance.size:
            typical, stated = np.nanmedian(distance), np.nanmedian(np.abs(positions.offset_m))
            odd.append(
                f"offsets disagree with the coordinates on {bad:,} of {distance.size:,} traces read "
                f"(median offset {stated:,.1f} m, distance {typical:,.1f} m): check scalars and units"
            )
    if len(known["source"]) == 1 and len(known["receiver"]) == 1:
        odd.append("all traces have one source and one receiver position; the coordinates are no geometry")
    return tuple(lines), tuple(odd)


def places(xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (n, 2) different positions that are known, sorted."""
    return np.unique(xy_m[np.isfinite(xy_m).all(axis=1)], axis=0)


def _span(values_m: NDArray[np.float64]) -> str:
    low, high = values_m.min(), values_m.max()
    digits = 1 if high - low < 1000 else 0
    text = f"{low:,.{digits}f} m" if low == high else f"{low:,.{digits}f} to {high:,.{digits}f} m"
    return text.replace("-", "\N{MINUS SIGN}")
