"""First breaks that a person corrected: a CSV by FFID and trace or, where these name several traces, by gather."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seisray.errors import PicksError
from seisray.formats.csv_table import csv_header, read_csv
from seisray.formats.picks.first_breaks import FirstBreaks, label, read_first_breaks_csv
from seisray.gather import Gather


@dataclass(frozen=True, kw_only=True, slots=True)
class GatherFirstBreaks:
    """Hold first breaks by gather: gather_id -> (trace, time_ms from the first sample), each (n,).

    ffids: of these gathers. where: the file they are from.
    """

    where: str
    ffids: frozenset[int]
    by_gather: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]] = field(repr=False)

    def on(self, gather: Gather) -> Gather:
        """Return the gather with its first breaks, or as it is where none are given.

        Raises PicksError where one is on no trace of the gather, or outside the record.
        """
        if gather.gather_id not in self.by_gather:
            return gather
        trace, time_ms = self.by_gather[gather.gather_id]
        place = {number: row for row, number in enumerate(gather.trace.tolist())}
        strangers = sorted(set(trace.tolist()) - place.keys())
        if strangers or len(set(trace.tolist())) < len(trace):
            raise PicksError(
                f"{self.where}: gather {gather.gather_id!r} has no trace {strangers[0]}"
                if strangers
                else f"{self.where}: a trace of gather {gather.gather_id!r} is labelled twice, expected once"
            )
        rows = np.array([place[number] for number in trace.tolist()], dtype=np.int64)
        return label(gather, rows, time_ms, "first-sample", self.where)


ByHand = FirstBreaks | GatherFirstBreaks
"""Labels of people, by FFID or by gather."""


def read_corrected_csv(data: bytes, where: str) -> ByHand:
    """Return the first breaks of a CSV with ffid, trace, time_ms (from the first sample) and, if need be, gather_id.

    Raises PicksError where columns are missing, values are not numbers, or nothing is labelled.
    """
    if "gather_id" not in csv_header(data):
        return read_first_breaks_csv(data, where)
    types = {"ffid": pa.int64(), "trace": pa.int64(), "time_ms": pa.float64(), "gather_id": pa.string()}
    table = read_csv(data, where, types, PicksError)
    if not len(table) or not np.isfinite(table["time_ms"].to_numpy()).all():
        raise PicksError(f"{where} holds no first breaks, or some that are not finite; leave those out")
    found: dict[str, Any] = {}
    for row in table.to_pylist():
        trace, time_ms = found.setdefault(row["gather_id"], ([], []))
        trace.append(row["trace"])
        time_ms.append(row["time_ms"])
    by_gather = {name: (np.array(trace), np.array(time_ms)) for name, (trace, time_ms) in found.items()}
    return GatherFirstBreaks(where=where, ffids=frozenset(table["ffid"].to_pylist()), by_gather=by_gather)


def labelled_by(labels: ByHand, gather: Gather) -> Gather | None:
    """Return the gather with no other first breaks than these, None where they give it none."""
    bare = gather.replace(first_break_ms=np.full(gather.n_traces, np.nan, dtype=np.float32))
    found = labels.on(bare)
    return found if found.labelled.any() else None
