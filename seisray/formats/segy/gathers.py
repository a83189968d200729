"""Ranges of a SEG-Y file to gathers, each gather exactly once and without a pre-pass.

Source: SEG-Y rev 1 (SEG, 2002), trace headers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seisray.errors import GatherError, SegyError
from seisray.formats.picks.first_breaks import PickOrigin
from seisray.formats.segy.headers import HeaderField
from seisray.formats.segy.key import GatherKey
from seisray.formats.segy.layout import BELIEVE, ReadAs, ReadTraces, SegyLayout
from seisray.formats.segy.samples import decode_samples
from seisray.gather import Gather, Reject
from seisray.units import apply_scalar

DEAD_TRACE_CODE = 2
LENGTHS = (0, 1)  # coordinate units that are lengths; the others are angles
LARGEST_GATHER_BYTES = 512 << 20

Head = Mapping[str, NDArray[Any]]
"""Trace headers by name, one value a trace."""

PickUnit = Literal["ms", "us", "s", "samples"]
_UNIT_MS = {"ms": 1.0, "us": 1e-3, "s": 1e3}
_SCALARS = {
    f"{end}_{axis}": "elevation_scalar" if axis == "z" else "coordinate_scalar"
    for end in ("source", "receiver")
    for axis in "xyz"
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """Say how the traces of a SEG-Y file become gathers.

    name: what the file's gathers are called after, may be empty. source: the file's place among the survey's.
    recorded: headers known to be filled in; a coordinate or offset that is 0 on every trace of a gather was not
    recorded unless it is among them. read_as: what the user says of the file, which trace headers may contradict.
    pick_unit, pick_origin: of first breaks in the trace headers.
    """

    survey: str
    name: str
    source_file: str
    source: int
    layout: SegyLayout
    key: GatherKey
    mapping: Mapping[str, HeaderField]
    recorded: frozenset[str] = frozenset()
    read_as: ReadAs = BELIEVE
    pick_unit: PickUnit = "ms"
    pick_origin: PickOrigin = "shot"

    def gather_id(self, key: NDArray[np.int64]) -> str:
        """Return what the gather with a key is called."""
        return "-".join([*([self.name] if self.name else []), *map(str, key)])

    def headers(self, blocks: NDArray[np.uint8]) -> Head:
        """Return every header of the mapping on every trace; coordinates and elevations also in metres."""
        head = {name: field.read(blocks, self.layout.byte_order) for name, field in self.mapping.items()}
        for name, scalar in _SCALARS.items():
            head[f"{name}_m"] = apply_scalar(head[name], head[scalar]) * self.layout.unit_m
        return head


def read_range(read_at: ReadTraces, layout: SegyLayout, first_trace: int, stop_trace: int) -> NDArray[np.uint8]:
    """Return traces [first_trace, stop_trace) as (n_traces, trace_bytes)."""
    raw = read_at(layout.offset(first_trace), (stop_trace - first_trace) * layout.trace_bytes)
    return np.frombuffer(raw, dtype=np.uint8).reshape(stop_trace - first_trace, layout.trace_bytes)


def gathers_starting_in(
    blocks: NDArray[np.uint8], first_trace: int, read_at: ReadTraces, reading: Reading
) -> Iterator[Gather | Reject]:
    """Yield the gathers that start in a range, or why one is no gather.

    blocks: the traces of the range. A gather is a run of traces with one key. One trace before the range is read to see
    whether the range starts in the middle of a gather, which then belongs to the range before; the last gather is read
    past the range's end. So ranges that tile a file yield each gather exactly once.
    Raises SegyError where a gather exceeds 512 MiB, since then the key is none.
    """
    keys = reading.key.read(blocks, reading.layout.byte_order)
    starts = np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1
    if first_trace == 0 or _key_before(read_at, first_trace, reading) != tuple(keys[0]):
        starts = np.concatenate([[0], starts])
    if starts.size == 0:
        return
    head = reading.headers(blocks)
    numbers = np.arange(len(blocks)) + first_trace
    for start, stop in pairwise(starts):
        own = slice(start, stop)
        yield _gather_or_reject(blocks[own], numbers[own], {name: head[name][own] for name in head}, reading)
    last = [blocks[starts[-1] :], *_rest_of_gather(first_trace, blocks, int(starts[-1]), read_at, reading)]
    traces = last[0] if len(last) == 1 else np.concatenate(last)
    numbers = np.arange(len(traces)) + first_trace + starts[-1]
    yield _gather_or_reject(traces, numbers, reading.headers(traces), reading)


def pieces_of(blocks: NDArray[np.uint8], first_trace: int, reading: Reading) -> Iterator[Gather | Reject]:
    """Yield what each gather has in a range, for gathers whose traces do not lie together, or why it cannot be used."""
    keys, head = reading.key.read(blocks, reading.layout.byte_order), reading.headers(blocks)
    _, which = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(which, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(which[order])) + 1):
        yield _gather_or_reject(blocks[rows], rows + first_trace, {name: head[name][rows] for name in head}, reading)


def _key_before(read_at: ReadTraces, first_trace: int, reading: Reading) -> tuple[int, ...]:
    before = read_range(read_at, reading.layout, first_trace - 1, first_trace)
    return tuple(reading.key.read(before, reading.layout.byte_order)[0])


def _rest_of_gather(
    first_trace: int, blocks: NDArray[np.uint8], start: int, read_at: ReadTraces, reading: Reading
) -> Iterator[NDArray[np.uint8]]:
    """Yield the traces after a range that belong to the gather starting at block `start`."""
    layout = reading.layout
    key = reading.key.read(blocks[start : start + 1], layout.byte_order)
    end = first_trace + len(blocks)
    size = len(blocks) - start
    while end < layout.n_traces:
        more = read_range(read_at, layout, end, min(end + max(size, 64), layout.n_traces))
        others = np.flatnonzero((reading.key.read(more, layout.byte_order) != key).any(axis=1))
        yield more[: others[0]] if others.size else more
        if others.size:
            return
        end += len(more)
        size += len(more)
        if size * layout.trace_bytes > LARGEST_GATHER_BYTES:
            raise SegyError(
                f"{reading.source_file}: {reading.key} is {', '.join(map(str, key[0]))} on more than {size} traces "
                f"from trace {first_trace + start + 1} on, which is no gather; say with --group-by or --header what "
                "tells gathers apart (seisray inspect finds out)"
            )


def _gather_or_reject(
    blocks: NDArray[np.uint8], numbers: NDArray[np.int64], head: Head, reading: Reading
) -> Gather | Reject:
    """Return the gather in blocks; numbers: where each trace is in the file, counted from 0; head: their headers."""
    try:
        return _gather(blocks, numbers, head, reading)
    except GatherError as error:
        key = reading.key.read(blocks[:1], reading.layout.byte_order)[0]
        return Reject(
            gather_id=reading.gather_id(key),
            source_file=reading.source_file,
            first_byte=reading.layout.offset(int(numbers[0])),
            ffid=int(head["ffid"][0]),
            n_traces=len(blocks),
            reason=str(error),
        )


def _gather(blocks: NDArray[np.uint8], numbers: NDArray[np.int64], head: Head, reading: Reading) -> Gather:
    layout = reading.layout
    for name, expected in (("n_samples", layout.n_samples), ("sample_interval_us", layout.sample_interval_us)):
        if getattr(reading.read_as, name) is not None:
            continue  # the user knows better than the headers
        limit = np.iinfo(head[name].dtype).max if head[name].dtype.kind in "iu" else np.inf
        # trace headers hold whole microseconds, file headers of rev 2 fractions of them
        wrong = (head[name] != 0) & (np.abs(head[name] - float(expected)) >= 1)
        odd = head[name][wrong] if expected <= limit else head[name][:0]
        if odd.size:
            raise GatherError(f"a trace header says {name} {odd[0]}, the file header {expected:g}")
    if np.ptp(head["delay_ms"]):
        raise GatherError(
            f"recording delays from {head['delay_ms'].min()} to {head['delay_ms'].max()} ms in one gather"
        )
    key = reading.key.read(blocks[:1], layout.byte_order)[0]
    samples = decode_samples(blocks, layout)
    delay_ms = float(apply_scalar(head["delay_ms"], head["time_scalar"])[0])
    return Gather(
        survey=reading.survey,
        gather_id=reading.gather_id(key),
        source_file=reading.source_file,
        ffid=int(head["ffid"][0]),
        shot_point=int(head["shot_point"][0]),
        sample_interval_us=layout.sample_interval_us,
        delay_ms=delay_ms,
        samples=samples,
        channel=head["channel"],
        field_record=head["ffid"],
        source=np.full(len(blocks), reading.source),
        source_trace=numbers + 1,
        live=(samples != 0).any(axis=1) & (head["trace_code"] != DEAD_TRACE_CODE),
        trace_headers=blocks[:, : layout.header_bytes],
        **_geometry(head, layout.unit_m, reading.recorded),
        **_first_breaks(head, delay_ms, reading),
    )


def _first_breaks(head: Head, delay_ms: float, reading: Reading) -> dict[str, NDArray[Any]]:
    """Return the first breaks that stand in the trace headers, in ms from the first sample; 0 and less are none."""
    if "first_break" not in head:
        return {}
    value = head["first_break"].astype(np.float64)
    unit_ms = _UNIT_MS.get(reading.pick_unit, reading.layout.sample_interval_us / 1000)
    from_start = reading.pick_origin == "first-sample" or reading.pick_unit == "samples"
    time_ms = np.where(value > 0, value * unit_ms - (0 if from_start else delay_ms), np.nan)
    end_ms = reading.layout.n_samples * reading.layout.sample_interval_us / 1000
    wrong = np.flatnonzero((time_ms < 0) | (time_ms > end_ms))
    if wrong.size:
        raise GatherError(
            f"the header of trace {wrong[0] + 1} has a first break at {time_ms[wrong[0]]:g} ms from the first sample, "
            f"outside 0..{end_ms:g} ms; are --pick-unit and --pick-origin right?"
        )
    return {"first_break_ms": time_ms}


def filled_in(head: Head) -> frozenset[str]:
    """Return which of offset, coordinates and elevations are recorded: those not 0 on every trace given."""
    places = {end: head[f"{end}_x"].any() or head[f"{end}_y"].any() for end in ("source", "receiver")}
    others = {name: head[name].any() for name in ("offset", "source_z", "receiver_z")}
    return frozenset(name for name, there in {**places, **others}.items() if there)


def _geometry(head: Head, unit_m: float, recorded: frozenset[str]) -> dict[str, NDArray[Any]]:
    """Return coordinates in metres; those not recorded, or that are angles, stay unknown."""
    recorded = recorded | filled_in(head)
    found: dict[str, NDArray[Any]] = {"offset_m": head["offset"] * unit_m} if "offset" in recorded else {}
    lengths = all(unit in LENGTHS for unit in {*head["coordinate_units"].tolist()})
    for name in _SCALARS:
        if name in recorded if name.endswith("_z") else (name[:-2] in recorded and lengths):
            found[f"{name}_m"] = head[f"{name}_m"]
    return found
