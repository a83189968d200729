"""Distances of two sets of panels in the features of the frozen encoder.

Measured with 384 against 384 panels of 48 x 256 from three field surveys, the second set changed (Fréchet, kernel):

    unchanged, the floor     2.3    0.04 | white noise                3711  2e5
    polarity reversed        1.8    0.03 | samples in random order    3212  2e5
    8 panels repeated, noise  27    0.60 | traces in random order       98  6.3
    4 panels repeated         48    1.21 | phases random                86  5.7
    stretched in time by 1.2  26    15   | noise added at -20 dB        14  0.94
    every second trace held  638    1503 | smoothed in time, 3 points  6.3  0.18

Not seen: the upper part of the spectrum at 0.8 (1.6, 0.01). First breaks later by 40 samples of 256, in panels that all
start alike: 5.7, 0.36 on a floor of 0.7, -0.04.
"""

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]


def frechet_distance(real: Features, fake: Features) -> float:
    """Return the squared Fréchet distance of the normal distributions fitted to two sets of features.

    real, fake: (n, features), n >= 2. |m_r - m_f|^2 + tr(C_r + C_f - 2 (C_r C_f)^0.5) (Heusel et al. 2017, 1706.08500).
    It is biased upwards by about features / n, which its real-real floor shows.
    """
    c_real, c_fake = (np.cov(x, rowvar=False).reshape(x.shape[1], -1) for x in (real, fake))
    # the root of C_r C_f has the trace of the root of C_r^0.5 C_f C_r^0.5, which is symmetric
    value, vector = np.linalg.eigh(c_real)
    root = (vector * np.sqrt(np.maximum(value, 0))) @ vector.T
    mixed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ c_fake @ root), 0)).sum()
    shift = real.mean(axis=0) - fake.mean(axis=0)
    return float(max(shift @ shift + np.trace(c_real) + np.trace(c_fake) - 2 * mixed, 0))


def kernel_distance(real: Features, fake: Features) -> float:
    """Return the squared maximum mean discrepancy with the kernel (x y / features + 1)^3, unbiased.

    real, fake: (n, features), n >= 2. About 0, and at times below it, where both are drawn alike, however few there are
    (Bińkowski et al. 2018, 1801.01401).
    """
    within = sum(_off_diagonal_mean(_cubic(x, x)) for x in (real, fake))
    return float(within - 2 * _cubic(real, fake).mean())


def _cubic(x: Features, y: Features) -> Features:
    return np.asarray((x @ y.T / x.shape[1] + 1) ** 3)


def _off_diagonal_mean(kernel: Features) -> float:
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))
