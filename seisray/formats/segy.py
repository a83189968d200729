"""SEG-Y: fixed-length traces behind a 3600-byte file header.

Source: SEG-Y rev 1 (SEG, 2002). All byte positions of the format live here and in `headers`.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.errors import GatherError, SegyError
from seisray.formats.float_ibm import ibm_to_float32
from seisray.formats.headers import STANDARD, TRACE_HEADER_BYTES, HeaderField
from seisray.gather import Gather
from seisray.units import apply_scalar

FILE_HEADER_BYTES = 3600
TEXT_HEADER_BYTES = 3200
SAMPLE_DTYPES = {1: "u4", 3: "i2", 5: "f4", 8: "i1"}  # every one of them fits float32 exactly
DEAD_TRACE_CODE = 2
FEET, FOOT_M = 2, 0.3048
LENGTHS = (0, 1)  # coordinate units that are lengths; the others are angles

ReadAt = Callable[[int, int], bytes]
"""Read (offset, length) bytes of a file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SegyLayout:
    """Say how the traces of one SEG-Y file lie in its bytes.

    byte_order: '>' or '<', as in struct. unit_m: metres in the file's unit of length.
    """

    byte_order: str
    format_code: int
    n_samples: int
    sample_interval_us: float
    data_start: int
    n_traces: int
    unit_m: float = 1.0

    @property
    def trace_bytes(self) -> int:
        """Return the bytes of one trace with its header."""
        return TRACE_HEADER_BYTES + self.n_samples * np.dtype(SAMPLE_DTYPES[self.format_code]).itemsize

    def offset(self, trace: int) -> int:
        """Return the byte at which a trace, counted from 0, starts."""
        return self.data_start + trace * self.trace_bytes


def read_layout(read_at: ReadAt, file_bytes: int, where: str) -> SegyLayout:
    """Return the layout of a SEG-Y file from its headers.

    where: the file's name for messages. Raises SegyError where the headers contradict the file's size or the standard.
    """
    if file_bytes < FILE_HEADER_BYTES + TRACE_HEADER_BYTES:
        raise SegyError(
            f"{where} is not a SEG-Y file: {file_bytes} bytes, expected at least 3840 (headers of one trace)"
        )
    head = read_at(0, FILE_HEADER_BYTES)
    codes = {order: struct.unpack_from(order + "h", head, 3224)[0] for order in "><"}
    byte_order = next((order for order in "><" if codes[order] in SAMPLE_DTYPES), None)
    if byte_order is None:
        raise SegyError(
            f"{where} is not a SEG-Y file that can be read: format code {codes['>']} in bytes 3225-3226, "
            f"expected one of {', '.join(map(str, SAMPLE_DTYPES))} (1 = IBM float, 5 = IEEE float)"
        )
    interval_us, n_samples = (struct.unpack_from(byte_order + "H", head, at)[0] for at in (3216, 3220))
    revision, n_extended = head[3500], struct.unpack_from(byte_order + "h", head, 3504)[0]
    if n_samples == 0 or interval_us == 0:
        raise SegyError(
            f"{where}: the binary header says {n_samples} samples a trace at {interval_us} us; expected both above 0"
        )
    if revision and n_extended < 0:
        raise SegyError(f"{where}: a variable number of extended text headers is not supported")
    layout = SegyLayout(
        byte_order=byte_order,
        format_code=codes[byte_order],
        n_samples=n_samples,
        sample_interval_us=float(interval_us),
        data_start=FILE_HEADER_BYTES + (TEXT_HEADER_BYTES * n_extended if revision else 0),
        n_traces=0,
        unit_m=FOOT_M if struct.unpack_from(byte_order + "h", head, 3254)[0] == FEET else 1.0,
    )
    n_traces, rest = divmod(file_bytes - layout.data_start, layout.trace_bytes)
    if n_traces < 1 or rest:
        raise SegyError(
            f"{where}: {file_bytes} bytes do not hold whole traces of {n_samples} samples: after {max(n_traces, 0)} "
            f"traces {rest} bytes are left, expected 0 or {layout.trace_bytes}; the file is cut short, or its sample "
            "count or format code is wrong"
        )
    return SegyLayout(**{name: getattr(layout, name) for name in SegyLayout.__slots__} | {"n_traces": n_traces})


def decode_samples(blocks: NDArray[np.uint8], layout: SegyLayout) -> NDArray[np.float32]:
    """Return (n_traces, n_samples) amplitudes of (n_traces, trace_bytes) blocks."""
    dtype = np.dtype(layout.byte_order + SAMPLE_DTYPES[layout.format_code])
    raw = np.ascontiguousarray(blocks[:, TRACE_HEADER_BYTES:]).view(dtype)
    if layout.format_code == 1:
        return ibm_to_float32(raw.astype(np.uint32))
    return raw.astype(np.float32)


