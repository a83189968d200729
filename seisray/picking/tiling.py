"""Gathers of any size through the picker: overlapping tiles, joined so that each trace is picked once."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from seisray.models.unet import TRACE_MULTIPLE
from seisray.transforms import Samples, normalise, pad_to

TILE_TRACES = 128
OVERLAP_TRACES = 16
BATCH_SAMPLES = 1 << 20  # of the panels that the network sees at once; it needs some hundred bytes for each


def tiles(n_traces: int) -> Iterator[tuple[slice, slice]]:
    """Yield (traces to read, traces to keep) that cover 0 .. n_traces - 1, each trace kept once."""
    if n_traces <= TILE_TRACES:
        yield slice(0, n_traces), slice(0, n_traces)
        return
    step = TILE_TRACES - 2 * OVERLAP_TRACES
    for keep in range(0, n_traces, step):
        start = min(max(keep - OVERLAP_TRACES, 0), n_traces - TILE_TRACES)
        yield slice(start, start + TILE_TRACES), slice(keep, min(keep + step, n_traces))


def window_starts(n_samples: int, window: int) -> list[int]:
    """Return where windows start that cover 0 .. n_samples - 1; neighbours share at least half of their samples."""
    last = max(n_samples - window, 0)
    return sorted({*range(0, last, window // 2), last})


def gather_logits(
    picker: Callable[[Tensor], Tensor], samples: Samples, *, gain: float, window: int, device: str = "cpu"
) -> Samples:
    """Return (n_traces, n_samples + 1) log-probabilities of a gather's traces at once; see `tile_logits`."""
    found = tile_logits(picker, samples, gain=gain, window=window, device=device)
    return np.concatenate([logits for _, logits in found])


def tile_logits(
    picker: Callable[[Tensor], Tensor], samples: Samples, *, gain: float, window: int, device: str = "cpu"
) -> Iterator[tuple[slice, Samples]]:
    """Yield tile by tile the traces kept and their (n_kept, n_samples + 1) log-probabilities; the last is "no pick".

    window: samples of the panels that the picker learned from. It sees windows of that length, each normalised as its
    panels were, so that picks do not depend on how long the record is. A sample has the probability of the window that
    is surest of it, "no pick" that of the window that is least sure of it. Memory does not grow with the number of
    traces, and with the number of samples only as the log-probabilities of one tile do.
    """
    n_traces, n_samples = samples.shape
    for read, keep in tiles(n_traces):
        part = samples[read]
        rows = slice(keep.start - read.start, keep.stop - read.start)
        found = np.full((keep.stop - keep.start, n_samples + 1), -np.inf, dtype=np.float32)
        found[:, -1] = np.inf
        for start, sure in _windows(picker, part, gain, window, device):
            within = slice(start, min(start + window, n_samples))
            length = within.stop - within.start
            found[:, within] = np.maximum(found[:, within], sure[rows, :length])
            found[:, -1] = np.minimum(found[:, -1], sure[rows, -1])
        yield keep, found


@torch.inference_mode()
def _windows(
    picker: Callable[[Tensor], Tensor], part: Samples, gain: float, window: int, device: str
) -> Iterator[tuple[int, Samples]]:
    """Yield where each window of a tile starts and its (traces, window + 1) log-probabilities, a batch at a time."""
    whole = -(-len(part) // TRACE_MULTIPLE) * TRACE_MULTIPLE
    starts = window_starts(part.shape[1], window)
    each = max(BATCH_SAMPLES // (whole * window), 1)
    for first in range(0, len(starts), each):
        batch = starts[first : first + each]
        panels = np.stack([normalise(pad_to(part[:, s : s + window], whole, window), gain) for s in batch])
        logits = picker(torch.from_numpy(panels)[:, None].to(device)).float()  # (windows, traces, window + 1)
        yield from zip(batch, logits.log_softmax(dim=-1).cpu().numpy(), strict=True)
