"""Where in a SEG-Y trace header each quantity lies, and how to read it.

Source: SEG-Y rev 2.1 (SEG, 2023), table 3.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError

TRACE_HEADER_BYTES = 240
_BYTE = re.compile("[0-9]{1,9}")
_DTYPES = {
    "int8": "i1",
    "int16": "i2",
    "int32": "i4",
    "int64": "i8",
    "uint8": "u1",
    "uint16": "u2",
    "uint32": "u4",
    "uint64": "u8",
    "float32": "f4",
    "float64": "f8",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HeaderField:
    """Place one quantity: the byte it starts at, counted from 1 as the standard does, and its number format.

    Bytes beyond 240 lie in the additional trace headers of rev 2, which follow the first one. Raises ConfigError.
    """

    byte: int
    format: str = "int32"

    def __post_init__(self) -> None:
        if self.format not in _DTYPES:
            raise ConfigError(f"header format {self.format!r} is unknown; expected one of {', '.join(_DTYPES)}")
        if self.byte < 1:
            raise ConfigError(f"header byte {self.byte} for {self.format} is below 1, the first byte of a trace header")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of its numbers, in the byte order of this machine."""
        return np.dtype(_DTYPES[self.format])

    @property
    def last_byte(self) -> int:
        """Return the last byte of the quantity, counted from 1."""
        return self.byte - 1 + self.dtype.itemsize

    def check_within(self, header_bytes: int, where: str) -> None:
        """Raise ConfigError if the quantity does not lie within the trace headers of a file."""
        if self.last_byte > header_bytes:
            raise ConfigError(
                f"{where}: header bytes {self.byte}-{self.last_byte} ({self.format}) reach beyond the {header_bytes} "
                f"bytes of its trace headers; expected byte {header_bytes - self.last_byte + self.byte} at most"
            )

    def read(self, blocks: NDArray[np.uint8], byte_order: str) -> NDArray[Any]:
        """Return the value of each trace. blocks: (n_traces, >= last_byte) bytes; byte_order: '>' or '<'."""
        self.check_within(blocks.shape[1], "trace headers")
        dtype = np.dtype(byte_order + _DTYPES[self.format])
        raw = np.ascontiguousarray(blocks[:, self.byte - 1 : self.last_byte])
        return raw.view(dtype)[:, 0].astype(dtype.newbyteorder("="))

    def write(self, blocks: NDArray[np.uint8], values: NDArray[Any], byte_order: str) -> None:
        """Put one value a trace into (n_traces, >= last_byte) blocks."""
        dtype = np.dtype(byte_order + _DTYPES[self.format])
        raw = np.asarray(values).astype(dtype)[:, None].view(np.uint8)
        blocks[:, self.byte - 1 : self.last_byte] = raw


def _field(byte: int, format: str = "int32") -> HeaderField:
    return HeaderField(byte=byte, format=format)


STANDARD: Mapping[str, HeaderField] = MappingProxyType(
    {
        "ffid": _field(9),
        "channel": _field(13),
        "shot_point": _field(17),
        "cdp": _field(21),
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
        "inline": _field(189),
        "crossline": _field(193),
        "time_scalar": _field(215, "int16"),
    }
)
"""Bytes of SEG-Y rev 0 to 2.1; what was unassigned before rev 1, such as `inline`, is there nevertheless."""

OPTIONAL = ("source_line", "receiver_line", "receiver", "first_break")
"""Quantities that have no place in the standard, and are read where the user gives them one."""


_TO_32_BITS = ("int8", "uint8", "int16", "uint16", "int32")
COUNTED = {"channel": _TO_32_BITS} | dict.fromkeys(("ffid", "shot_point"), (*_TO_32_BITS, "uint32", "int64"))
"""Headers that count, and the formats whose every value they can hold."""


def header_mapping(changes: Sequence[str]) -> dict[str, HeaderField]:
    """Return the standard mapping with changes such as 'ffid=17' or 'first_break=233:float32' applied.

    A quantity without a place in the standard is an int32 unless told. Raises ConfigError where a name, byte or format
    is not allowed.
    """
    mapping = dict(STANDARD)
    named: set[str] = set()
    for change in changes:
        name, equals, place = change.partition("=")
        if name in named:
            raise ConfigError(f"--header {name} is given twice; name one place")
        named.add(name)
        byte, _, format = place.partition(":")
        if (name not in STANDARD and name not in OPTIONAL) or not equals or not _BYTE.fullmatch(byte):
            raise ConfigError(
                f"--header {change!r}: expected name=byte[:format] with name one of {', '.join([*STANDARD, *OPTIONAL])}"
            )
        usual = STANDARD[name].format if name in STANDARD else "int32"
        mapping[name] = HeaderField(byte=int(byte), format=format or usual)
        if name in COUNTED and mapping[name].format not in COUNTED[name]:
            raise ConfigError(f"--header {change!r}: {name} is one of {', '.join(COUNTED[name])}")
    return mapping
