"""What amplitudes look like."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seisray.inspection.facts import SampleFacts

FLAT_SAMPLES = 4


def describe_samples(windows: Sequence[NDArray[np.float32]]) -> SampleFacts:
    """Return what (n_traces, n_samples) windows of amplitudes look like."""
    n_dead = n_clipped = n_not_finite = 0
    peak, rms = 0.0, [np.empty(0)]
    for samples in windows:
        finite = np.isfinite(samples)
        n_not_finite += int(samples.size - finite.sum())
        size = np.abs(np.where(finite, samples, 0.0))
        highest = size.max(axis=1)
        live = highest > 0
        n_dead += int((~live).sum())
        peak = max(peak, float(highest.max()))
        rms.append(np.sqrt(np.mean(size[live].astype(np.float64) ** 2, axis=1)))
        at_peak = size[live] == highest[live, None]
        stays = at_peak.shape[1] - FLAT_SAMPLES + 1
        if stays > 0:
            flat = np.logical_and.reduce([at_peak[:, shift : shift + stays] for shift in range(FLAT_SAMPLES)])
            n_clipped += int(flat.any(axis=1).sum())
    every = np.concatenate(rms)
    return SampleFacts(
        n_traces=sum(len(samples) for samples in windows),
        n_dead=n_dead,
        n_clipped=n_clipped,
        n_not_finite=n_not_finite,
        peak=peak,
        rms=float(np.median(every)) if every.size else 0.0,
    )
