"""Whether a SEG-Y file's size and its trace headers agree on the one length of its traces, and where they part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seisray.errors import SegyError
from seisray.formats.segy.headers import TRACE_HEADER_BYTES, HeaderField
from seisray.formats.segy.layout import SAMPLE_FORMATS, ReadAs, ReadAt, SegyLayout

N_SAMPLES = HeaderField(byte=115, format="uint16")
SAMPLE_INTERVAL = HeaderField(byte=117, format="uint16")
LARGEST_COUNT = 2**16 - 1  # of bytes 115-116; longer traces have their count in the extension of rev 2
TRACES_FOLLOWED = 8


def trace_header(read_at: ReadAt, offset: int) -> NDArray[np.uint8]:
    """Return the (1, 240) header of the trace at a byte."""
    return np.frombuffer(read_at(offset, TRACE_HEADER_BYTES), dtype=np.uint8)[None]


def check_lengths(read_at: ReadAt, layout: SegyLayout, data_bytes: int, where: str, read_as: ReadAs) -> None:
    """Raise SegyError where the bytes from the first trace on are no whole traces, or trace headers deny their length.

    Single odd headers are left to the gather they lie in. Sample counts of 0 were not filled in and deny nothing.
    """
    n, n_traces = layout.n_samples, layout.n_traces
    headers = _Headers(read_at, layout, data_bytes)
    whole = n_traces > 0 and data_bytes == n_traces * layout.trace_bytes
    told = read_as.n_samples is not None or n > LARGEST_COUNT
    if read_as.n_samples is not None:
        _check_told(headers, layout, data_bytes, where)
    if not told:
        first = {trace: headers.n_samples(trace) for trace in (0, 1) if trace < max(n_traces, 1)}
        last = {trace: headers.n_samples(trace) for trace in (n_traces - 2, n_traces - 1) if trace > 1}
        counts = [count for count in (first | last).values() if count]
        if counts and n not in counts:
            raise _denied(layout, counts[0], data_bytes, where)
        if n in first.values() and (not whole or (len(last) == 2 and all(c not in (0, n) for c in last.values()))):
            lost = headers.first_odd()
            if lost is not None:
                raise _strayed(headers, lost, where)
    if not whole:
        rest = data_bytes - n_traces * layout.trace_bytes
        raise SegyError(
            f"{where}: {layout.data_start + max(data_bytes, 0)} bytes end in a trace that is cut short: {max(rest, 0)} "
            f"of {layout.trace_bytes} bytes after {n_traces} whole traces of {n} samples; fetch the file again, or, "
            "where its sample count or format code is wrong, pass --n-samples or --sample-format"
        )


def _check_told(headers: "_Headers", layout: SegyLayout, data_bytes: int, where: str) -> None:
    """Raise SegyError where the user's sample count cannot be: trace headers and the file's size agree on another."""
    said = headers.n_samples(0)
    trace_bytes = layout.header_bytes + said * layout.sample_bytes
    fits = (
        said and data_bytes % trace_bytes == 0 and headers.at(layout.data_start + data_bytes - trace_bytes)[0] == said
    )
    if fits and said != layout.n_samples:
        raise SegyError(
            f"{where}: --n-samples {layout.n_samples} cannot be: trace headers say {said}, with which the file's size "
            "agrees; leave the option out"
        )


@dataclass(frozen=True, slots=True)
class _Headers:
    """Read single trace headers, at the places that traces of one length have."""

    read_at: ReadAt
    layout: SegyLayout
    data_bytes: int

    def n_samples(self, trace: int) -> int:
        return self.at(self.layout.offset(trace))[0]

    def at(self, offset: int) -> tuple[int, int]:
        """Return samples and interval (us) of the trace header at a byte."""
        block = trace_header(self.read_at, offset)
        n, interval_us = (int(field.read(block, self.layout.byte_order)[0]) for field in (N_SAMPLES, SAMPLE_INTERVAL))
        return n, interval_us

    def first_odd(self) -> int | None:
        """Return where trace headers begin to deny the sample count, found by bisection; None where the last agrees."""
        good = 0
        odd = (self.data_bytes - self.layout.header_bytes) // self.layout.trace_bytes  # of a cut trace, if it has one
        if odd < 1 or self.n_samples(odd) == self.layout.n_samples:
            return None
        while odd - good > 1:
            middle = (good + odd) // 2
            if self.n_samples(middle) == self.layout.n_samples:
                good = middle
            else:
                odd = middle
        return odd

    def lengths_vary_from(self, trace: int) -> bool:
        """Return whether traces as long as their own headers say follow each other from here on."""
        offset, end = self.layout.offset(trace), self.layout.data_start + self.data_bytes
        interval_us = self.at(self.layout.offset(0))[1]
        for _ in range(TRACES_FOLLOWED):
            n, its_interval_us = self.at(offset)
            offset += self.layout.header_bytes + n * self.layout.sample_bytes
            if n == 0 or its_interval_us != interval_us or offset > end:
                return False
            if offset + TRACE_HEADER_BYTES > end:
                return offset == end
        return True

    def sample_bytes_that_fit(self) -> int | None:
        """Return the width of samples with which the second trace's header and the file's end are where they should."""
        layout, n = self.layout, self.layout.n_samples
        for sample_bytes in sorted({format.bytes for format in SAMPLE_FORMATS.values()} - {layout.sample_bytes}):
            n_traces, rest = divmod(self.data_bytes, layout.header_bytes + n * sample_bytes)
            second = layout.data_start + layout.header_bytes + n * sample_bytes
            if n_traces > 1 and not rest and self.at(second)[0] == n:
                return sample_bytes
        return None


def _strayed(headers: _Headers, trace: int, where: str) -> SegyError:
    n, code = headers.layout.n_samples, headers.layout.format_code
    fitting = headers.sample_bytes_that_fit()
    if fitting is not None:
        codes = [str(one) for one, format in SAMPLE_FORMATS.items() if format.bytes == fitting]
        return SegyError(
            f"{where}: format code {code} in bytes 3225-3226 means {headers.layout.sample_bytes} bytes a sample, but "
            f"trace headers follow each other with {fitting}; pass --sample-format with one of {', '.join(codes)}"
        )
    if headers.lengths_vary_from(trace):
        return SegyError(
            f"{where}: traces of different lengths: trace {trace + 1} says {headers.n_samples(trace)} samples (bytes "
            f"115-116 of its header), those before it {n}; expected one length: write the file again with one, or pass "
            "--n-samples if only the headers are wrong"
        )
    return SegyError(
        f"{where}: traces of {n} samples cannot be followed to its end: where trace {trace + 1} should start, at byte "
        f"{headers.layout.offset(trace)}, is no header of such a trace; bytes are missing or too many in or before it: "
        "fetch the file again, or pass --n-samples if only the headers are wrong"
    )


def _denied(layout: SegyLayout, count: int, data_bytes: int, where: str) -> SegyError:
    def fits(n: int) -> str:
        whole = data_bytes % (layout.header_bytes + n * layout.sample_bytes) == 0
        return f"{'fits' if whole else 'does not fit'} the file's size"

    return SegyError(
        f"{where}: the binary header says {layout.n_samples} samples a trace (bytes 3221-3222), which "
        f"{fits(layout.n_samples)}, but trace headers say {count} (bytes 115-116), which {fits(count)}; "
        f"pass --n-samples {layout.n_samples} or --n-samples {count}"
    )
