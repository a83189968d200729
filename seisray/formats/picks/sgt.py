"""First breaks in pyGIMLi's unified data format, as .sgt files and formikoj's .pck files hold them."""

import numpy as np
from numpy.typing import NDArray

from seisray.errors import PicksError
from seisray.formats.picks.first_breaks import PickOrigin
from seisray.formats.picks.located import LocatedFirstBreaks, locate_first_breaks
from seisray.formats.picks.number_rows import NumberRows, read_number_rows
from seisray.formats.picks.placed import PlacedPicks

MS_PER_UNIT = {"t": 1e3, "t/s": 1e3, "t/ms": 1.0}
AXES_M = {"x": 1.0, "y": 1.0, "z": 1.0, "x/m": 1.0, "y/m": 1.0, "z/m": 1.0, "x/mm": 1e-3, "y/mm": 1e-3, "z/mm": 1e-3}


def read_sgt(data: bytes, where: str, origin: PickOrigin = "shot") -> LocatedFirstBreaks:
    """Return the first breaks of a .sgt or .pck file: times in s from the shot, by the positions of shot and geophone.

    The file: the number of sensors; a comment that names their columns, x y z without it; the sensors; the number of
    measurements; a comment that names their columns, s and g (sensors, counted from 1) and t among them; the
    measurements; perhaps topography, which is not read. Where `valid` is 0 there is no first break; `err` is not read.
    With x, y and z, positions are compared by x and y, unless all y are one; otherwise by x, since pyGIMLi's
    second of two columns is the height, whether it says y or z. Raises PicksError where the file is anything else.
    Source: pyGIMLi, DataContainer::load (core/src/datacontainer.cpp) and its examples koenigsee.sgt, example_topo.sgt;
    .pck as formikoj writes it.
    """
    rows = read_number_rows(data, where)
    n_sensors = rows.count(0, "sensors")
    xy, axes = _sensors(rows, 1, n_sensors)
    at = 1 + n_sensors
    n = rows.count(at, "measurements")
    names = rows.header(at, MS_PER_UNIT)
    times = [name for name in names if name in MS_PER_UNIT]
    if len(times) != 1 or not {"s", "g"} <= set(names):
        raise PicksError(f"{where}: no comment after the number of measurements names the columns s, g and t")
    wanted = ["s", "g", times[0], *(["valid"] if "valid" in names else [])]
    found = rows.block(at + 1, n, [names.index(name) for name in wanted])
    _check_topography(rows, at + 1 + n)
    if "valid" in names:
        found = found[found[:, 3] > 0]
    index = found[:, :2].astype(np.int64) if (np.abs(found[:, :2]) < 2**31).all() else np.full((1, 2), -1)
    wrong = (index < 1) | (index > n_sensors)
    if wrong.any() or (index != found[:, :2]).any():
        raise PicksError(f"{where}: a measurement is of a sensor that is not one of 1..{n_sensors}")
    shot, receiver = index[:, 0] - 1, index[:, 1] - 1
    time_ms = found[:, 2] * MS_PER_UNIT[times[0]]
    return locate_first_breaks(where, axes, origin, xy[shot], xy[receiver], time_ms)


def _sensors(rows: NumberRows, at: int, n: int) -> tuple[NDArray[np.float64], str]:
    """Return the sensors' positions in metres, (n, 1 or 2), and the axes to compare them by."""
    names = rows.header(at - 1, AXES_M) or ["x", "y", "z"][: len(rows.words[at]) if len(rows) > at else 1]
    columns = {name[0]: names.index(name) for name in names if name in AXES_M}
    if "x" not in columns:
        raise PicksError(f"{rows.where}: the sensors' columns are {' '.join(names)}, expected x among them")
    position = rows.block(at, n, list(columns.values()))
    position = position * [AXES_M[names[column]] for column in columns.values()]
    place = dict(zip(columns, position.T, strict=True))
    if len(place) == 3 and n and np.ptp(place["y"]) > 0:
        return np.stack([place["x"], place["y"]], axis=1), "xy"
    return place["x"][:, None], "x"


def _check_topography(rows: NumberRows, at: int) -> None:
    """Raise PicksError where other than topography, a number and that many rows, follows the measurements."""
    if len(rows) > at and (len(rows.words[at]) != 1 or rows.count(at, "topography points") != len(rows) - at - 1):
        raise PicksError(
            f"{rows.where}, line {rows.lines[at]}: further rows follow the last measurement; mend their number"
        )


def sgt_bytes(picks: PlacedPicks) -> bytes:
    """Return a .sgt file that read_sgt takes: sensors with x, y, z in metres, then s, g and t in s from the shot.

    Shots and receivers at one place are one sensor. Traces without a pick are left out, as such a file has no word for
    them. Raises PicksError where a way from shot to receiver is picked twice.
    """
    rows = picks.picked
    source, receiver = picks.source_m[rows], picks.receiver_m[rows]
    picks.check_named_by_place(source[:, :2], receiver[:, :2])
    places = np.round(np.concatenate([source, receiver]), 6)
    _, first, which = np.unique(places, axis=0, return_index=True, return_inverse=True)
    sensors = places[first] + 0.0  # no -0
    which = which.ravel() + 1
    n = len(source)
    lines = [f"{len(sensors)} # shot and geophone points", "# x y z"]
    lines += [" ".join(f"{value:.12g}" for value in place) for place in sensors.tolist()]
    lines += [f"{n} # measurements", "# s g t"]
    seconds = (picks.time_ms[rows] / 1e3).tolist()
    lines += [f"{s} {g} {t:.12g}" for s, g, t in zip(which[:n].tolist(), which[n:].tolist(), seconds, strict=True)]
    return ("\n".join(lines) + "\n").encode()
