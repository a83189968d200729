"""What is known of a SEG-Y file before its traces are read: sample formats, layout, and what the user says of it.

Source: SEG-Y rev 0 (Barry, Cavers & Kneale, Geophysics 40 (1975) 344), rev 1 (SEG, 2002), rev 2.0 (2017), 2.1 (2023).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.formats.segy.headers import TRACE_HEADER_BYTES

FILE_HEADER_BYTES = 3600
TEXT_HEADER_BYTES = 3200

ReadAt = Callable[[int, int], bytes]
"""Read (offset, length) bytes of a file."""
ReadTraces = Callable[[int, int], bytes | NDArray[np.uint8]]
"""The same where there are many of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleFormat:
    """Name one format code of binary header bytes 3225-3226. dtype: NumPy's, without byte order; i3, u3 are ours."""

    name: str
    dtype: str

    @property
    def bytes(self) -> int:
        """Return the bytes of one sample."""
        return int(self.dtype[1:])


def _format(name: str, dtype: str) -> SampleFormat:
    return SampleFormat(name=name, dtype=dtype)


IBM, INT32, INT16, GAIN, IEEE, FLOAT64 = 1, 2, 3, 4, 5, 6
SAMPLE_FORMATS: Mapping[int, SampleFormat] = MappingProxyType(
    {
        IBM: _format("IBM float", "u4"),
        INT32: _format("int32", "i4"),
        INT16: _format("int16", "i2"),
        IEEE: _format("IEEE float", "f4"),
        FLOAT64: _format("float64", "f8"),
        7: _format("int24", "i3"),
        8: _format("int8", "i1"),
        9: _format("int64", "i8"),
        10: _format("uint32", "u4"),
        11: _format("uint16", "u2"),
        12: _format("uint64", "u8"),
        15: _format("uint24", "u3"),
        16: _format("uint8", "u1"),
    }
)
"""Every format of rev 2.1 but 4, fixed point with gain, which nothing has written for decades."""

KNOWN_FORMATS = ", ".join(f"{code} = {format.name}" for code, format in SAMPLE_FORMATS.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadAs:
    """Say how to read a file whose headers are wrong; None believes the headers. Raises ConfigError.

    Parameters
    ----------
    byte_order
        What SEG-Y files are, where their headers are wrong.
    sample_format
        Format code of SEG-Y samples, where the header is wrong: 1 = IBM float, 5 = IEEE float, ...
    n_samples
        Samples a trace, where SEG-Y headers are wrong.
    sample_interval_us
        Sample interval, where SEG-Y headers are wrong.
    """

    byte_order: Literal["big", "little"] | None = None
    sample_format: int | None = None
    n_samples: int | None = None
    sample_interval_us: float | None = None

    def __post_init__(self) -> None:
        if self.byte_order not in (None, "big", "little"):
            raise ConfigError(f"byte order {self.byte_order!r} is unknown; expected 'big' or 'little'")
        if self.sample_format is not None and self.sample_format not in SAMPLE_FORMATS:
            raise ConfigError(f"sample format {self.sample_format} is unknown; expected one of {KNOWN_FORMATS}")
        if self.n_samples is not None and not 1 <= self.n_samples < 2**32:
            raise ConfigError(f"n_samples {self.n_samples} is outside 1..{2**32 - 1}")
        interval_us = self.sample_interval_us
        if interval_us is not None and not (math.isfinite(interval_us) and interval_us > 0):
            raise ConfigError(f"sample_interval_us {interval_us} is not above 0")


BELIEVE = ReadAs()
"""Believe the headers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SegyLayout:
    """Say how the traces of one SEG-Y file lie in its bytes.

    byte_order: '>' or '<', as in struct. data_start: the byte, from 0, of the first trace. unit_m: metres in the file's
    unit of length. header_bytes: of one trace, additional headers included. revision: (major, minor). ensemble_traces:
    traces that a gather should have, 0 = unknown.
    """

    byte_order: str
    format_code: int
    n_samples: int
    sample_interval_us: float
    data_start: int
    n_traces: int
    unit_m: float = 1.0
    header_bytes: int = TRACE_HEADER_BYTES
    revision: tuple[int, int] = (0, 0)
    ensemble_traces: int = 0

    @property
    def sample_bytes(self) -> int:
        """Return the bytes of one sample."""
        return SAMPLE_FORMATS[self.format_code].bytes

    @property
    def trace_bytes(self) -> int:
        """Return the bytes of one trace with its headers."""
        return self.header_bytes + self.n_samples * self.sample_bytes

    def offset(self, trace: int) -> int:
        """Return the byte at which a trace, counted from 0, starts."""
        return self.data_start + trace * self.trace_bytes
