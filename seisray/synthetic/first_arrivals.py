"""First arrivals: the time at which the fastest P wave reaches each receiver, by a cell-based eikonal solver."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seisray.synthetic.extra import import_extra
from seisray.synthetic.near_surface import NearSurface

AIR_M_S = 20.0
"""Stands for air in the solver, which cannot take 0: so slow that no first arrival crosses it."""


def first_arrival_ms(
    near_surface: NearSurface,
    source_x_m: float,
    source_z_m: float,
    receiver_x_m: ArrayLike,
    receiver_z_m: ArrayLike,
) -> NDArray[np.float64]:
    """Return (n_traces,) first-arrival times in ms after the shot.

    x along the line, z elevation. Velocity is constant in each cell, so the times belong to the very cells in which
    `elastic_shot` moves its waves; interfaces and the surface lie on cell edges.
    """
    eikonal = import_extra("fteikpy").Eikonal2D
    near = near_surface
    velocity = np.where(near.vp_m_s > 0, near.vp_m_s, AIR_M_S).astype(np.float64)
    hair = 1e-3 * near.grid_m  # a source on an edge would else start in the air cell above it

    def down_and_along(x_m: ArrayLike, z_m: ArrayLike) -> NDArray[np.float64]:
        down = near.top_z_m - np.asarray(z_m, dtype=np.float64) + hair
        along = np.asarray(x_m, dtype=np.float64) - near.origin_x_m
        return np.stack(np.broadcast_arrays(down, along), axis=-1)

    times = eikonal(velocity, (near.grid_m, near.grid_m)).solve(down_and_along(source_x_m, source_z_m))
    seconds = times(down_and_along(receiver_x_m, receiver_z_m))
    return np.atleast_1d(np.asarray(seconds, dtype=np.float64)) * 1e3
