"""A glimpse of a field file: a few windows of its traces and single headers between them, never the whole.

Windows show what happens from trace to trace; the headers between them, what happens along the file.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError
from seisray.formats.segy.file import read_layout
from seisray.formats.segy.layout import ReadAs, SegyLayout
from seisray.formats.segy.samples import decode_samples
from seisray.formats.segy.text import read_text_headers
from seisray.storage import Location

N_WINDOWS = 5
N_PROBES = 32
READERS = 8  # requests to an object store wait far longer than they transfer
TEXT_LINES = 400


@dataclass
class Meter:
    """Read ranges of a file, and count their bytes."""

    file: Location
    lengths: list[int] = field(default_factory=list)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`."""
        self.lengths.append(length)
        return self.file.read_range(offset, length)

    @property
    def bytes_read(self) -> int:
        """Return how many bytes were read so far."""
        return sum(self.lengths)


@dataclass(frozen=True, kw_only=True)
class SegyGlimpse:
    """Hold what was read of a SEG-Y file.

    headers: (n, 240 or more) bytes of the traces whose numbers, counted from 0, `trace` holds in rising order.
    windows: first trace and (n_traces, n_samples) amplitudes of each; of traces longer than a window the beginning.
    """

    meter: Meter
    bytes: int
    layout: SegyLayout
    text: tuple[str, ...]
    headers: NDArray[np.uint8] = field(repr=False)
    trace: NDArray[np.int64] = field(repr=False)
    windows: tuple[tuple[int, NDArray[np.float32]], ...] = field(repr=False)

    def header_at(self, trace: int) -> NDArray[np.uint8]:
        """Return the (1, 240 or more) header of one more trace."""
        raw = self.meter.read_at(self.layout.offset(trace), self.headers.shape[1])
        return np.frombuffer(raw, dtype=np.uint8)[None]


def look_into_segy(file: Location, read_as: ReadAs, last_byte: int, window_bytes: int) -> SegyGlimpse:
    """Return a glimpse of a file; raise SegyError or StorageError where it cannot be read.

    last_byte: how much of the trace headers is wanted, at least 240. Raises ConfigError where they have less.
    """
    size = file.size()
    meter = Meter(file)
    layout = read_layout(meter.read_at, size, file.uri, read_as)
    if last_byte > layout.header_bytes:
        raise ConfigError(
            f"{file}: trace headers have {layout.header_bytes} bytes, but a --header lies at byte {last_byte}"
        )
    n_shown = min(layout.n_samples, window_bytes // layout.sample_bytes)  # less only of traces longer than a window
    shown = layout.header_bytes + n_shown * layout.sample_bytes
    spans = windows(layout.n_traces, max(window_bytes // layout.trace_bytes, 1))
    probes = np.unique(np.linspace(0, layout.n_traces - 1, N_PROBES).astype(np.int64))
    probes = probes[[not any(first <= one < stop for first, stop in spans) for one in probes.tolist()]]
    ranges = [(layout.offset(first), (stop - first - 1) * layout.trace_bytes + shown) for first, stop in spans]
    ranges += [(layout.offset(one), last_byte) for one in probes.tolist()]
    with ThreadPoolExecutor(READERS) as pool:
        raw = [np.frombuffer(one, dtype=np.uint8) for one in pool.map(lambda span: meter.read_at(*span), ranges)]
    blocks = [one.reshape(-1, shown) for one in raw[: len(spans)]]
    short = replace(layout, n_samples=n_shown)
    trace = np.concatenate([*(np.arange(*span) for span in spans), probes])
    headers = [one[:, :last_byte] for one in blocks] + [one[None] for one in raw[len(spans) :]]
    order = np.argsort(trace)
    return SegyGlimpse(
        meter=meter,
        bytes=size,
        layout=layout,
        text=text_lines("\n".join(read_text_headers(meter.read_at, layout))),
        headers=np.concatenate(headers)[order],
        trace=trace[order],
        windows=tuple((first, decode_samples(one, short)) for (first, _), one in zip(spans, blocks, strict=True)),
    )


def windows(n_traces: int, window_traces: int) -> list[tuple[int, int]]:
    """Return [first, stop) of at most N_WINDOWS windows: all traces of a small file, else start, end and between."""
    if n_traces <= N_WINDOWS * window_traces:
        return [(first, min(first + window_traces, n_traces)) for first in range(0, n_traces, window_traces)]
    starts = np.linspace(0, n_traces - window_traces, N_WINDOWS).astype(np.int64).tolist()
    return [(first, first + window_traces) for first in starts]


def text_lines(text: str) -> tuple[str, ...]:
    """Return the lines that say something, without what a terminal would take for a command."""
    lines = (line[at : at + 80] for line in text.splitlines() for at in range(0, max(len(line), 1), 80))
    clean = ("".join(c if c.isprintable() else " " for c in line).strip() for line in lines)
    return tuple(line for line in clean if not re.fullmatch(r"(C ?\d*)?", line))[:TEXT_LINES]
