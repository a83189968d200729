"""Gather and panel displays, read back from their pixels."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.typing import NDArray

from seisray.errors import ConfigError, PicksError
from seisray.gather import Gather
from seisray.report.plots import DEAD, FIRST_BREAK, FLAGGED, PICK, plot_gather, plot_panels, png_bytes

N_TRACES, N_SAMPLES = 12, 200
DISPLAYS = pytest.mark.parametrize("display", ["density", "wiggle"])


@pytest.fixture
def gather() -> Gather:
    samples = np.random.default_rng(0).normal(size=(N_TRACES, N_SAMPLES)).astype(np.float32)
    samples[4] = 0
    return Gather(
        survey="soda", gather_id="7", source_file="7.sg2", ffid=7, shot_point=7, sample_interval_us=500, samples=samples
    )


def pixels(figure: Figure) -> NDArray[np.float64]:
    """Return (height, width, 3) in 0..255, the first row at the top."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].astype(np.float64)


def near(image: NDArray[np.float64], figure: Figure, x: float, y: float, reach: int = 0) -> NDArray[np.float64]:
    """Return the pixels within `reach` of a point given in data coordinates, as rows of RGB."""
    column, row = figure.axes[0].transData.transform((x, y))
    row, column = round(image.shape[0] - row), round(column)
    return image[row - reach : row + reach + 1, column - reach : column + reach + 1].reshape(-1, 3)


def shows(rows: NDArray[np.float64], colour: str) -> bool:
    return bool((np.abs(rows - 255 * np.array(to_rgb(colour))).max(axis=1) < 40).any())


def one(position: int, value: float) -> NDArray[np.float64]:
    column = np.full(N_TRACES, np.nan)
    column[position] = value
    return column


@DISPLAYS
def test_a_pick_is_a_red_dot_at_its_trace_and_time(gather: Gather, display: str) -> None:
    figure = plot_gather(gather, pick_ms=one(8, 30.0), display=display)  # type: ignore[arg-type]
    assert shows(near(pixels(figure), figure, 8, 30.0), PICK)


@DISPLAYS
def test_no_red_where_nothing_is_picked(gather: Gather, display: str) -> None:
    figure = plot_gather(gather, pick_ms=np.full(N_TRACES, np.nan), display=display)  # type: ignore[arg-type]
    assert not shows(pixels(figure).reshape(-1, 3), PICK)


def test_a_flagged_pick_is_orange(gather: Gather) -> None:
    flag = ["ok"] * 8 + ["inconsistent"] + ["ok"] * 3
    figure = plot_gather(gather, pick_ms=one(8, 30.0), flag=flag)
    assert shows(near(pixels(figure), figure, 8, 30.0), FLAGGED)


def test_a_labelled_first_break_is_an_open_cyan_circle(gather: Gather) -> None:
    figure = plot_gather(gather.replace(first_break_ms=one(3, 60.0)))
    image = pixels(figure)
    assert shows(near(image, figure, 3, 60.0, reach=9), FIRST_BREAK)
    assert not shows(near(image, figure, 3, 60.0), FIRST_BREAK)


@DISPLAYS
def test_a_dead_trace_is_a_band(gather: Gather, display: str) -> None:
    figure = plot_gather(gather, display=display)  # type: ignore[arg-type]
    image = pixels(figure)
    assert shows(near(image, figure, 4, 50.0), DEAD)
    assert not shows(near(image, figure, 5, 50.0), DEAD)


@DISPLAYS
def test_time_runs_downwards_and_traces_to_the_right(gather: Gather, display: str) -> None:
    axes = plot_gather(gather, display=display).axes[0]  # type: ignore[arg-type]
    assert axes.get_ylim() == (99.5, 0.0)
    assert axes.get_xlim()[0] < axes.get_xlim()[1]


def test_density_shows_a_peak_black_and_a_trough_white_at_their_sample(gather: Gather) -> None:
    samples = np.zeros((N_TRACES, N_SAMPLES), dtype=np.float32)
    samples[:, 100:104], samples[:, 140:144] = 1.0, -1.0
    figure = plot_gather(gather.replace(samples=samples, live=np.ones(N_TRACES, dtype=bool)))
    image = pixels(figure)
    assert near(image, figure, 6, 101.5 * 0.5).max() < 40
    assert near(image, figure, 6, 141.5 * 0.5).min() > 215


def test_a_wiggle_fills_only_positive_lobes(gather: Gather) -> None:
    samples = np.zeros((N_TRACES, N_SAMPLES), dtype=np.float32)
    samples[6, 100:140], samples[6, 150:190] = 1.0, -1.0
    figure = plot_gather(gather.replace(samples=samples, live=np.ones(N_TRACES, dtype=bool)), display="wiggle")
    image = pixels(figure)
    assert near(image, figure, 6.5, 60.0).max() < 40
    assert near(image, figure, 5.5, 85.0).min() > 215


