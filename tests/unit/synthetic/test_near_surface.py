import numpy as np
import pytest

from seisray.errors import ConfigError
from seisray.synthetic.near_surface import NearSurface, random_near_surface


def ground(seed: int = 0) -> NearSurface:
    return random_near_surface(np.random.default_rng(seed), length_m=500.0, depth_m=60.0, grid_m=2.5)


def test_same_seed_gives_the_same_ground() -> None:
    np.testing.assert_array_equal(ground(3).vp_m_s, ground(3).vp_m_s)


def test_topography_is_the_top_of_the_first_ground_cell() -> None:
    near = ground()
    row = np.argmax(near.vp_m_s > 0, axis=0)
    np.testing.assert_allclose(near.topography_z_m, near.top_z_m - row * near.grid_m)


def test_one_row_of_air_lies_above_the_highest_point() -> None:
    near = ground()
    assert not near.vp_m_s[0].any()
    assert near.vp_m_s[1].any()


def test_poisson_ratio_is_that_of_rock() -> None:
    near = ground()
    solid = near.vp_m_s > 0
    squared = (near.vp_m_s[solid] / near.vs_m_s[solid]) ** 2
    poisson = (squared - 2) / (2 * squared - 2)
    assert 0.1 < poisson.min() < poisson.max() < 0.45


def test_weathering_is_slower_than_what_lies_below() -> None:
    near = ground()
    row = np.argmax(near.vp_m_s > 0, axis=0)
    assert near.vp_m_s[row, np.arange(200)].max() < near.vp_m_s[-1].min()


def test_window_keeps_coordinates() -> None:
    near = ground()
    x_m, z_m = near.on_surface(np.array([250.0, 333.0]))
    again_x_m, again_z_m = near.window(200.0, 400.0).on_surface(x_m)
    np.testing.assert_allclose(again_x_m, x_m)
    np.testing.assert_allclose(again_z_m, z_m)


def test_grids_of_different_shape_are_refused() -> None:
    one, two = np.ones((4, 5), np.float32), np.ones((4, 6), np.float32)
    with pytest.raises(ConfigError, match="shapes"):
        NearSurface(vp_m_s=one, vs_m_s=two, density_kg_m3=one, topography_z_m=np.zeros(5), grid_m=1.0)
