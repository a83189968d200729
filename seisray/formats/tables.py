"""CSV tables that come beside field files: first breaks and geometry."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from seisray.errors import FormatError, PicksError
from seisray.gather import Gather

PickOrigin = Literal["first-sample", "shot"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstBreaks:
    """Hold labelled first breaks by FFID: traces, counted from 1, and times in ms from `origin`."""

    by_ffid: Mapping[int, tuple[NDArray[np.int64], NDArray[np.float64]]]
    origin: PickOrigin

    def on(self, gather: Gather) -> Gather:
        """Return the gather with its first breaks, in ms from the first sample; NaN where none is given.

        Raises PicksError where a pick lies outside the gather.
        """
        if gather.ffid not in self.by_ffid:
            return gather
        trace, time_ms = self.by_ffid[gather.ffid]
        if self.origin == "shot":
            time_ms = time_ms - gather.delay_ms
        end_ms = gather.n_samples * gather.sample_interval_us / 1000
        wrong = (trace > gather.n_traces) | (time_ms < 0) | (time_ms > end_ms)
        if wrong.any():
            raise PicksError(
                f"first breaks: FFID {gather.ffid}, trace {trace[wrong][0]} at {time_ms[wrong][0]:g} ms from the first "
                f"sample lies outside the gather ({gather.n_traces} traces, 0..{end_ms:g} ms); is --pick-origin right?"
            )
        first_break_ms = np.full(gather.n_traces, np.nan, dtype=np.float32)
        first_break_ms[trace - 1] = time_ms
        return gather.replace(first_break_ms=first_break_ms)


def read_first_breaks(data: bytes, where: str, origin: PickOrigin = "first-sample") -> FirstBreaks:
    """Return the first breaks of a CSV with the columns ffid, trace, time_ms.

    Raises PicksError where columns are missing, values are not numbers, or no trace, or one twice, is labelled.
    """
    columns = {"ffid": pa.int64(), "trace": pa.int64(), "time_ms": pa.float64()}
    table = _read_csv(data, where, columns, PicksError)
    ffid, trace, time_ms = (table[name].to_numpy() for name in columns)
    if not len(table):
        raise PicksError(f"{where} holds no first breaks; leave it out")
    if not np.isfinite(time_ms).all() or (trace < 1).any():
        raise PicksError(f"{where}: traces count from 1 and times are finite; leave out traces without a first break")
    keys, counts = np.unique(np.stack([ffid, trace], axis=1), axis=0, return_counts=True)
    if (counts > 1).any():
        twice = keys[counts > 1][0]
        raise PicksError(f"{where}: FFID {twice[0]}, trace {twice[1]} is labelled {counts.max()} times, expected once")
    order = np.argsort(ffid, kind="stable")
    ffids, starts = np.unique(ffid[order], return_index=True)
    groups = np.split(order, starts[1:])
    return FirstBreaks(
        by_ffid={int(f): (trace[rows], time_ms[rows]) for f, rows in zip(ffids, groups, strict=True)}, origin=origin
    )


def first_breaks_csv(gathers: Iterable[Gather], *, header: bool = True) -> str:
    """Return the first breaks of gathers as a CSV that read_first_breaks takes, in ms from the first sample."""
    lines = ["ffid,trace,time_ms\n"] if header else []
    for gather in gathers:
        for trace, time_ms in zip(gather.trace[gather.labelled], gather.first_break_ms[gather.labelled], strict=True):
            lines.append(f"{gather.ffid},{trace},{time_ms:.3f}\n")
    return "".join(lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """Hold (x, y, z) in metres by shot number (FFID) and by receiver number (channel); z may be NaN."""

    shots: Mapping[int, tuple[float, float, float]]
    receivers: Mapping[int, tuple[float, float, float]]

    def on(self, gather: Gather) -> Gather:
        """Return the gather with coordinates and absolute offsets; raise FormatError where one has no row."""
        missing = [f"shot {gather.ffid}"] if gather.ffid not in self.shots else []
        missing += [f"receiver {c}" for c in gather.channel if int(c) not in self.receivers]
        if missing:
            raise FormatError(f"geometry: no row for {missing[0]} of gather {gather.gather_id!r}; add it to the table")
        source = np.tile(self.shots[gather.ffid], (gather.n_traces, 1))
        receiver = np.array([self.receivers[int(c)] for c in gather.channel])
        places = {f"source_{axis}_m": source[:, i] for i, axis in enumerate("xyz")}
        places |= {f"receiver_{axis}_m": receiver[:, i] for i, axis in enumerate("xyz")}
        return gather.replace(**places, offset_m=np.hypot(*(receiver - source)[:, :2].T))


def read_geometry(data: bytes, where: str) -> Geometry:
    """Return the geometry of a CSV with the columns kind (shot or receiver), number, x_m, y_m and, if known, z_m."""
    columns = {"kind": pa.string(), "number": pa.int64(), "x_m": pa.float64(), "y_m": pa.float64()}
    table = _read_csv(data, where, columns, FormatError)
    z_m = table["z_m"].to_pylist() if "z_m" in table.column_names else [float("nan")] * len(table)
    found: dict[str, dict[int, tuple[float, float, float]]] = {"shot": {}, "receiver": {}}
    for row, z in zip(table.to_pylist(), z_m, strict=True):
        if row["kind"] not in found:
            raise FormatError(f"{where}: kind {row['kind']!r} is unknown; expected shot or receiver")
        place = (row["x_m"], row["y_m"], z)
        if repr(found[row["kind"]].setdefault(row["number"], place)) != repr(place):  # NaN is not NaN
            raise FormatError(f"{where}: {row['kind']} {row['number']} occurs twice, at different places")
    return Geometry(shots=found["shot"], receivers=found["receiver"])


def _read_csv(data: bytes, where: str, columns: Mapping[str, pa.DataType], error: type[FormatError]) -> pa.Table:
    types = {"z_m": pa.float64()} | dict(columns)
    options = pa.csv.ConvertOptions(column_types=types, strings_can_be_null=False, null_values=[])
    try:
        table = pa.csv.read_csv(io.BytesIO(data), convert_options=options)
    except pa.ArrowInvalid as problem:
        raise error(f"{where} is not a CSV with the columns {','.join(columns)}: {problem}") from problem
    for name in columns:
        count = table.column_names.count(name)
        if count != 1:
            fault = f"occurs {count} times" if count else "is missing"
            raise error(f"{where}: column {name!r} {fault}; expected {','.join(columns)}")
    return table
