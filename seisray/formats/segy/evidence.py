"""Whether the samples of a SEG-Y file look like the format and the byte order that its header claims.

A claim is denied only where the words speak against it and for another: few distinct words prove nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from seisray.errors import SegyError
from seisray.formats.segy.layout import FLOAT64, IBM, IEEE, INT32, SAMPLE_FORMATS, ReadAs, ReadAt, SegyLayout

PIECE_BYTES = 1 << 15
PLACES = (0.0, 0.5, 1.0, 0.25, 0.75, 0.125, 0.375, 0.625, 0.875)  # three of them, more where traces are dead
FEWEST_WORDS, ENOUGH_WORDS = 500, 4000  # distinct and not zero
TAIL = 0.01  # share of words ignored at either end of the range of magnitudes
WIDE_BITS = 170.0  # 51 decades: floats with swapped bytes spread over 75 or more
NARROW_BITS = 83.0  # 25 decades
FAR_BITS = 100.0  # 30 decades
LARGEST_INTEGER_BITS = 29.5  # floats of ordinary size are integers from about 2^30 on
LARGEST_FLOAT64_BITS = 400.0
OTHER_ORDER = {">": "<", "<": ">"}
ORDER_NAMES = {">": "big", "<": "little"}

Words = NDArray[np.unsignedinteger]


def check_samples(read_at: ReadAt, layout: SegyLayout, where: str, read_as: ReadAs) -> None:
    """Raise SegyError where samples are in another format or byte order than the headers say.

    Looks at formats 1, 2, 5 and 6, in some 100 KB from the start, the middle and the end, more where traces are dead.
    What the user said outright is not doubted.
    """
    code = layout.format_code
    if code not in _LIKE:
        return
    words = _distinct_words(read_at, layout)
    if words.size < FEWEST_WORDS or _LIKE[code](words):
        return
    codes = {code} if read_as.sample_format is not None or code == FLOAT64 else {IBM, IEEE, INT32}
    found = [(_spread_bits(words, other), other, layout.byte_order) for other in codes if _LIKE[other](words)]
    if read_as.byte_order is None and _wild(words, code):
        swapped, order = words.byteswap(), OTHER_ORDER[layout.byte_order]
        found += [(_spread_bits(swapped, other), other, order) for other in codes if _LIKE[other](swapped)]
        if not found and _spread_bits(swapped, code) < NARROW_BITS < WIDE_BITS < _spread_bits(words, code):
            found = [(0.0, code, order)]
    if found:
        raise _mislabelled(layout, *min(found)[1:], where)


def _distinct_words(read_at: ReadAt, layout: SegyLayout) -> Words:
    """Return distinct sample words that are neither 0 nor -0, as native numbers."""
    dtype = np.dtype(f"{layout.byte_order}u{layout.sample_bytes}")
    sign = 1 << (8 * layout.sample_bytes - 1)
    found: Words = np.empty(0, dtype=dtype.newbyteorder("="))
    for number, piece in enumerate(_pieces(read_at, layout)):
        new = np.unique(piece.view(dtype).astype(found.dtype))
        found = np.union1d(found, new[(new != 0) & (new != sign)])
        if number >= 2 and found.size >= ENOUGH_WORDS:
            break
    return found


def _pieces(read_at: ReadAt, layout: SegyLayout) -> Iterator[NDArray[np.uint8]]:
    """Yield the samples of some neighbouring traces, or of the middle of a long one, at several places of the file."""
    seen = set()
    for place in PLACES:
        wanted = max(PIECE_BYTES // layout.trace_bytes, 1)
        first = min(round(place * (layout.n_traces - 1)), max(layout.n_traces - wanted, 0))
        stop = min(first + wanted, layout.n_traces)
        if first in seen:
            continue
        seen.add(first)
        if layout.trace_bytes <= PIECE_BYTES:
            raw = read_at(layout.offset(first), (stop - first) * layout.trace_bytes)
            yield np.frombuffer(raw, np.uint8).reshape(stop - first, -1)[:, layout.header_bytes :].copy()
        else:
            n = min(PIECE_BYTES // layout.sample_bytes, layout.n_samples)
            start = layout.header_bytes + (layout.n_samples - n) // 2 * layout.sample_bytes
            yield np.frombuffer(read_at(layout.offset(first) + start, n * layout.sample_bytes), np.uint8)


def _range_bits(words: Words, code: int) -> tuple[float, float]:
    """Return log2 of the magnitudes below which 1 % and 99 % of words lie."""
    if code == IBM:
        mantissa = np.maximum(words & 0x00FFFFFF, 1)
        bits = np.log2(mantissa) + 4.0 * ((words >> 24) & 0x7F) - 280
    elif code == IEEE:
        bits = ((words >> 23) & 0xFF) - 127.0
    elif code == FLOAT64:
        bits = ((words >> np.uint64(52)) & np.uint64(0x7FF)) - 1023.0
    else:
        bits = np.log2(np.abs(words.view(np.int32).astype(np.float64)))
    low, high = np.quantile(bits, (TAIL, 1 - TAIL))
    return float(low), float(high)


def _wild(words: Words, code: int) -> bool:
    """Return whether amplitudes spread over 50 decades, are all beyond 30 decades from 1, or integers too large."""
    low, high = _range_bits(words, code)
    if code == INT32:
        return high > LARGEST_INTEGER_BITS
    return high - low > WIDE_BITS or high < -FAR_BITS or low > FAR_BITS


def _spread_bits(words: Words, code: int) -> float:
    low, high = _range_bits(words, code)
    return high - low


def _shares_of_digits(words: Words) -> NDArray[np.float64]:
    """Return how often bits 20-23 hold 0, 1, 2-3, 4-7 and 8-15: the leading digit of an IBM mantissa."""
    digit = (words >> 20) & 0xF
    return np.diff(np.searchsorted(np.sort(digit), [0, 1, 2, 4, 8, 16])) / words.size


def _common_exponents(words: Words) -> int:
    """Return how many of the 128 exponents of IBM floats stand in at least 1 % of words."""
    return int(np.count_nonzero(np.bincount((words >> 24) & 0x7F) >= TAIL * words.size))


def _of_both_signs(words: Words) -> bool:
    return 0.05 < float(np.mean(words >> 31)) < 0.95


def _like_ibm(words: Words) -> bool:
    """IBM floats are normalised: no leading digit is 0, and the others occur, over more than one exponent.

    So do IEEE floats in some narrow ranges: amplitudes of one sign prove nothing.
    """
    zero, *others = _shares_of_digits(words).tolist()
    normalised = zero == 0 and min(others) >= 0.03 and _common_exponents(words) > 1
    return normalised and _of_both_signs(words) and _spread_bits(words, IBM) < WIDE_BITS


def _like_ieee(words: Words) -> bool:
    """In IEEE floats those bits mix exponent and mantissa, and are 0 in one of 16 words or so, over many exponents."""
    zero, *_, large = _shares_of_digits(words).tolist()
    mixed = 0.01 < zero < 0.2 and 0.15 < large < 0.85
    return mixed and _spread_bits(words, IEEE) < WIDE_BITS and _common_exponents(words) > 2


def _like_integers(words: Words) -> bool:
    """Integers of a recorder leave the upper bits to the sign, have both signs, and spread over several powers of 2."""
    low, high = _range_bits(words, INT32)
    return high < LARGEST_INTEGER_BITS and high - low > 3 and _of_both_signs(words)


def _like_float64(words: Words) -> bool:
    low, high = _range_bits(words, FLOAT64)
    return high - low < WIDE_BITS and abs(high) < LARGEST_FLOAT64_BITS


_LIKE: Mapping[int, Callable[[Words], bool]] = MappingProxyType(
    {IBM: _like_ibm, IEEE: _like_ieee, INT32: _like_integers, FLOAT64: _like_float64}
)


def _mislabelled(layout: SegyLayout, code: int, order: str, where: str) -> SegyError:
    claimed, found = (SAMPLE_FORMATS[one].name for one in (layout.format_code, code))
    if order == layout.byte_order:
        return SegyError(
            f"{where}: the binary header says that samples are {claimed}s (format code {layout.format_code} in bytes "
            f"3225-3226), but they look like {found}s; pass --sample-format {code}, or --sample-format "
            f"{layout.format_code} to read them as the header says"
        )
    kept, other = ORDER_NAMES[layout.byte_order], ORDER_NAMES[order]
    return SegyError(
        f"{where}: headers are {kept}-endian with samples said to be {claimed}s, but samples look like {other}-endian "
        f"{found}s; write the file again in one byte order, or pass --byte-order {kept} to read it as its headers say"
    )
