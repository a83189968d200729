"""The binary header of SEG-Y: the 400 bytes from 3201 that say how the rest is to be read.

Source: SEG-Y rev 2.1 (SEG, 2023), table 2; all byte positions count from 1, as there.
"""

import math
import struct
from dataclasses import dataclass
from typing import Any

from seisray.errors import SegyError
from seisray.formats.segy.headers import TRACE_HEADER_BYTES
from seisray.formats.segy.layout import FILE_HEADER_BYTES, GAIN, KNOWN_FORMATS, SAMPLE_FORMATS, ReadAs

FEET, FOOT_M = 2, 0.3048
NEWEST_REVISION = 2
BYTE_ORDER_OPTIONS = {"big": ">", "little": "<"}
# Bytes 3297-3300 of rev 2 hold 16909060 = 0x01020304 in the order of every number in the file.
BYTE_ORDER_MARKS = {b"\x01\x02\x03\x04": ">", b"\x04\x03\x02\x01": "<"}
PAIRWISE_MARK = b"\x02\x01\x04\x03"
VARIABLE = -1  # a number of records that the file does not say


@dataclass(frozen=True, kw_only=True, slots=True)
class BinaryHeader:
    """Hold what a binary header says, in the words of `SegyLayout`; 0 = not said.

    text_records, trailer_records: of 3200 bytes, -1 = variable. first_trace_byte: from 0.
    """

    byte_order: str
    revision: tuple[int, int]
    format_code: int
    n_samples: int
    sample_interval_us: float
    unit_m: float
    ensemble_traces: int
    text_records: int
    header_bytes: int = TRACE_HEADER_BYTES
    n_traces: int = 0
    first_trace_byte: int = 0
    trailer_records: int = 0


def read_binary_header(head: bytes, where: str, read_as: ReadAs) -> BinaryHeader:
    """Return what bytes 3201-3600 of a file say, corrected by what the user says.

    head: the first 3600 bytes. Raises SegyError where the sample format is none that can be read.
    """
    order = _byte_order(head, where, read_as)

    def number(byte: int, format: str) -> Any:
        return struct.unpack_from(order + format, head, byte - 1)[0]

    code = read_as.sample_format or number(3225, "h")
    if code not in SAMPLE_FORMATS:
        raise _unknown_format(head, code, where)
    revision = _revision(head[3500], head[3501], order)
    said: dict[str, Any] = {
        "byte_order": order,
        "revision": revision,
        "format_code": code,
        "n_samples": number(3221, "H"),
        "sample_interval_us": float(number(3217, "H")),
        "unit_m": FOOT_M if number(3255, "h") == FEET else 1.0,
        "ensemble_traces": max(number(3213, "h"), 0),
        "text_records": number(3505, "h") if revision[0] > 0 else 0,
    }
    if revision[0] > 1:
        additional = number(3507, "i")
        if additional < 0 or number(3529, "i") < VARIABLE:
            raise SegyError(
                f"{where}: the binary header says {additional} additional trace headers (bytes 3507-3510) and "
                f"{number(3529, 'i')} trailer records (3529-3532); expected 0 or more, and -1 or more"
            )
        said |= {
            "n_samples": number(3269, "I") or said["n_samples"],
            "sample_interval_us": _long_interval_us(number(3273, "d"), where, read_as) or said["sample_interval_us"],
            "ensemble_traces": max(number(3261, "i"), 0) or said["ensemble_traces"],
            "header_bytes": TRACE_HEADER_BYTES * (1 + additional),
            "n_traces": number(3513, "Q"),
            "first_trace_byte": number(3521, "Q"),
            "trailer_records": number(3529, "i"),
        }
    if said["text_records"] < VARIABLE:
        raise SegyError(
            f"{where}: the binary header says {said['text_records']} extended text headers (bytes 3505-3506); "
            "expected -1 (variable) or more"
        )
    if read_as.n_samples is not None:
        said["n_samples"] = read_as.n_samples
    if read_as.sample_interval_us is not None:
        said["sample_interval_us"] = read_as.sample_interval_us
    return BinaryHeader(**said)


def _byte_order(head: bytes, where: str, read_as: ReadAs) -> str:
    """Return the order that the user, the mark of rev 2 or else the format code speaks for; '>' where none does."""
    mark = head[3296:3300]
    if read_as.byte_order is not None:
        return BYTE_ORDER_OPTIONS[read_as.byte_order]
    if mark == PAIRWISE_MARK:
        raise SegyError(
            f"{where}: bytes 3297-3300 say that every pair of bytes is swapped, which cannot be read; swap them back "
            "from byte 3201 on (dd conv=swab), or pass --byte-order big or little if these bytes are wrong"
        )
    if mark in BYTE_ORDER_MARKS:
        return BYTE_ORDER_MARKS[mark]
    known = [read_as.sample_format] if read_as.sample_format else SAMPLE_FORMATS
    return next((order for order in "><" if struct.unpack_from(order + "h", head, 3224)[0] in known), ">")


def _revision(major: int, minor: int, order: str) -> tuple[int, int]:
    """Return (major, minor). Rev 1 has one 16-bit number there, so its little-endian bytes are swapped.

    Other numbers are left-overs in a rev 0 file, where these bytes mean nothing.
    """
    if order == "<" and (major, minor) in ((0, 1), (0, 2), (1, 2)):
        major, minor = minor, major
    return (major, minor) if 0 < major <= NEWEST_REVISION else (0, 0)


def _long_interval_us(interval_us: float, where: str, read_as: ReadAs) -> float:
    if read_as.sample_interval_us is None and not (math.isfinite(interval_us) and interval_us >= 0):
        raise SegyError(
            f"{where}: the binary header says {interval_us} us a sample (bytes 3273-3280); expected above 0: "
            "pass --sample-interval-us"
        )
    return interval_us


def _unknown_format(head: bytes, code: int, where: str) -> SegyError:
    if head[4:6] == b"SY" and head[9:15] == b"RECORD":
        return SegyError(
            f"{where} starts with a SEG-Y tape label, which is not supported; cut off its 128 bytes (tail -c +129)"
        )
    if code == GAIN:
        return SegyError(
            f"{where}: format code 4 in bytes 3225-3226, fixed point with gain, is not supported; if the code is "
            f"wrong, pass --sample-format with one of {KNOWN_FORMATS}"
        )
    return SegyError(
        f"{where} is not a SEG-Y file that can be read: format code {code} in bytes 3225-3226, expected one of "
        f"{KNOWN_FORMATS}; if it is SEG-Y all the same, pass its format, such as --sample-format 5"
    )


def check_size(file_bytes: int, where: str) -> None:
    """Raise SegyError for a file that is too small to hold one trace."""
    least = FILE_HEADER_BYTES + TRACE_HEADER_BYTES
    if file_bytes < least:
        raise SegyError(
            f"{where} is not a SEG-Y file: {file_bytes} bytes, expected {least} at least (headers of one trace)"
        )
