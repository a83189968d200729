"""Gathers of any size through the picker, in tiles that leave no seam.

A tile is read with a halo as wide as the picker's field of view, and begins where its poolings begin in the whole
gather: what is kept of it are the logits that the whole gather would have given at once.
"""

from collections.abc import Iterator

import numpy as np

from seisray.models.unet import SAMPLE_MULTIPLE, TRACE_MULTIPLE
from seisray.picking.engine import Predict
from seisray.transforms import Samples, normalise

TILE_TRACES, TILE_SAMPLES = 256, 2048  # kept of a tile: the network needs some hundred bytes for each sample
HALO_TRACES, HALO_SAMPLES = 48, 480  # as far as the body sees, rounded up to its poolings


def spans(size: int, keep: int, halo: int) -> Iterator[tuple[slice, slice]]:
    """Yield (what to read, what to keep) of an axis: all of 0 .. size - 1 is kept once."""
    if size <= keep + 2 * halo:
        yield slice(0, size), slice(0, size)
        return
    for start in range(0, size, keep):
        stop = min(start + keep, size)
        yield slice(max(start - halo, 0), min(stop + halo, size)), slice(start, stop)


def gather_logits(predict: Predict, samples: Samples, *, gain: float, stretch: int) -> Samples:
    """Return (n_traces, n_samples + 1) logits of a gather's traces at once; see `tile_logits`."""
    found = tile_logits(predict, samples, gain=gain, stretch=stretch)
    return np.concatenate([logits for _, logits in found])


def tile_logits(predict: Predict, samples: Samples, *, gain: float, stretch: int) -> Iterator[tuple[slice, Samples]]:
    """Yield tile by tile the traces kept and their (n_kept, n_samples + 1) logits; the last is "no pick".

    stretch: samples of the panels that the picker learned from, for `normalise`. Memory does not grow with the number
    of traces, and with the number of samples only as the logits of one tile do.
    """
    n_traces, n_samples = samples.shape
    for rows, kept in spans(n_traces, TILE_TRACES, HALO_TRACES):
        panel = _panel(samples[rows], gain, stretch)
        found = np.empty((kept.stop - kept.start, n_samples + 1), np.float32)
        top = kept.start - rows.start
        for read, keep in spans(panel.shape[1], TILE_SAMPLES, HALO_SAMPLES):
            logits = predict(np.ascontiguousarray(panel[:, read]))[top : top + len(found)]
            stop = min(keep.stop, n_samples)
            found[:, keep.start : stop] = logits[:, keep.start - read.start : stop - read.start]
            found[:, -1] = logits[:, -1]
        yield kept, found


def _panel(samples: Samples, gain: float, stretch: int) -> Samples:
    """Return samples normalised, with zeros behind either axis up to what the body's poolings divide."""
    n_traces, n_samples = samples.shape
    panel = np.empty((_multiple(n_traces, TRACE_MULTIPLE), _multiple(n_samples, SAMPLE_MULTIPLE)), np.float32)
    normalise(samples, gain, stretch, out=panel[:n_traces, :n_samples])
    panel[n_traces:], panel[:n_traces, n_samples:] = 0, 0
    return panel


def _multiple(size: int, of: int) -> int:
    return -(-size // of) * of
