import numpy as np

from seisray.picking.quality.robust import from_line, from_neighbours, group_median, row_median, spread


def test_medians_are_those_of_numpy_without_nan() -> None:
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((200, 6)) < 0.3, np.nan, rng.normal(size=(200, 6)))
    rows[:, 0] = 1.0
    np.testing.assert_allclose(row_median(rows), np.nanmedian(rows, axis=1))
    group = np.repeat(np.arange(200), 6)
    np.testing.assert_allclose(group_median(rows.ravel(), group, 200), np.nanmedian(rows, axis=1))


def test_a_group_without_values_has_no_median() -> None:
    assert np.isnan(group_median(np.array([1.0, np.nan]), np.array([0, 1]), 3)[1:]).all()
    assert np.isnan(row_median(np.full((1, 3), np.nan))).all()


def test_the_spread_of_normal_values_is_their_standard_deviation() -> None:
    values = np.random.default_rng(0).normal(scale=3, size=100_000)
    values[:2000] = 1e6
    assert abs(spread(values) - 3) < 0.1


def test_only_neighbours_of_the_same_group_count() -> None:
    values = np.array([1.0, 1, 5, 1, 100, 100, 100, 100])
    off = from_neighbours(values, np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    np.testing.assert_array_equal(off, [0, 0, 4, 0, 0, 0, 0, 0])


def test_slope_and_kink_leave_nothing_but_a_wrong_value() -> None:
    values = 3.0 * np.abs(np.arange(30) - 12)
    off, _ = from_line(values, np.zeros(30, dtype=int))
    np.testing.assert_allclose(off, 0, atol=1e-9)
    values[20] += 7
    off, doubt = from_line(values, np.zeros(30, dtype=int))
    assert off[20] == 7
    assert doubt[20] < 1e-9
    np.testing.assert_allclose(np.delete(off, 20), 0, atol=1e-9)
