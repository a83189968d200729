"""Where in a SEG-Y trace header each quantity lies, and how to read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError

TRACE_HEADER_BYTES = 240
_DTYPES = {"int16": "i2", "int32": "i4", "uint16": "u2", "uint32": "u4", "float32": "f4"}


@dataclass(frozen=True, kw_only=True, slots=True)
class HeaderField:
    """Place one quantity: the byte it starts at, counted from 1 as the standard does, and its number format."""

    byte: int
    format: str = "int32"

    def __post_init__(self) -> None:
        if self.format not in _DTYPES:
            raise ConfigError(f"header format {self.format!r} is unknown; expected one of {', '.join(_DTYPES)}")
        last = TRACE_HEADER_BYTES + 1 - np.dtype(_DTYPES[self.format]).itemsize
        if not 1 <= self.byte <= last:
            raise ConfigError(f"header byte {self.byte} for {self.format} is outside 1..{last}")

    def read(self, blocks: NDArray[np.uint8], byte_order: str) -> NDArray[Any]:
        """Return the value of each trace. blocks: (n_traces, >= 240) bytes; byte_order: '>' or '<'."""
        dtype = np.dtype(byte_order + _DTYPES[self.format])
        raw = np.ascontiguousarray(blocks[:, self.byte - 1 : self.byte - 1 + dtype.itemsize])
        return raw.view(dtype)[:, 0].astype(dtype.newbyteorder("="))

    def write(self, blocks: NDArray[np.uint8], values: NDArray[Any], byte_order: str) -> None:
        """Put one value a trace into (n_traces, >= 240) blocks."""
        dtype = np.dtype(byte_order + _DTYPES[self.format])
        raw = np.asarray(values).astype(dtype)[:, None].view(np.uint8)
        blocks[:, self.byte - 1 : self.byte - 1 + dtype.itemsize] = raw


def _field(byte: int, format: str = "int32") -> HeaderField:
    return HeaderField(byte=byte, format=format)


STANDARD: Mapping[str, HeaderField] = MappingProxyType(
    {
        "ffid": _field(9),
        "channel": _field(13),
        "shot_point": _field(17),
        "trace_code": _field(29, "int16"),
        "offset": _field(37),
        "receiver_z": _field(41),
        "source_z": _field(45),
        "elevation_scalar": _field(69, "int16"),
        "coordinate_scalar": _field(71, "int16"),
        "source_x": _field(73),
        "source_y": _field(77),
        "receiver_x": _field(81),
        "receiver_y": _field(85),
        "coordinate_units": _field(89, "int16"),
        "delay_ms": _field(109, "int16"),
        "n_samples": _field(115, "uint16"),
        "sample_interval_us": _field(117, "uint16"),
        "time_scalar": _field(215, "int16"),
    }
)
"""Bytes of SEG-Y rev 0 to 2."""


def header_mapping(changes: Sequence[str]) -> dict[str, HeaderField]:
    """Return the standard mapping with changes such as 'ffid=17' or 'ffid=9:int32' applied.

    Raises ConfigError where a name, byte or format is not allowed.
    """
    mapping = dict(STANDARD)
    for change in changes:
        name, equals, place = change.partition("=")
        byte, _, format = place.partition(":")
        if name not in STANDARD or not equals or not byte.isdecimal():
            raise ConfigError(
                f"--header {change!r}: expected name=byte[:format] with name one of {', '.join(STANDARD)}"
            )
        mapping[name] = HeaderField(byte=int(byte), format=format or STANDARD[name].format)
    return mapping
