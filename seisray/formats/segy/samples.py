"""Samples of SEG-Y traces, in any of the standard's formats, as float32."""

import numpy as np
from numpy.typing import NDArray

from seisray.formats.segy.float_ibm import decode_in_place
from seisray.formats.segy.layout import IBM, SAMPLE_FORMATS, SegyLayout


def decode_samples(blocks: NDArray[np.uint8], layout: SegyLayout) -> NDArray[np.float32]:
    """Return (n_traces, n_samples) amplitudes of (n_traces, trace_bytes) blocks, headers first.

    float64 and integers wider than 24 bits round to the nearest float32; a float64 beyond its range becomes infinite.
    """
    raw = blocks[:, layout.header_bytes :]
    if raw.strides[-1] != 1:
        raw = np.ascontiguousarray(raw)
    dtype = SAMPLE_FORMATS[layout.format_code].dtype
    if dtype[1:] == "3":
        return _whole_of_three_bytes(raw, dtype[0], layout.byte_order)
    words = raw.view(np.dtype(layout.byte_order + dtype))
    if layout.format_code == IBM:
        native = words.astype(np.uint32, order="C")
        decode_in_place(native)
        return native.view(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # whoever asks for the samples judges infinity and NaN
        return words.astype(np.float32, order="C")


def _whole_of_three_bytes(raw: NDArray[np.uint8], kind: str, byte_order: str) -> NDArray[np.float32]:
    """Return 24-bit integers through the upper bytes of 32-bit ones, which brings the sign along."""
    wide = np.zeros((raw.shape[0], raw.shape[1] // 3, 4), dtype=np.uint8)
    upper = slice(0, 3) if byte_order == ">" else slice(1, 4)
    wide[:, :, upper] = raw.reshape(raw.shape[0], -1, 3)
    return (wide.view(f"{byte_order}{kind}4")[:, :, 0].astype(f"{kind}4") >> 8).astype(np.float32)
