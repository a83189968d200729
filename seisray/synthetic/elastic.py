"""An elastic shot: vertical particle velocity on the surface after a downward blow on the surface.

Topography is kept as it is: air cells hold neither stiffness nor mass (the improved vacuum method), so the surface is a
staircase of whole cells. Flattening the ground instead would bend its layers and change the first arrivals.

The slowest S waves have two to four cells a wavelength, so the ground roll owes part of its dispersion to the grid.
First breaks are P waves, which the grid carries well: at 2.5 m, noise-free onsets at 3 % of the first peak lie within
2 ms of the eikonal time for nine traces in ten.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seisray.synthetic.extra import import_extra
from seisray.synthetic.near_surface import NearSurface

ABSORBING_CELLS = 20
COURANT = 0.6
"""The wave solver's own limit; a larger step makes it halve the step and resample."""

BLOW = 1e5
"""Force density of the blow, N/m3: brings refracted first breaks near 1."""

ONSET_PERIODS = 0.08
"""Periods between the wavelet's mathematical beginning and its visible one, 3-4 % of the first peak."""


def wavelet(n_samples: int, interval_s: float, peak_frequency_hz: float) -> NDArray[np.float64]:
    """Return (n_samples,) a Berlage wavelet that begins at 0 s: t^2 exp(-4 f t) sin(2 pi f t), peak 1.

    It is causal and close to minimum phase, with little above three times its frequency for the grid to disperse.
    """
    period = np.arange(n_samples) * interval_s * peak_frequency_hz
    pulse = period**2 * np.exp(-4.0 * period) * np.sin(2.0 * np.pi * period)
    unit: NDArray[np.float64] = pulse / np.abs(pulse).max()
    return unit


def elastic_shot(
    near_surface: NearSurface,
    source: tuple[float, float],
    receivers: NDArray[np.float64],
    *,
    n_samples: int,
    sample_interval_us: float,
    peak_frequency_hz: float,
    onset_periods: float = ONSET_PERIODS,
    damping_per_s: float = 1.5,
) -> NDArray[np.float32]:
    """Return (n_traces, n_samples) vertical particle velocity, up positive, from the moment of the shot on.

    source: (x_m, z_m). receivers: (n_traces, 2) of x_m, z_m. Both sit on the surface, at column centres
    (`NearSurface.on_surface`); others are moved there. z is elevation.
    onset_periods: the blow begins this much before time 0, so that its visible onset falls on time 0.
    damping_per_s: amplitudes fall as exp(-damping t), which stands for attenuation, and by the square root of time,
    which turns the spreading of a line source into that of a point; neither moves an onset.
    """
    deepwave, torch = import_extra("deepwave"), import_extra("torch")
    near = near_surface
    interval_s = sample_interval_us * 1e-6
    steps = _steps_a_sample(near, interval_s)
    step_s = interval_s / steps
    advance = round(onset_periods / peak_frequency_hz / step_s)
    n_steps = n_samples * steps + advance  # past the last sample: the solver's very last step is inexact

    density = near.density_kg_m3.astype(np.float64)
    mu = density * near.vs_m_s.astype(np.float64) ** 2
    lamb = density * near.vp_m_s.astype(np.float64) ** 2 - 2.0 * mu
    buoyancy = np.divide(1.0, density, out=np.zeros_like(density), where=density > 0)

    def tensor(values: NDArray[np.float64]) -> object:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))

    def cells(column: NDArray[np.int64]) -> object:  # (1, n, 2) row, column of the velocity node on the surface
        row = np.argmax(near.vp_m_s[:, column] > 0, axis=0) - 1  # vertical velocity sits on a cell's lower edge
        return torch.from_numpy(np.stack([row, column], axis=-1)[None])

    # The solver takes a cell once; off the line, two receivers as far from the shot share one.
    listening, of_receiver = np.unique(near.column(receivers[:, 0]), return_inverse=True)

    blow = BLOW * wavelet(n_steps, step_s, peak_frequency_hz)[None, None]  # rows count down, and so does this
    with torch.no_grad(), _one_thread(torch), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="deepwave: zero-width PML face")  # above it is air only
        warnings.filterwarnings("ignore", message="At least six grid cells")  # slow S waves: see the module docstring
        motion = deepwave.elastic(
            tensor(lamb),
            tensor(mu),
            tensor(buoyancy),
            near.grid_m,
            step_s,
            sources={"y": (tensor(blow), cells(near.column([source[0]])))},
            receivers={"y": cells(listening)},
            pml_width=[0, ABSORBING_CELLS, ABSORBING_CELLS, ABSORBING_CELLS],
            pml_freq=peak_frequency_hz,
            time_pad_frac=0.3,
        ).receiver_amplitudes_y[0]
    traces = -motion.numpy()[of_receiver, advance::steps]  # (n_traces, n_samples)
    time_s = np.arange(n_samples) * interval_s
    fall = np.exp(-damping_per_s * time_s) / np.sqrt(time_s + 0.05)
    shot: NDArray[np.float32] = (traces * fall).astype(np.float32)
    return shot


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    """Keep torch to one thread: shots run side by side, and a second thread on a busy core costs up to 10 times.

    OMP_NUM_THREADS=1 alone does not, because numba, under the eikonal solver, raises the number again.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _steps_a_sample(near: NearSurface, interval_s: float) -> int:
    """Return how many solver steps a sample takes to be stable, with a margin for contrasts in density."""
    fastest = 1.18 * float(near.vp_m_s.max())
    return math.ceil(interval_s * fastest * math.sqrt(2.0) / (COURANT * near.grid_m))
