"""Gathers of any size through the picker: tiles along the traces, overlapping, joined where both see context."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from seisray.models.unet import SAMPLE_MULTIPLE, TRACE_MULTIPLE
from seisray.transforms import Samples, normalise, pad_to

TILE_TRACES = 128
OVERLAP_TRACES = 16


def tiles(n_traces: int) -> Iterator[tuple[slice, slice]]:
    """Yield (traces to read, traces to keep) that cover 0 .. n_traces - 1, each trace kept once."""
    if n_traces <= TILE_TRACES:
        yield slice(0, n_traces), slice(0, n_traces)
        return
    step = TILE_TRACES - 2 * OVERLAP_TRACES
    for keep in range(0, n_traces, step):
        start = min(max(keep - OVERLAP_TRACES, 0), n_traces - TILE_TRACES)
        yield slice(start, start + TILE_TRACES), slice(keep, min(keep + step, n_traces))


@torch.inference_mode()
def gather_logits(picker: Callable[[Tensor], Tensor], samples: Samples, gain: float, device: str = "cpu") -> Samples:
    """Return (n_traces, n_samples + 1) logits of a gather's traces; the last class is "no pick"."""
    n_traces, n_samples = samples.shape
    panels = normalise(samples, gain)
    found = np.empty((n_traces, n_samples + 1), dtype=np.float32)
    for read, keep in tiles(n_traces):
        part = panels[read]
        whole = (-(-len(part) // TRACE_MULTIPLE) * TRACE_MULTIPLE, -(-n_samples // SAMPLE_MULTIPLE) * SAMPLE_MULTIPLE)
        logits = picker(torch.from_numpy(pad_to(part, *whole))[None, None].to(device))[0].float().cpu().numpy()
        rows = slice(keep.start - read.start, keep.stop - read.start)
        found[keep, :-1] = logits[rows, :n_samples]
        found[keep, -1] = logits[rows, -1]
    return found
