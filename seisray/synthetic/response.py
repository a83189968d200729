"""What records owe to the loss of the ground and to the geophones: filters that no arrival outruns."""

import numpy as np
import scipy  # its signal, a second of every command's start, is imported where it is used
from numpy.typing import NDArray

NYQUIST_SHARE = 0.9
"""Of the Nyquist frequency: filters with a corner beyond it have no room for their slope."""


def respond(
    samples: NDArray[np.float32], sample_interval_us: float, *, loss_hz: float, geophone_hz: float
) -> NDArray[np.float32]:
    """Return (n_traces, n_samples) as geophones of a natural frequency record them behind ground that loses the highs.

    loss_hz: above it the ground takes 12 dB an octave. geophone_hz: below it a geophone damped at 0.7 does. 0 leaves
    either out, and so does a loss above 0.9 of the Nyquist frequency, where a record has next to nothing. Both are
    causal and of minimum phase, so that an onset stays where it is, and becomes less steep.
    """
    rate_hz = 1e6 / sample_interval_us
    kinds = {"lowpass": loss_hz if loss_hz < NYQUIST_SHARE * rate_hz / 2 else 0.0, "highpass": geophone_hz}
    for kind, corner_hz in kinds.items():
        if corner_hz > 0:
            sections = scipy.signal.butter(2, corner_hz, kind, fs=rate_hz, output="sos")
            samples = scipy.signal.sosfilt(sections, samples, axis=1).astype(np.float32)
    return samples
