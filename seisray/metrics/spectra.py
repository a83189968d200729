"""Spectra of panels, frequency by wavenumber: apparent velocities, bandwidth, artefacts of upsampling."""

import numpy as np
from numpy.typing import NDArray

Panels = NDArray[np.float32]


def spectrum_distance(real: Panels, fake: Panels) -> float:
    """Return the mean of |log10 A_real - log10 A_fake| over frequency and wavenumber.

    real, fake: (n, traces, samples), any n. A is the amplitude spectrum of a panel, averaged over the panels: 0.3 is a
    factor of 2 at every frequency and wavenumber.
    """
    return float(np.mean(np.abs(log_spectrum(real) - log_spectrum(fake))))


def log_spectrum(panels: Panels) -> NDArray[np.float64]:
    """Return (traces, samples // 2 + 1): log10 of the mean amplitude at each wavenumber and frequency."""
    mean = np.abs(np.fft.rfft2(panels)).mean(axis=0, dtype=np.float64)
    return np.asarray(np.log10(mean + 1e-6 * max(float(mean.max()), 1e-12)))
