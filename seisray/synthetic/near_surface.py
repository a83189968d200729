"""A near surface: P and S velocity and density of the ground under a line, on square cells, with air above it."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seisray.errors import ConfigError
from seisray.synthetic.smooth import smooth

Grid = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class NearSurface:
    """Hold the ground under one line.

    vp_m_s, vs_m_s, density_kg_m3: (nz, nx), one value a cell, row 0 on top; 0 in air, which no wave enters.
    topography_z_m: (nx,) elevation of the surface, positive up: the top edge of the first ground cell of each column.
    origin_x_m: left edge of column 0. top_z_m: elevation of the top edge of row 0.
    Raises ConfigError where shapes disagree or a column is all air.
    """

    vp_m_s: Grid = field(repr=False)
    vs_m_s: Grid = field(repr=False)
    density_kg_m3: Grid = field(repr=False)
    topography_z_m: NDArray[np.float64] = field(repr=False)
    grid_m: float
    origin_x_m: float = 0.0
    top_z_m: float = 0.0

    def __post_init__(self) -> None:
        if not self.grid_m > 0:
            raise ConfigError(f"grid_m is {self.grid_m}, expected more than 0")
        shapes = {self.vp_m_s.shape, self.vs_m_s.shape, self.density_kg_m3.shape}
        if len(shapes) > 1 or self.vp_m_s.ndim != 2:
            raise ConfigError(f"vp_m_s, vs_m_s and density_kg_m3 have shapes {sorted(shapes)}, expected one (nz, nx)")
        if self.topography_z_m.shape != (self.vp_m_s.shape[1],):
            raise ConfigError(
                f"topography_z_m has shape {self.topography_z_m.shape}, expected ({self.vp_m_s.shape[1]},)"
            )
        if not np.all(self.vp_m_s[-1] > 0):
            raise ConfigError("vp_m_s is 0 in the lowest row, expected ground there")

    def column(self, x_m: ArrayLike) -> NDArray[np.int64]:
        """Return the columns that hold the positions x_m, the edge columns for positions outside."""
        column = np.floor((np.asarray(x_m, dtype=np.float64) - self.origin_x_m) / self.grid_m + 1e-6).astype(np.int64)
        return np.clip(column, 0, self.vp_m_s.shape[1] - 1)

    def on_surface(self, x_m: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return x_m moved to the nearest column centres, and the elevation of the surface there."""
        column = self.column(x_m)
        centre_x_m = np.asarray(self.origin_x_m + (column + 0.5) * self.grid_m, dtype=np.float64)
        return centre_x_m, self.topography_z_m[column]

    def window(self, from_x_m: float, to_x_m: float) -> "NearSurface":
        """Return the columns that hold from_x_m to to_x_m; coordinates stay as they are."""
        first, last = (int(c) for c in self.column(np.array([from_x_m, to_x_m])))
        part = slice(first, last + 1)
        return replace(
            self,
            vp_m_s=self.vp_m_s[:, part],
            vs_m_s=self.vs_m_s[:, part],
            density_kg_m3=self.density_kg_m3[:, part],
            topography_z_m=self.topography_z_m[part],
            origin_x_m=self.origin_x_m + first * self.grid_m,
        )