def read_gathers(
    read_at: ReadAt,
    layout: SegyLayout,
    first_trace: int,
    stop_trace: int,
    *,
    survey: str,
    source_file: str,
    mapping: Mapping[str, HeaderField] = STANDARD,
) -> Iterator[Gather | GatherError]:
    """Yield the gathers that start in traces [first_trace, stop_trace), or the reason why one is no gather.

    A gather is a run of traces with one FFID. One trace before the range is read to see whether the range starts in
    the middle of a gather, which then belongs to the range before; the last gather is read past the range's end. So
    ranges that tile a file yield each gather exactly once, and no pre-pass is needed.
    """
    before = min(first_trace, 1)
    blocks = _read_blocks(read_at, layout, first_trace - before, stop_trace)
    ffid = mapping["ffid"].read(blocks, layout.byte_order)
    starts = np.flatnonzero(np.diff(ffid)) + 1
    if before == 0:
        starts = np.concatenate([[0], starts])
    if starts.size == 0:
        return
    end = stop_trace
    tail = [blocks[starts[-1] :]]
    while end < layout.n_traces:  # the last gather may go on past the range
        more = _read_blocks(read_at, layout, end, min(end + max(len(tail[0]), 64), layout.n_traces))
        others = np.flatnonzero(mapping["ffid"].read(more, layout.byte_order) != ffid[starts[-1]])
        tail.append(more[: others[0]] if others.size else more)
        if others.size:
            break
        end += len(more)
    for start, stop in zip(starts, [*starts[1:], None], strict=True):
        traces = np.concatenate(tail) if stop is None else blocks[start:stop]
        position = layout.offset(first_trace - before + int(start))
        try:
            yield _gather(traces, layout, survey=survey, source_file=source_file, mapping=mapping)
        except GatherError as error:
            yield GatherError(f"{source_file}, byte {position}, FFID {ffid[start]}: {error}")


def _read_blocks(read_at: ReadAt, layout: SegyLayout, first: int, stop: int) -> NDArray[np.uint8]:
    raw = read_at(layout.offset(first), (stop - first) * layout.trace_bytes)
    return np.frombuffer(raw, dtype=np.uint8).reshape(stop - first, layout.trace_bytes)


def _gather(
    blocks: NDArray[np.uint8],
    layout: SegyLayout,
    *,
    survey: str,
    source_file: str,
    mapping: Mapping[str, HeaderField],
) -> Gather:
    head = {name: field.read(blocks, layout.byte_order) for name, field in mapping.items()}
    for name, expected in (("n_samples", layout.n_samples), ("sample_interval_us", layout.sample_interval_us)):
        odd = head[name][(head[name] != 0) & (head[name] != expected)]
        if odd.size:
            raise GatherError(f"a trace header says {name} {odd[0]}, the file header {expected:g}")
    if np.ptp(head["delay_ms"]):
        raise GatherError(
            f"recording delays from {head['delay_ms'].min()} to {head['delay_ms'].max()} ms in one gather"
        )
    samples = decode_samples(blocks, layout)
    if not np.isfinite(samples).all():
        trace = 1 + int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
        raise GatherError(f"trace {trace} holds NaN or infinite samples")
    ffid = int(head["ffid"][0])
    return Gather(
        survey=survey,
        gather_id=f"{PurePosixPath(source_file).stem}-{ffid}",
        source_file=source_file,
        ffid=ffid,
        shot_point=int(head["shot_point"][0]),
        sample_interval_us=layout.sample_interval_us,
        delay_ms=float(apply_scalar(head["delay_ms"], head["time_scalar"])[0]),
        samples=samples,
        channel=head["channel"],
        live=np.any(samples != 0, axis=1) & (head["trace_code"] != DEAD_TRACE_CODE),
        **_geometry(head, layout.unit_m),
    )


def _geometry(head: Mapping[str, NDArray[Any]], unit_m: float) -> dict[str, NDArray[Any]]:
    """Return coordinates in metres; a quantity that is zero on every trace was not recorded and stays unknown.

    So do coordinates that are angles.
    """
    scalars = {"x": "coordinate_scalar", "y": "coordinate_scalar", "z": "elevation_scalar"}
    found: dict[str, NDArray[Any]] = {"offset_m": head["offset"] * unit_m} if head["offset"].any() else {}
    for end in ("source", "receiver"):
        known = np.isin(head["coordinate_units"], LENGTHS).all() and (head[f"{end}_x"].any() or head[f"{end}_y"].any())
        for axis, scalar in scalars.items():
            value = head[f"{end}_{axis}"]
            if known if axis != "z" else value.any():
                found[f"{end}_{axis}_m"] = apply_scalar(value, head[scalar]) * unit_m
    return found
