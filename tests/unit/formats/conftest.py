"""SEG-Y files made by hand, from the standard and not with seisray's code."""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

MakeSegy = Callable[..., bytes]


def _ibm_words(values: np.ndarray) -> np.ndarray:
    """Return normalised IBM words: a mantissa of 24 bits, cut off, with a first hexadecimal digit above 0."""
    values = np.asarray(values, dtype=np.float64)
    mantissa, power = np.frexp(np.abs(values))
    sixteens = -(-power // 4)
    digits = np.ldexp(mantissa, power - 4 * sixteens + 24).astype(np.int64)
    words = (np.signbit(values).astype(np.int64) << 31) | ((sixteens + 64).astype(np.int64) << 24) | digits
    return np.where(values == 0, 0, words).astype(np.uint32)


def _make_segy(
    samples: np.ndarray,
    *,
    format: int = 5,
    order: str = ">",
    revision: tuple[int, int] = (0, 0),
    interval_us: int = 500,
    texts: Sequence[bytes] = (),
    additional: int = 0,
    trailers: Sequence[bytes] = (),
    binary: Mapping[int, tuple[str, Any]] | None = None,
    counts: Sequence[int] | None = None,
) -> bytes:
    """Return a file of (n_traces, n_samples) words, which are written as they are but for the byte order.

    binary: further values of the binary header, byte -> (struct format, value). counts: samples that the trace headers
    claim. FFIDs are 1, 1, 2, 2, ...
    """
    n_traces, n_samples = samples.shape
    head = bytearray(3600)
    head[:3200] = b"".join(f"C{i + 1:>2} made by hand".ljust(80).encode("cp037") for i in range(40))
    head[3500], head[3501] = revision
    if revision == (1, 0) and order == "<":
        head[3500], head[3501] = 0, 1
    values: dict[int, tuple[str, Any]] = {
        3217: ("H", interval_us),
        3221: ("H", n_samples if n_samples < 2**16 else 0),
        3225: ("h", format),
        3503: ("h", 1 if revision > (0, 0) else 0),
        3505: ("h", len(texts) if revision > (0, 0) else 0),
    }
    if revision >= (2, 0):
        values |= {3297: ("I", 16909060), 3507: ("i", additional), 3529: ("i", len(trailers))}
        values |= {3269: ("I", n_samples if n_samples >= 2**16 else 0)}
    for byte, (code, value) in (values | dict(binary or {})).items():
        struct.pack_into(order + code, head, byte - 1, value)
    body = []
    for trace in range(n_traces):
        header = bytearray(240 * (1 + additional))
        count = n_samples if counts is None else counts[trace]
        struct.pack_into(order + "i", header, 8, 1 + trace // 2)
        struct.pack_into(order + "i", header, 12, 1 + trace % 2)
        struct.pack_into(order + "HH", header, 114, count if count < 2**16 else 0, interval_us)
        raw = samples[trace]
        body.append(bytes(header) + raw.astype(raw.dtype.newbyteorder(order)).tobytes())
    texts = [text.ljust(3200)[:3200] for text in texts]
    return bytes(head) + b"".join([*texts, *body, *(text.ljust(3200)[:3200] for text in trailers)])


@pytest.fixture(scope="session")
def make_segy() -> MakeSegy:
    """Return a function that makes the bytes of a SEG-Y file."""
    return _make_segy


@pytest.fixture(scope="session")
def ibm_words() -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that encodes numbers as IBM floats."""
    return _ibm_words
