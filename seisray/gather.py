"""A gather: traces that belong together, such as those of one shot, with what is known of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from seisray.errors import GatherError

T = TypeVar("T")

PER_TRACE = {
    "trace": np.int32,
    "channel": np.int32,
    "field_record": np.int64,
    "source": np.int32,
    "source_trace": np.int64,
    "live": np.bool_,
    "offset_m": np.float32,
    "source_x_m": np.float64,
    "source_y_m": np.float64,
    "source_z_m": np.float64,
    "receiver_x_m": np.float64,
    "receiver_y_m": np.float64,
    "receiver_z_m": np.float64,
    "first_break_ms": np.float32,
}
"""Columns with one value a trace, and their types, in the order in which shards keep them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """Say which traces of a field file were left out, and why. first_byte: where the first of them starts."""

    gather_id: str
    source_file: str
    first_byte: int
    ffid: int | None
    n_traces: int
    reason: str


def _unknown() -> Any:
    """Stand for a per-trace column that the maker of a gather did not give."""
    return np.empty(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gather:
    """Hold one gather: of a shot, or of a receiver or midpoint where a survey was grouped so.

    ffid, shot_point: of the first trace. samples: (n_traces, n_samples) float32 amplitudes, no unit.
    trace: (n_traces,) counts from 1 within the gather. channel: the recorder's number. field_record: FFID of the trace.
    source: which of the survey's field files a trace is from; source_trace: where in that file, counted from 1.
    live: False on all-zero traces. offset_m, *_m: NaN = not known.
    first_break_ms: from the first sample, NaN = not labelled.
    delay_ms: time of the first sample after the shot (negative: the record starts before it).
    trace_headers: (n_traces, 240 or more) bytes as they stand in a SEG-Y file; (n_traces, 0) for other sources.
    Columns left out are filled: `trace`, `channel` and `source_trace` by counting, `field_record` with the FFID,
    `source` with 0, `live` from the samples, the rest with NaN.
    Raises GatherError where shapes disagree or the sample interval is not positive.
    """

    survey: str
    gather_id: str
    source_file: str
    ffid: int
    shot_point: int
    sample_interval_us: float
    samples: NDArray[np.float32] = field(repr=False)
    delay_ms: float = 0.0
    trace: NDArray[np.int32] = field(default_factory=_unknown, repr=False)
    channel: NDArray[np.int32] = field(default_factory=_unknown, repr=False)
    field_record: NDArray[np.int64] = field(default_factory=_unknown, repr=False)
    source: NDArray[np.int32] = field(default_factory=_unknown, repr=False)
    source_trace: NDArray[np.int64] = field(default_factory=_unknown, repr=False)
    live: NDArray[np.bool_] = field(default_factory=_unknown, repr=False)
    offset_m: NDArray[np.float32] = field(default_factory=_unknown, repr=False)
    source_x_m: NDArray[np.float64] = field(default_factory=_unknown, repr=False)
    source_y_m: NDArray[np.float64] = field(default_factory=_unknown, repr=False)
    source_z_m: NDArray[np.float64] = field(default_factory=_unknown, repr=False)
    receiver_x_m: NDArray[np.float64] = field(default_factory=_unknown, repr=False)
    receiver_y_m: NDArray[np.float64] = field(default_factory=_unknown, repr=False)
    receiver_z_m: NDArray[np.float64] = field(default_factory=_unknown, repr=False)
    first_break_ms: NDArray[np.float32] = field(default_factory=_unknown, repr=False)
    trace_headers: NDArray[np.uint8] = field(default_factory=_unknown, repr=False)

    def __post_init__(self) -> None:
        where = f"gather {self.gather_id!r} of {self.source_file}"
        if self.samples.ndim != 2 or 0 in self.samples.shape:
            raise GatherError(f"{where}: samples have shape {self.samples.shape}, expected (n_traces, n_samples)")
        if not self.sample_interval_us > 0:
            raise GatherError(f"{where}: sample interval is {self.sample_interval_us} us, expected more than 0")
        object.__setattr__(self, "samples", np.ascontiguousarray(self.samples, dtype=np.float32))
        for name, dtype in PER_TRACE.items():
            given = np.asarray(getattr(self, name))
            column = self._default(name) if given.size == 0 else given
            if column.shape != (self.n_traces,):
                raise GatherError(f"{where}: {name} has shape {column.shape}, expected ({self.n_traces},)")
            object.__setattr__(self, name, np.ascontiguousarray(column, dtype=dtype))
        headers = self.trace_headers if self.trace_headers.size else np.empty((self.n_traces, 0), dtype=np.uint8)
        if headers.ndim != 2 or len(headers) != self.n_traces:
            raise GatherError(f"{where}: trace_headers have shape {headers.shape}, expected ({self.n_traces}, bytes)")
        object.__setattr__(self, "trace_headers", headers)

    def _default(self, name: str) -> NDArray[Any]:
        if name in ("trace", "channel", "source_trace"):
            return np.arange(1, self.n_traces + 1)
        if name in ("field_record", "source"):
            return np.full(self.n_traces, self.ffid if name == "field_record" else 0)
        if name == "live":
            return np.any(self.samples != 0, axis=1)
        return np.full(self.n_traces, np.nan)

    def check_usable(self) -> None:
        """Raise GatherError where it holds NaN or infinite samples, only dead traces, or a trace twice."""
        highest, lowest = self.samples.max(axis=1), self.samples.min(axis=1)
        odd = np.flatnonzero(~np.isfinite(highest) | ~np.isfinite(lowest))  # NaN and infinity pass through max and min
        if odd.size:
            raise GatherError(f"trace {self.trace[odd[0]]} holds NaN or infinite samples")
        if not self.live.any():
            raise GatherError("all traces are dead")
        self.check_no_trace_twice()

    def check_no_trace_twice(self) -> None:
        """Raise GatherError where field record, channel and samples of two traces agree, samples not all the same."""
        if (np.diff(self.channel) > 0).all():  # so come most gathers
            return
        highest, lowest = self.samples.max(axis=1), self.samples.min(axis=1)
        with np.errstate(invalid="ignore"):  # infinite samples of both signs
            some = self.samples[:, :: max(self.n_samples // 64, 1)].sum(axis=1)
        order = np.lexsort((some, lowest, highest, self.channel, self.field_record))
        keys = (self.field_record, self.channel, highest, lowest, some)
        alike = np.logical_and.reduce([np.diff(key[order]) == 0 for key in keys]) & (highest > lowest)[order[1:]]
        for one, other in zip(order[:-1][alike], order[1:][alike], strict=True):
            if np.array_equal(self.samples[one], self.samples[other]):
                raise GatherError(
                    f"traces {self.trace[one]} and {self.trace[other]} hold the same samples; one was written twice"
                )

    @classmethod
    def join(cls, pieces: Sequence["Gather"]) -> "Gather":
        """Return the pieces of one gather as one, in the order of the field files, its traces counted anew.

        Raises GatherError where the pieces differ in sampling or delay.
        """
        first = min(pieces, key=lambda piece: (piece.source[0], piece.source_trace[0]))
        for name in ("n_samples", "sample_interval_us", "delay_ms"):
            found = sorted({getattr(piece, name) for piece in pieces})
            if len(found) > 1:
                raise GatherError(f"its traces differ in {name}: {', '.join(map(str, found))}")
        columns = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in PER_TRACE}
        order = np.lexsort((columns["source_trace"], columns["source"]))
        columns = {name: column[order] for name, column in columns.items()} | {"trace": np.arange(1, len(order) + 1)}
        widths = {piece.trace_headers.shape[1] for piece in pieces}
        same = len(widths) == 1
        headers = np.concatenate([piece.trace_headers for piece in pieces])[order] if same else _unknown()
        samples = np.concatenate([piece.samples for piece in pieces])[order]
        return first.replace(samples=samples, trace_headers=headers, **columns)

    def take(self, order: NDArray[np.intp]) -> "Gather":
        """Return the gather with its traces in another order; each keeps its number."""
        columns = {name: getattr(self, name)[order] for name in (*PER_TRACE, "samples", "trace_headers")}
        return self.replace(**columns)

    @property
    def n_traces(self) -> int:
        """Return the number of traces."""
        return self.samples.shape[0]

    @property
    def n_samples(self) -> int:
        """Return the number of samples a trace."""
        return self.samples.shape[1]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Return (n_traces,): True where a first break is known."""
        return np.isfinite(self.first_break_ms)

    def replace(self, **changes: Any) -> "Gather":
        """Return a copy with some fields changed, checked again."""
        return Gather(**{f.name: changes.get(f.name, getattr(self, f.name)) for f in fields(self)})


def by_survey(gathers: Iterable[Gather]) -> dict[str, list[Gather]]:
    """Return gathers by their survey: people pick each by another habit, and number its shots anew."""
    found: dict[str, list[Gather]] = {}
    for gather in gathers:
        found.setdefault(gather.survey, []).append(gather)
    return found


def spread_over(values: Sequence[T], most: int) -> list[T]:
    """Return so many values at most, spread evenly from the first to the last."""
    return [values[i] for i in np.linspace(0, len(values) - 1, min(len(values), most)).round().astype(int)]
