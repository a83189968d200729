"""First breaks that somebody labelled, by FFID and trace or channel, and their CSV."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seisray.errors import PicksError
from seisray.formats.csv_table import csv_header, read_csv
from seisray.formats.pairs import LARGEST, Pairs, find_rows, pairs
from seisray.gather import Gather

PickOrigin = Literal["first-sample", "shot"]
TraceKey = Literal["trace", "channel"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstBreaks:
    """Hold first breaks that name their traces; time_ms: (n_labels,), ms from `origin`.

    name: (n_labels,), sorted pairs of FFID and, by `key`, the trace's place in the gather of its shot, counted from 1,
    or the recorder's channel. where: the file they are from.
    """

    where: str
    key: TraceKey
    origin: PickOrigin
    name: Pairs = field(repr=False)
    time_ms: NDArray[np.float64] = field(repr=False)

    @property
    def n_labels(self) -> int:
        """Return the number of first breaks."""
        return len(self.time_ms)

    @property
    def ffid(self) -> NDArray[np.int64]:
        """Return (n_labels,): the FFID of each first break."""
        return self.name.real.astype(np.int64)

    @property
    def number(self) -> NDArray[np.int64]:
        """Return (n_labels,): the trace or channel of each first break."""
        return self.name.imag.astype(np.int64)

    @property
    def ffids(self) -> frozenset[int]:
        """Return the FFIDs that have first breaks."""
        return frozenset(np.unique(self.ffid).tolist())

    @property
    def matched_by(self) -> str:
        """Return a clause that says how first breaks find their traces, for messages where none did."""
        return f"they are matched by FFID and {self.key}"

    def on(self, gather: Gather) -> Gather:
        """Return the gather with its first breaks, in ms from the first sample; NaN where none is given.

        By channel, traces are found in a gather of any kind. Raises PicksError where a pick lies outside the gather, or
        is given by trace though the gather joins several field records.
        """
        return self._by_trace(gather) if self.key == "trace" else self._by_channel(gather)

    def _by_trace(self, gather: Gather) -> Gather:
        records = np.unique(gather.field_record)
        first, last = (np.searchsorted(self.name.real, records, side=side) for side in ("left", "right"))
        if not (last > first).any():
            return gather
        if len(records) > 1:
            raise PicksError(
                f"{self.where}: gather {gather.gather_id!r} joins {len(records)} field records, so a trace's place in "
                "the gather of its shot does not name it; give a column `channel` in place of `trace`"
            )
        labels = slice(int(first[0]), int(last[0]))
        trace, time_ms = self.name.imag[labels].astype(np.int64), self.time_ms[labels]
        if trace[-1] > gather.n_traces:
            raise _outside(self.where, gather, f"trace {trace[-1]}", time_ms[-1])
        return label(gather, trace - 1, time_ms, self.origin, self.where)

    def _by_channel(self, gather: Gather) -> Gather:
        row = find_rows(self.name, pairs(gather.field_record, gather.channel))
        rows = np.flatnonzero(row >= 0)
        return label(gather, rows, self.time_ms[row[rows]], self.origin, self.where) if rows.size else gather


def label(
    gather: Gather, rows: NDArray[np.int64], time_ms: NDArray[np.float64], origin: PickOrigin, where: str
) -> Gather:
    """Return the gather with first breaks on some rows: time_ms (n_rows,), from `origin`; NaN on all others.

    Raises PicksError where a time lies outside the record.
    """
    if origin == "shot":
        time_ms = time_ms - gather.delay_ms
    end_ms = gather.n_samples * gather.sample_interval_us / 1000
    wrong = np.flatnonzero((time_ms < 0) | (time_ms > end_ms))
    if wrong.size:
        raise _outside(where, gather, f"trace {gather.trace[rows[wrong[0]]]}", float(time_ms[wrong[0]]))
    first_break_ms = np.full(gather.n_traces, np.nan, dtype=np.float32)
    first_break_ms[rows] = time_ms
    return gather.replace(first_break_ms=first_break_ms)


def _outside(where: str, gather: Gather, trace: str, time_ms: float) -> PicksError:
    end_ms = gather.n_samples * gather.sample_interval_us / 1000
    return PicksError(
        f"{where}: FFID {gather.ffid}, {trace} at {time_ms:g} ms from the first sample lies outside the gather "
        f"({gather.n_traces} traces, 0..{end_ms:g} ms); is --pick-origin right?"
    )


def read_first_breaks_csv(data: bytes, where: str, origin: PickOrigin = "first-sample") -> FirstBreaks:
    """Return the first breaks of a CSV with the columns ffid, time_ms and one of trace and channel.

    Raises PicksError where columns are missing, values are not numbers, or no trace, or one twice, is labelled.
    """
    header = csv_header(data)
    key: TraceKey = "channel" if "channel" in header else "trace"
    if key == "channel" and "trace" in header:
        raise PicksError(f"{where} has both columns trace and channel; leave out the one that is not meant")
    table = read_csv(data, where, {"ffid": pa.int64(), key: pa.int64(), "time_ms": pa.float64()}, PicksError)
    ffid, number, time_ms = (table[name].to_numpy() for name in ("ffid", key, "time_ms"))
    if not len(table):
        raise PicksError(f"{where} holds no first breaks; leave it out")
    if not np.isfinite(time_ms).all() or (key == "trace" and (number < 1).any()):
        raise PicksError(f"{where}: traces count from 1 and times are finite; leave out traces without a first break")
    largest = max(np.abs(ffid.astype(np.float64)).max() / LARGEST, np.abs(number.astype(np.float64)).max() / 2**31)
    if largest >= 1:
        raise PicksError(f"{where}: an FFID or {key} is larger than any field file counts; expected below 2**31")
    name, rows, counts = np.unique(pairs(ffid, number), return_index=True, return_counts=True)
    if (counts > 1).any():
        twice = name[counts > 1][0]
        raise PicksError(
            f"{where}: FFID {twice.real:.0f}, {key} {twice.imag:.0f} is labelled {counts[counts > 1][0]} times, "
            "expected once"
        )
    return FirstBreaks(where=where, key=key, origin=origin, name=name, time_ms=time_ms[rows])


def first_breaks_csv(gathers: Iterable[Gather], *, header: bool = True) -> str:
    """Return the first breaks of gathers as a CSV that read_first_breaks_csv takes, in ms from the first sample."""
    lines = ["ffid,trace,time_ms\n"] if header else []
    for gather in gathers:
        for trace, time_ms in zip(gather.trace[gather.labelled], gather.first_break_ms[gather.labelled], strict=True):
            lines.append(f"{gather.ffid},{trace},{time_ms:.3f}\n")
    return "".join(lines)
