"""Gathers as bytes of SEG-Y: an ordinary rev 1 file with IEEE floats, or traces as they stood in their own file."""

import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.errors import SegyError
from seisray.formats.segy.float_ibm import float32_to_ibm
from seisray.formats.segy.gathers import DEAD_TRACE_CODE
from seisray.formats.segy.headers import STANDARD, TRACE_HEADER_BYTES
from seisray.formats.segy.layout import FILE_HEADER_BYTES, IBM, SAMPLE_FORMATS, TEXT_HEADER_BYTES, SegyLayout
from seisray.gather import Gather

TRACE_COUNT_BYTE = 3513
CENTIMETRES = 100  # coordinates are kept as centimetres, with the scalar -100


def segy_bytes(gathers: Iterable[Gather], *, text: str = "") -> Iterator[bytes]:
    """Yield the pieces of a SEG-Y file, file header first, then one piece a gather.

    text: put into the text header in lines of 80. Raises SegyError where gathers differ in sampling.
    """
    shape: tuple[int, float] | None = None
    for gather in gathers:
        if shape is None:
            shape = (gather.n_samples, gather.sample_interval_us)
            yield _file_header(gather, text)
        if shape != (gather.n_samples, gather.sample_interval_us):
            raise SegyError(
                f"gather {gather.gather_id!r} has {gather.n_samples} samples at {gather.sample_interval_us} us, "
                f"the file {shape[0]} at {shape[1]} us; write them to different files"
            )
        if not -(2**31) <= gather.ffid < 2**31:
            raise SegyError(f"gather {gather.gather_id!r}: SEG-Y holds FFIDs of 32 bits, got {gather.ffid}")
        yield _traces(gather)


def _file_header(gather: Gather, text: str) -> bytes:
    lines = [f"C{i + 1:>2} {text[76 * i : 76 * (i + 1)]}" for i in range(40)]
    binary = bytearray(FILE_HEADER_BYTES - TEXT_HEADER_BYTES)
    if gather.delay_ms != round(gather.delay_ms) or abs(gather.delay_ms) >= 2**15:
        raise SegyError(f"SEG-Y holds the delay in whole ms, below 32,768; got {gather.delay_ms} ms")
    whole_us = round(gather.sample_interval_us)
    if whole_us != gather.sample_interval_us or not 0 < whole_us < 2**16 or gather.n_samples >= 2**16:
        raise SegyError(
            f"SEG-Y rev 1 holds whole microseconds and 65,535 samples at most; got {gather.sample_interval_us} us "
            f"and {gather.n_samples} samples"
        )
    for byte, value in ((3213, gather.n_traces), (3217, whole_us), (3221, gather.n_samples), (3225, 5)):
        struct.pack_into(">H", binary, byte - 1 - TEXT_HEADER_BYTES, value)
    struct.pack_into(">h", binary, 3255 - 1 - TEXT_HEADER_BYTES, 1)  # metres
    binary[3501 - 1 - TEXT_HEADER_BYTES] = 1  # revision 1.0
    struct.pack_into(">h", binary, 3503 - 1 - TEXT_HEADER_BYTES, 1)  # all traces have one length
    return "".join(line.ljust(80)[:80] for line in lines).encode("cp037", errors="replace") + bytes(binary)


def _traces(gather: Gather) -> bytes:
    n = gather.n_traces
    blocks = np.zeros((n, TRACE_HEADER_BYTES + 4 * gather.n_samples), dtype=np.uint8)
    values = {
        "ffid": np.full(n, gather.ffid),
        "channel": gather.channel,
        "shot_point": np.full(n, gather.shot_point),
        "trace_code": np.where(gather.live, 1, DEAD_TRACE_CODE),
        "offset": np.rint(np.nan_to_num(gather.offset_m)),
        "elevation_scalar": np.full(n, -CENTIMETRES),
        "coordinate_scalar": np.full(n, -CENTIMETRES),
        "delay_ms": np.full(n, round(gather.delay_ms)),
        "n_samples": np.full(n, gather.n_samples),
        "sample_interval_us": np.full(n, round(gather.sample_interval_us)),
    } | {
        f"{end}_{axis}": np.rint(np.nan_to_num(getattr(gather, f"{end}_{axis}_m")) * CENTIMETRES)
        for end in ("source", "receiver")
        for axis in "xyz"
    }
    for name, column in values.items():
        STANDARD[name].write(blocks, column, ">")
    blocks[:, TRACE_HEADER_BYTES:] = gather.samples.astype(">f4").view(np.uint8)
    return blocks.tobytes()


def with_trace_count(header: bytes, layout: SegyLayout, n_traces: int) -> bytes:
    """Return a file header whose count of traces, which rev 2 has, is right."""
    if n_traces == layout.n_traces or layout.revision < (2, 0):
        return header
    changed = bytearray(header)
    struct.pack_into(layout.byte_order + "Q", changed, TRACE_COUNT_BYTE - 1, n_traces)
    return bytes(changed)


def trace_blocks(samples: NDArray[np.float32], headers: NDArray[np.uint8], layout: SegyLayout) -> NDArray[np.uint8]:
    """Return traces as (n_traces, trace_bytes) of a file with a given layout.

    samples: (n_traces, n_samples); whole-number formats take the nearest. headers: (n_traces, header_bytes), unchanged.
    """
    sample_format = SAMPLE_FORMATS[layout.format_code]
    if layout.format_code == IBM:
        words = float32_to_ibm(samples).astype(layout.byte_order + "u4")
    elif sample_format.dtype[0] == "f":
        words = samples.astype(layout.byte_order + sample_format.dtype)
    else:
        words = _whole(samples, sample_format.dtype, layout.byte_order)
    return np.concatenate([headers, np.ascontiguousarray(words).view(np.uint8)], axis=1)


def _whole(samples: NDArray[np.float32], dtype: str, byte_order: str) -> NDArray[Any]:
    """Return samples as whole numbers; those of three bytes as (n_traces, 3 * n_samples) bytes."""
    size = int(dtype[1:])
    signed = dtype[0] == "i"
    lowest = -(2.0 ** (8 * size - 1)) if signed else 0.0
    highest = 2.0 ** (8 * size - signed) - 1
    near = np.clip(np.rint(samples.astype(np.float64)), lowest, highest)
    if size != 3:
        return near.astype(byte_order + dtype)
    wide = near.astype(f"{byte_order}i4").view(np.uint8).reshape(*samples.shape, 4)
    return np.ascontiguousarray(wide[:, :, 1:] if byte_order == ">" else wide[:, :, :3]).reshape(len(samples), -1)
