"""Reciprocity: the time from A to B is the time from B to A, whatever lies between them."""

import numpy as np
from numpy.typing import NDArray

from seisray.formats.pairs import find_rows, pairs
from seisray.formats.picks.located import Places
from seisray.picking.quality.robust import Floats
from seisray.picking.quality.traces import Group, Traces

SAME_SPOT = 0.25
"""A shot stands at a station that is nearer than this share of the spacing of stations."""


def find_reciprocals(traces: Traces, shots: Group, stations: Group) -> NDArray[np.int64]:
    """Return (n_traces,): the picked trace whose shot and receiver have changed places; -1 = none."""
    found = np.full(len(traces), -1, dtype=np.int64)
    if not traces.located or len(stations) < 2:
        return found
    station_of_shot = _nearest(shots.xy_m, stations)[shots.of]
    usable = np.flatnonzero(traces.picked & (station_of_shot >= 0))
    way = pairs(station_of_shot[usable], stations.of[usable])
    order = np.argsort(way, kind="stable")
    back = find_rows(way[order], pairs(way.imag, way.real))
    there = (back >= 0) & (way.real != way.imag)
    found[usable[there]] = usable[order[back[there]]]
    return found


def difference(of: Floats, reciprocal: NDArray[np.int64]) -> Floats:
    """Return (n_traces,): each value less that of the reciprocal trace; NaN without one."""
    return np.where(reciprocal >= 0, of - of[reciprocal], np.nan)


def _nearest(xy_m: Floats, stations: Group) -> NDArray[np.int64]:
    """Return (n,): the station at each place; -1 = none."""
    where = stations.xy_m
    along = where[stations.order]
    spacing_m = float(np.median(np.hypot(*np.diff(along, axis=0).T)))
    if not spacing_m > 0:
        return np.full(len(xy_m), -1)
    tolerance_m = SAME_SPOT * spacing_m
    cell = pairs(*np.floor(where / (2 * tolerance_m)).T)
    order = np.argsort(cell, kind="stable")
    near = Places(xy=where[order], tolerance_m=tolerance_m, cell=cell[order]).nearest(np.nan_to_num(xy_m, nan=1e12))
    return np.where(near >= 0, order[near], -1)
