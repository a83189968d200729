import numpy as np
import pytest

from seisray.synthetic.first_arrivals import first_arrival_ms
from seisray.synthetic.near_surface import NearSurface

pytest.importorskip("fteikpy")


def layers(
    *, air_rows: int = 1, thickness_m: float = 20.0, vp_m_s: tuple[float, float] = (500.0, 2000.0)
) -> NearSurface:
    grid_m, nz, nx = 2.5, 40, 200
    vp = np.full((nz, nx), vp_m_s[1], dtype=np.float32)
    vp[: air_rows + round(thickness_m / grid_m)] = vp_m_s[0]
    vp[:air_rows] = 0.0
    return NearSurface(
        vp_m_s=vp,
        vs_m_s=vp / 2,
        density_kg_m3=np.where(vp > 0, 2000.0, 0.0).astype(np.float32),
        topography_z_m=np.full(nx, 100.0),
        grid_m=grid_m,
        top_z_m=100.0 + air_rows * grid_m,
    )


def two_layer_ms(offset_m: np.ndarray, thickness_m: float, v1: float, v2: float) -> np.ndarray:
    head_s = offset_m / v2 + 2 * thickness_m * np.sqrt(1 / v1**2 - 1 / v2**2)
    return 1e3 * np.minimum(offset_m / v1, head_s)


@pytest.mark.parametrize("vp_m_s", [(500.0, 2000.0), (800.0, 1800.0), (600.0, 4500.0)])
def test_two_layer_times_are_those_of_the_head_wave(vp_m_s: tuple[float, float]) -> None:
    near = layers(vp_m_s=vp_m_s)
    x_m = np.arange(31.25, 480.0, 10.0)
    times = first_arrival_ms(near, 21.25, 100.0, x_m, np.full(x_m.shape, 100.0))
    np.testing.assert_allclose(times, two_layer_ms(x_m - 21.25, 20.0, *vp_m_s), atol=0.5)


def test_no_first_arrival_crosses_a_gully_through_air() -> None:
    vp = np.full((40, 200), 1000.0, dtype=np.float32)
    vp[:2] = 0.0
    vp[:20, 90:110] = 0.0  # 50 m wide, 45 m deep
    near = NearSurface(
        vp_m_s=vp,
        vs_m_s=vp / 2,
        density_kg_m3=vp,
        topography_z_m=np.where(vp[2] > 0, -5.0, -50.0),
        grid_m=2.5,
    )
    times = first_arrival_ms(near, 201.25, -5.0, [298.75], [-5.0])
    down_m = np.hypot(23.75, 45.0)  # from either edge to the foot of the gully
    assert times[0] == pytest.approx(2 * down_m + 50.0, abs=2.0)


def test_time_is_the_same_both_ways() -> None:
    near = layers()
    there = first_arrival_ms(near, 21.25, 100.0, [401.25], [100.0])
    back = first_arrival_ms(near, 401.25, 100.0, [21.25], [100.0])
    np.testing.assert_allclose(there, back, atol=0.05)