def random_near_surface(
    rng: np.random.Generator,
    *,
    length_m: float,
    depth_m: float,
    grid_m: float,
    relief_m: float = 15.0,
    weathering_m: tuple[float, float] = (8.0, 22.0),
    weathering_vp_m_s: tuple[float, float] = (450.0, 800.0),
    refractor_vp_m_s: tuple[float, float] = (1300.0, 4500.0),
) -> NearSurface:
    """Return a line of random ground: weathering over one or two refractors, under random topography.

    Weathering varies in thickness and velocity, the boundaries undulate, velocity grows with depth inside each layer
    and wanders by a few per cent over metres to hundreds of metres. S velocity follows from a Poisson ratio of
    0.26-0.36 in weathering and 0.25-0.33 below; density from Gardner's rule, lowered in weathering.
    """
    nx, nz_ground = round(length_m / grid_m), round(depth_m / grid_m)

    def wander(scale_m: float) -> NDArray[np.float64]:  # (nx,), standard deviation about 1
        return _unit(smooth(rng.standard_normal(nx), scale_m / grid_m))

    def speckle(scale_z_m: float, scale_x_m: float) -> NDArray[np.float64]:  # (nz_ground, nx)
        along = smooth(rng.standard_normal((nz_ground, nx)), scale_x_m / grid_m)
        return _unit(smooth(along, scale_z_m / grid_m, axis=0))

    depth = (np.arange(nz_ground) + 0.5)[:, None] * grid_m  # (nz_ground, 1), below the surface
    shape = 0.85 * wander(220.0) + 0.15 * wander(35.0)
    height = relief_m * (shape - shape.min()) / max(np.ptp(shape), 1e-9) * rng.uniform(0.4, 1.0)

    thickness = rng.uniform(*weathering_m) * np.exp(0.30 * wander(120.0) + 0.12 * wander(25.0))  # (nx,)
    base = np.clip(thickness, 2 * grid_m, 0.5 * depth_m)
    vp_top = rng.uniform(*weathering_vp_m_s) * np.exp(0.08 * wander(90.0))
    vp = np.maximum(vp_top * (1.0 + 0.30 * depth / base), weathering_vp_m_s[0])  # grows by 30 % to its base

    low, high = refractor_vp_m_s
    vp_first = rng.uniform(low, low + 0.3 * (high - low)) * np.exp(0.06 * wander(150.0))
    layer = (depth > base).astype(np.int8)
    vp = np.where(layer == 1, vp_first + rng.uniform(1.0, 6.0) * (depth - base), vp)
    if rng.random() < 0.7:
        second = base + rng.uniform(0.2, 0.45) * depth_m * np.exp(0.20 * wander(150.0))
        vp_second = rng.uniform(low + 0.4 * (high - low), high) * np.exp(0.04 * wander(200.0))
        layer = np.where(depth > second, 2, layer).astype(np.int8)
        vp = np.where(layer == 2, vp_second + 1.0 * (depth - second), vp)

    vp *= np.exp(np.where(layer == 0, 0.05, 0.025) * speckle(4.0, 12.0))
    vp = np.clip(vp, weathering_vp_m_s[0], high)
    ratio = np.array([rng.uniform(1.75, 2.15), rng.uniform(1.75, 2.0), rng.uniform(1.73, 1.9)])[layer]
    vs = vp / ratio * np.exp(np.where(layer == 0, 0.06, 0.02) * speckle(3.0, 8.0))
    density = np.where(layer == 0, 0.9, 1.0) * 310.0 * vp**0.25
    return _under_topography(vp, np.minimum(vs, 0.64 * vp), density, height, grid_m)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values with mean 0 and standard deviation 1."""
    centred = values - values.mean()
    unit: NDArray[np.float64] = centred / max(float(centred.std()), 1e-9)
    return unit


def _under_topography(
    vp: NDArray[np.float64],
    vs: NDArray[np.float64],
    density: NDArray[np.float64],
    height_m: NDArray[np.float64],
    grid_m: float,
) -> NearSurface:
    """Return the near surface whose columns, given from the surface down, hang under a surface at height_m >= 0.

    Heights are rounded to whole cells. One row of air stays above the highest point.
    """
    rows_up = np.round(height_m / grid_m).astype(np.int64)  # (nx,)
    surface_row = int(rows_up.max()) + 1 - rows_up
    nz = vp.shape[0] + int(surface_row.max())
    source_row = np.arange(nz)[:, None] - surface_row  # (nz, nx): row of the flat model, negative in air
    taken = np.clip(source_row, 0, vp.shape[0] - 1)

    def hang(values: NDArray[np.float64]) -> Grid:
        hung: Grid = np.where(source_row < 0, 0.0, np.take_along_axis(values, taken, axis=0)).astype(np.float32)
        return hung

    return NearSurface(
        vp_m_s=hang(vp),
        vs_m_s=hang(vs),
        density_kg_m3=hang(density),
        topography_z_m=(rows_up * grid_m).astype(np.float64),
        grid_m=grid_m,
        top_z_m=(int(rows_up.max()) + 1) * grid_m,
    )
