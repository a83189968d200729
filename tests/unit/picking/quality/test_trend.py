import numpy as np

from seisray.picking.quality.trend import fit_trend, place_knots


def test_a_broken_line_with_its_knot_is_found_exactly() -> None:
    offset_m = np.linspace(0, 60, 601)
    time_ms = np.where(offset_m < 20, offset_m * 2, 40 + (offset_m - 20) * 0.5)
    trend = fit_trend(offset_m, time_ms, np.ones(601), np.array([0.0, 20, 40, 60]))
    np.testing.assert_allclose(trend.at(offset_m), time_ms, atol=0.2)
    np.testing.assert_allclose(trend.slowness_ms_per_m(np.array([10.0, 50])), [2, 0.5], atol=0.02)


def test_a_trend_never_falls() -> None:
    offset_m = np.linspace(0, 100, 1000)
    trend = fit_trend(offset_m, -offset_m, np.ones(1000), place_knots(offset_m))
    np.testing.assert_allclose(trend.time_ms, -50, atol=0.5)


def test_offsets_that_are_all_one_give_their_mean() -> None:
    offset_m, time_ms = np.full(10, 7.0), np.arange(10.0)
    assert fit_trend(offset_m, time_ms, np.ones(10), place_knots(offset_m)).at(np.array([3.0])) == [4.5]
