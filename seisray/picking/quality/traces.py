"""What quality is judged by: picks and geometry of all traces of a survey, as plain arrays."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.formats.pairs import pairs
from seisray.picking.quality.robust import Floats

FLAGS = ("ok", "low_probability", "inconsistent", "outlier", "outside_window", "no_pick", "dead")
"""What a trace can be flagged with, mildest first."""

SAME_PLACE_M = 0.1
"""Receivers that round to the same multiple of it are one station."""


@dataclass(frozen=True, kw_only=True)
class Traces:
    """Hold the traces of a survey, all columns (n,), traces of a gather together and in order.

    gather: counted from 0. shot: which shot, any number. trace, channel: as in the gather. pick_ms: from the first
    sample, NaN = none. sigma_ms: NaN = unknown. flag: index into FLAGS, as the picker said.
    source_xy_m, receiver_xy_m: (n, 2), NaN = unknown. offset_m: of the headers, NaN = unknown.
    end_ms: the end of the record. sample_interval_ms: of the survey.
    """

    gather: NDArray[np.int32] = field(repr=False)
    shot_number: NDArray[np.int64] = field(repr=False)
    trace: NDArray[np.int32] = field(repr=False)
    channel: NDArray[np.int32] = field(repr=False)
    live: NDArray[np.bool_] = field(repr=False)
    pick_ms: Floats = field(repr=False)
    sigma_ms: NDArray[np.float32] = field(repr=False)
    flag: NDArray[np.int8] = field(repr=False)
    source_xy_m: Floats = field(repr=False)
    receiver_xy_m: Floats = field(repr=False)
    header_offset_m: NDArray[np.float32] = field(repr=False)
    end_ms: float
    sample_interval_ms: float

    def __len__(self) -> int:
        return len(self.gather)

    @cached_property
    def located(self) -> bool:
        """Return whether source and receiver of most picked traces have coordinates."""
        known = np.isfinite(np.concatenate([self.source_xy_m, self.receiver_xy_m], axis=1)).all(axis=1)
        return bool(known[self.picked].mean() > 0.5) if self.picked.any() else False

    @cached_property
    def picked(self) -> NDArray[np.bool_]:
        """Return (n,): True where there is a pick within the record on a live trace."""
        return self.live & (self.pick_ms >= 0) & (self.pick_ms <= self.end_ms)

    @cached_property
    def offset_m(self) -> Floats:
        """Return (n,) distances from source to receiver: of the coordinates, else of the headers; NaN = unknown."""
        away = self.receiver_xy_m - self.source_xy_m
        distance = np.hypot(away[:, 0], away[:, 1])
        return np.where(np.isfinite(distance), distance, np.abs(self.header_offset_m.astype(np.float64)))

    @cached_property
    def has_offsets(self) -> bool:
        """Return whether most picked traces have an offset, and these differ."""
        if not self.picked.any():
            return False
        known = self.offset_m[self.picked]
        some = known[np.isfinite(known)]
        return len(some) > 0.5 * len(known) and bool(np.ptp(some) > 0)

    @cached_property
    def direction(self) -> Floats:
        """Return (n, 2) unit vectors from source to receiver; along x by the offset's sign without coordinates."""
        away = self.receiver_xy_m - self.source_xy_m
        unknown = ~np.isfinite(away).all(axis=1)
        away[unknown, 0], away[unknown, 1] = np.nan_to_num(self.header_offset_m[unknown]), 0
        length = np.hypot(away[:, 0], away[:, 1])
        return away / np.where(length > 0, length, 1)[:, None]

    @cached_property
    def shot(self) -> NDArray[np.intp]:
        """Return (n,): the shot of each trace, counted from 0 in the order of their numbers."""
        return np.unique(self.shot_number, return_inverse=True)[1]

    @cached_property
    def station(self) -> NDArray[np.intp]:
        """Return (n,): the station of each trace, counted from 0: receivers at one place, else of one channel."""
        if not self.located:
            return np.unique(self.channel, return_inverse=True)[1]
        cell = np.round(np.where(np.isfinite(self.receiver_xy_m), self.receiver_xy_m, 1e12) / SAME_PLACE_M)
        return np.unique(pairs(cell[:, 0], cell[:, 1]), return_inverse=True)[1]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Hold the shots or the stations of a survey: which of them each trace has, and where each is.

    of: (n_traces,). first: (n,), a trace of each. xy_m: (n, 2), NaN without coordinates. order: (n,), from one to the
    next where they stand.
    """

    kind: str
    of: NDArray[np.intp] = field(repr=False)
    first: NDArray[np.intp] = field(repr=False)
    xy_m: Floats = field(repr=False)
    order: NDArray[np.intp] = field(repr=False)

    def __len__(self) -> int:
        return len(self.first)

    def count(self, which: NDArray[Any]) -> NDArray[np.intp]:
        """Return (n,): how many traces of each are True in `which`."""
        return np.bincount(self.of[which], minlength=len(self))


def group_traces(traces: Traces, kind: str) -> Group:
    """Return the shots or stations of a survey."""
    of = traces.shot if kind == "shot" else traces.station
    n = int(of.max()) + 1 if len(of) else 0
    first = np.zeros(n, dtype=np.intp)
    first[of[::-1]] = np.arange(len(of))[::-1]
    xy = (traces.source_xy_m if kind == "shot" else traces.receiver_xy_m)[first]
    located = traces.located and bool(np.isfinite(xy).all())
    order = order_along(xy) if located else np.arange(n)
    return Group(kind=kind, of=of, first=first, xy_m=xy, order=order)


def order_along(xy_m: Floats) -> NDArray[np.intp]:
    """Return an order in which places follow their neighbours: along a line, or to and fro in strips over an area."""
    centred = xy_m - xy_m.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    along, across = centred @ axes[:, 1], centred @ axes[:, 0]
    length, width = max(np.ptp(along), 1e-9), np.ptp(across)
    strip_m = 2 * np.sqrt(length * width / len(xy_m)) + 0.02 * length
    strip = np.floor((across - across.min()) / strip_m).astype(np.int64)
    return np.lexsort((np.where(strip % 2, -along, along), strip))