def test_a_quiet_trace_is_drawn_as_strong_as_a_loud_one(gather: Gather) -> None:
    samples = np.tile(np.sin(np.arange(N_SAMPLES) / 5), (N_TRACES, 1)).astype(np.float32)
    samples[0] *= 1e-4
    drawn = np.asarray(plot_gather(gather.replace(samples=samples)).axes[0].images[0].get_array())
    np.testing.assert_allclose(drawn[:, 0], drawn[:, 1], atol=1e-5)


def test_max_ms_crops_the_display(gather: Gather) -> None:
    axes = plot_gather(gather, pick_ms=one(8, 30.0), max_ms=20.0).axes[0]
    assert axes.get_ylim() == (20.0, 0.0)
    assert not axes.collections  # the pick lies below the crop


def test_ticks_carry_trace_numbers(gather: Gather) -> None:
    figure = plot_gather(gather.replace(trace=np.arange(101, 101 + N_TRACES)))
    FigureCanvasAgg(figure).draw()
    assert figure.axes[0].get_xticklabels()[0].get_text() == "101"


def test_samples_that_are_not_finite_are_drawn_as_zero(gather: Gather) -> None:
    samples = gather.samples.copy()
    samples[2, 5] = np.inf
    drawn = np.asarray(plot_gather(gather.replace(samples=samples)).axes[0].images[0].get_array())
    assert np.isfinite(drawn).all()


def test_a_gather_of_dead_traces_can_be_drawn(gather: Gather) -> None:
    figure = plot_gather(gather.replace(samples=np.zeros((N_TRACES, N_SAMPLES)), live=np.zeros(N_TRACES, dtype=bool)))
    assert shows(near(pixels(figure), figure, 0, 50.0), DEAD)


def test_picks_of_another_length_are_refused(gather: Gather) -> None:
    with pytest.raises(PicksError, match=r"pick_ms has shape \(3,\), expected \(12,\)"):
        plot_gather(gather, pick_ms=[1.0, 2.0, 3.0])


@pytest.mark.parametrize("setting", [{"display": "colour"}, {"max_ms": 0.0}, {"clip_percentile": 101.0}])
def test_a_setting_outside_its_range_is_refused(gather: Gather, setting: dict[str, str | float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(setting))):
        plot_gather(gather, **setting)  # type: ignore[arg-type]


def test_png_bytes_has_the_size_asked_for() -> None:
    image = imread(BytesIO(png_bytes(Figure(figsize=(2, 1)), dpi=50)))
    assert image.shape[:2] == (50, 100)


def test_png_bytes_are_the_same_twice(gather: Gather) -> None:
    assert png_bytes(plot_gather(gather)) == png_bytes(plot_gather(gather))


def test_panels_share_one_scale() -> None:
    panels = np.random.default_rng(0).normal(size=(5, 8, 40)) * np.array([1, 1, 1, 1, 9]).reshape(5, 1, 1)
    images = plot_panels(panels, columns=3).axes[0].images
    assert len(images) == 5
    assert len({image.get_clim() for image in images}) == 1


def test_panels_fill_rows_from_the_left() -> None:
    panels = np.zeros((3, 4, 40)) + np.array([0.0, -1.0, 1.0]).reshape(3, 1, 1)
    figure = plot_panels(panels, columns=2)
    image = pixels(figure)
    assert near(image, figure, 1.5, 0.5).min() > 215
    assert near(image, figure, 0.5, 1.5).max() < 40
    assert near(image, figure, 1.5, 1.5).min() == 255  # no fourth panel


def test_first_breaks_are_marked_on_the_panels_that_have_them() -> None:
    first_break = np.array([[10, np.nan, 10, 10], [np.nan] * 4])
    axes = plot_panels(np.zeros((2, 4, 40)), first_break=first_break).axes[0]
    of_first, of_second = (np.ma.filled(marks.get_offsets().astype(float), np.nan) for marks in axes.collections)
    assert np.isfinite(of_first).all(axis=1).tolist() == [True, False, True, True]
    np.testing.assert_allclose(of_first[[0, 2, 3], 1], 0.02 + 0.96 * 10.5 / 40)
    assert not np.isfinite(of_second).all(axis=1).any()


@pytest.mark.parametrize("shape", [(4, 40), (0, 4, 40), (2, 1, 4, 40)])
def test_panels_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="n_traces, n_samples"):
        plot_panels(np.zeros(shape))
