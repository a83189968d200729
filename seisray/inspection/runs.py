"""How header values run along the traces of files of which only some windows were read."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.inspection.facts import FieldFacts, Pattern


@dataclass(frozen=True, kw_only=True)
class Trail:
    """Say where the traces looked at lie. file, trace, n_file_traces: (n,) ints, in the order of files and traces."""

    file: NDArray[np.int64]
    trace: NDArray[np.int64]
    n_file_traces: NDArray[np.int64]

    @cached_property
    def joined(self) -> NDArray[np.bool_]:
        """Return (n,): whether a trace lies right behind the one before it."""
        joined: NDArray[np.bool_] = np.zeros(self.trace.size, dtype=bool)
        joined[1:] = (np.diff(self.trace) == 1) & (np.diff(self.file) == 0)
        return joined


@dataclass(frozen=True, kw_only=True, slots=True)
class Runs:
    """Say how one header, or several together, stay and change along the traces.

    complete: (n_runs,) lengths of the runs whose both ends were seen. longest: of all, as far as seen. n_values: how
    many there are; n_changes, comes_back: as in FieldFacts. changes: (n,) whether a trace differs from the one before.
    """

    complete: NDArray[np.int64]
    longest: int
    n_values: int
    n_changes: int
    comes_back: bool
    changes: NDArray[np.bool_]

    @property
    def typical(self) -> int:
        """Return the usual length of a run, 0 where none was seen whole."""
        return int(np.median(self.complete)) if self.complete.size else 0

    @property
    def regular(self) -> float:
        """Return the share of complete runs that have the usual length."""
        return float(np.mean(self.complete == self.typical)) if self.complete.size else 0.0

    @property
    def is_key(self) -> bool:
        """Return whether the traces of each value lie together, at least two, and there are several values."""
        stays = self.typical >= 2 if self.complete.size else self.longest >= 2
        return self.n_values > 1 and stays and not self.comes_back


def find_runs(values: NDArray[Any], trail: Trail) -> Runs:
    """Return the runs of (n,) values along a trail; of (n, k) values, those of all k together."""
    if values.ndim == 2:
        values = np.unique(values, axis=0, return_inverse=True)[1].reshape(-1)
    changes = np.zeros(values.size, dtype=bool)
    changes[1:] = (values[1:] != values[:-1]) & trail.joined[1:]
    first = np.flatnonzero(changes | ~trail.joined)
    last = np.append(first[1:], values.size) - 1
    begins = changes[first] | (trail.trace[first] == 0)
    ends = np.append(changes[first[1:]], False) | (trail.trace[last] == trail.n_file_traces[last] - 1)
    lengths = last - first + 1
    # Across a gap the same value counts as the same run: what lies between was not read.
    file, value = trail.file[first], values[first]
    anew = np.append(True, (np.diff(file) != 0) | (value[1:] != value[:-1]))
    visits = np.stack([file[anew], np.unique(value[anew], return_inverse=True)[1].reshape(-1)], axis=1)
    return Runs(
        complete=lengths[begins & ends],
        longest=int(lengths.max(initial=0)),
        n_values=int(np.unique(values).size),
        n_changes=int(changes.sum()),
        comes_back=len(np.unique(visits, axis=0)) < len(visits),
        changes=changes,
    )


def counter_period(values: NDArray[Any], trail: Trail) -> int:
    """Return after how many traces a field that goes up by one starts again, 0 where it does no such thing."""
    if values.dtype.kind not in "iu":
        return 0
    steps = np.diff(values.astype(np.int64))[trail.joined[1:]]
    if steps.size == 0 or np.mean(steps == 1) < 0.5 or np.mean((steps == 1) | (steps < 0)) < 0.95:
        return 0
    falls = np.append(False, np.diff(values.astype(np.int64)) < 0)
    return find_runs(np.cumsum(falls), trail).typical if falls.any() else 0


def describe_field(name: str, place: str, values: NDArray[Any], trail: Trail) -> FieldFacts:
    """Return how a field behaves; values: (n,), what is not known counts as 0."""
    values = np.nan_to_num(values)
    runs = find_runs(values, trail)
    period = counter_period(values, trail)
    low, high = values.min(), values.max()
    pattern: Pattern
    if low == high:
        pattern = "constant" if low else "zero"
    elif period > 1:
        pattern = "counts"
    else:
        pattern = "steps" if runs.longest > 1 and runs.n_changes <= 0.5 * trail.joined.sum() else "varies"
    direction = ""
    if low != high and (values[1:] >= values[:-1]).all():
        direction = "rises"
    elif low != high and (values[1:] <= values[:-1]).all():
        direction = "falls"
    run_traces = (period, period) if pattern == "counts" else None
    if pattern == "steps" and runs.complete.size:
        run_traces = (int(runs.complete.min()), int(runs.complete.max()))
    return FieldFacts(
        name=name,
        place=place,
        minimum=float(low),
        maximum=float(high),
        pattern=pattern,
        direction=direction,
        run_traces=run_traces,
        n_changes=runs.n_changes,
        comes_back=runs.comes_back,
    )
