"""Charts of numbers, read back from their artists."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from seisray.errors import ConfigError, PicksError
from seisray.metrics.picks import score_picks
from seisray.report.charts import (
    plot_curves,
    plot_hit_rates,
    plot_pick_offset,
    plot_reliability,
    plot_residuals,
    smooth,
)
from seisray.report.plots import png_bytes


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.axes[0].texts)


def test_residuals_name_median_and_shares() -> None:
    text = words(plot_residuals([1.0, 1.5, 3.0, 9.0, np.nan]))
    assert "median +2.25 ms" in text
    assert "50.0% within ±2 ms" in text
    assert "75.0% within ±4 ms" in text


def test_every_residual_lands_in_a_bar() -> None:
    residual = np.concatenate([np.random.default_rng(0).normal(size=500), [-300.0, 300.0]])
    bars = [patch for patch in plot_residuals(residual).axes[0].patches if isinstance(patch, Rectangle)][2:]
    assert sum(bar.get_height() for bar in bars) == 502


def test_residuals_mark_the_tolerances() -> None:
    marks = [line.get_xdata()[0] for line in plot_residuals([0.5, -0.5]).axes[0].lines]  # type: ignore[index]
    assert {-4.0, -2.0, 2.0, 4.0} <= set(marks)


def test_residuals_without_any_value_are_refused() -> None:
    with pytest.raises(PicksError, match="no residual is known"):
        plot_residuals([np.nan])


def test_hit_rate_bars_have_the_height_of_their_rate() -> None:
    first_break = np.array([10.0, 20.0, 30.0, 40.0])
    score = score_picks(first_break + np.array([0.0, 1.5, 3.0, np.nan]), first_break, sample_interval_us=250)
    heights = [patch.get_height() for patch in plot_hit_rates({"a": score}).axes[0].patches]  # type: ignore[attr-defined]
    assert heights == [0.25, 0.5, 0.75, 0.75, 0.75]


def test_hit_rates_name_every_pick_set() -> None:
    score = score_picks([10.0], [10.0], sample_interval_us=250)
    legend = plot_hit_rates({"scratch": score, "pre-trained": score}).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["scratch (1 traces)", "pre-trained (1 traces)"]


def test_hit_rates_of_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="no score"):
        plot_hit_rates({})


def test_pick_offset_draws_known_pairs_only_with_time_downwards() -> None:
    axes = plot_pick_offset([1.0, 2.0, np.nan], [5.0, np.nan, 7.0]).axes[0]
    np.testing.assert_array_equal(axes.collections[0].get_offsets(), [[1.0, 5.0]])
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_many_picks_become_a_density_that_counts_each_once() -> None:
    rng = np.random.default_rng(0)
    cells = plot_pick_offset(rng.uniform(0, 90, 5000), rng.uniform(0, 60, 5000)).axes[0].collections[0]
    assert np.sum(cells.get_array()) == 5000


def test_pick_offset_refuses_shapes_that_differ() -> None:
    with pytest.raises(PicksError, match="expected the same"):
        plot_pick_offset([1.0, 2.0], [1.0])


def test_curves_get_a_panel_each() -> None:
    figure = plot_curves({name: ([0, 1], [1.0, 2.0]) for name in "abcd"}, title="run")
    assert [axes.get_title("left") for axes in figure.axes] == ["a", "b", "c", "d"]


def test_a_curve_counts_values_that_are_not_finite() -> None:
    figure = plot_curves({"loss": (np.arange(4), [1.0, np.nan, np.inf, 0.5])}, title="run")
    assert figure.axes[0].get_title("right") == "last 0.5, 2 not finite"


def test_a_curve_over_many_decades_is_logarithmic() -> None:
    figure = plot_curves({"wide": ([0, 1], [1e-3, 1.0]), "narrow": ([0, 1], [0.5, 1.0])}, title="run")
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear"]


@pytest.mark.parametrize("values", [[], [np.nan], [3.0], [3.0, 3.0]])
def test_short_curves_can_be_drawn(values: list[float]) -> None:
    assert png_bytes(plot_curves({"loss": (np.arange(len(values)), values)}, title="run"), dpi=30)


def test_a_curve_with_fewer_steps_than_values_is_refused() -> None:
    with pytest.raises(ConfigError, match="'loss'"):
        plot_curves({"loss": ([0], [1.0, 2.0])}, title="run")


def test_smooth_is_a_centred_mean_shorter_at_the_ends() -> None:
    np.testing.assert_allclose(smooth([0.0, 3.0, 6.0, 0.0], 3), [1.5, 3.0, 3.0, 3.0])


def test_smooth_leaves_out_what_is_not_finite() -> None:
    np.testing.assert_allclose(smooth([1.0, np.nan, 3.0], 3), [1.0, 2.0, 3.0])


def test_reliability_draws_a_dot_a_bin_where_probability_and_share_of_hits_meet() -> None:
    axes = plot_reliability([0.95, 0.95, 0.15, 0.15], [True, True, True, False]).axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[0.15, 0.5], [0.95, 1.0]]  # type: ignore[union-attr]
    assert "0.200" in axes.get_title(loc="left")
