"""What is drawn where: density and wiggles against closed forms."""

from typing import Literal

import numpy as np
import pytest

from seisray.report.screen import N_COLOURS, N_GREYS, Density, Screen, Wiggles, resampling


def screen(*displays: Literal["density", "wiggle"], height_px: int = 360) -> Screen:
    return Screen(
        displays=displays,
        n_traces=16,
        n_samples=64,
        sample_interval_us=2000,
        height_px=height_px,
        colours="grey",
        title="gan@v1",
        subtitle="generated",
    )


@pytest.mark.parametrize("height_px", [240, 362, 720, 1080])
@pytest.mark.parametrize("displays", [("density",), ("density", "wiggle")])
def test_pictures_have_the_height_asked_for_and_even_sides(
    height_px: int, displays: tuple[Literal["density", "wiggle"], ...]
) -> None:
    picture = screen(*displays, height_px=height_px).draw(np.zeros((16, 64), np.float32))
    assert picture.dtype == np.uint8
    assert picture.shape[0] == height_px
    assert picture.shape[1] % 2 == 0


def test_only_the_panels_change_and_each_within_its_frame() -> None:
    one = screen("density", "wiggle")
    rng = np.random.default_rng(0)
    first, second = (one.draw(rng.normal(size=(16, 64)).astype(np.float32)) for _ in range(2))
    changed = np.zeros(first.shape, bool)
    for rows, columns, _ in one._parts:
        changed[rows, columns] = True
        frame = first[rows.start - 1 : rows.stop + 1, columns.start - 1 : columns.stop + 1]
        for side in (frame[0], frame[-1], frame[:, 0], frame[:, -1]):
            assert np.all(side > N_COLOURS + 10), "the frame is broken"
    assert np.array_equal(first[~changed], second[~changed])
    assert (first != second)[changed].mean() > 0.1


def test_density_is_white_at_troughs_grey_at_zero_black_at_peaks_in_the_place_of_the_trace() -> None:
    amplitude = np.repeat(np.array([-2.0, 0.0, 2.0, np.nan]), 50).reshape(4, 50).astype(np.float32)
    one = Screen(
        displays=("density",), n_traces=4, n_samples=50, sample_interval_us=1000, height_px=360, colours="grey",
        title="", subtitle="",
    )  # fmt: skip
    rows, columns, _ = one._parts[0]
    colours = one.palette[one.draw(amplitude)[rows, columns]]  # (rows, columns, 3)
    quarter = colours.shape[1] // 8
    found = [int(colours[100, (2 * trace + 1) * quarter].mean()) for trace in range(4)]
    assert found[0] == 255
    assert found[2] == 0
    assert found[1] == found[3] == pytest.approx(138, abs=3)


def test_a_sine_is_drawn_where_it_is_in_time() -> None:
    n_samples, shape = 100, (430, 60)
    cycles = 5
    wave = np.sin(2 * np.pi * cycles * np.arange(n_samples) / n_samples).astype(np.float32)
    into = np.zeros(shape, np.uint8)
    Density(shape, 3, n_samples, 1.0).draw(np.tile(wave, (3, 1)), into)
    sample = (np.arange(shape[0]) + 0.5) / shape[0] * n_samples - 0.5
    expected = np.sin(2 * np.pi * cycles * sample / n_samples)
    inside = (sample > 1) & (sample < n_samples - 2)
    found = into[:, 30].astype(float) / (N_COLOURS - 1) * 2 - 1
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.03)


def wiggled(amplitude: np.ndarray, shape: tuple[int, int] = (200, 120)) -> np.ndarray:
    """Return darkness in 0..1 (rows, columns)."""
    into = np.zeros(shape, np.uint8)
    n_traces, n_samples = amplitude.shape
    Wiggles(shape, n_traces, n_samples, 1.0).draw(amplitude.astype(np.float32), into)
    return (into.astype(float) - N_COLOURS) / (N_GREYS - 1)


def test_peaks_are_filled_from_the_trace_to_the_wiggle_and_troughs_are_not() -> None:
    # One trace at column 60 of 120: a trace's width is 40 columns, and it reaches 1.5 of them.
    for level in (0.9, 0.5, 0.25):
        dark = wiggled(np.full((1, 50), level))[100]
        edge = 60 + round(60 * level)
        assert (dark[60 : edge - 1] > 0.98).all()
        assert (np.delete(dark, slice(59, edge + 2)) == 0).all()
        trough = wiggled(np.full((1, 50), -level))[100]
        assert trough.sum() == pytest.approx(0.9, abs=0.05)
        assert trough[60 - round(60 * level) - 1 :][:3].sum() == pytest.approx(0.9, abs=0.05)


def test_the_ink_of_a_line_is_its_width_whatever_subpixel_it_falls_on() -> None:
    dark = wiggled(np.zeros((7, 50)), (100, 211))
    np.testing.assert_allclose(dark.sum(axis=1), 7 * 0.9, rtol=0.04)


def test_a_steep_wiggle_is_not_torn() -> None:
    amplitude = np.zeros((1, 60))
    amplitude[0, 30:] = -1.0
    dark = wiggled(amplitude, (120, 90))
    rows = slice(58, 64)
    assert (dark[rows].max(axis=0)[3:44] > 0.8).all()


def test_resampling_interpolates_samples_exactly_and_does_not_alias() -> None:
    np.testing.assert_allclose(resampling(np.arange(20.0), 20), np.eye(20), atol=1e-7)
    few = resampling((np.arange(50) + 0.5) * 8 - 0.5, 400)
    assert np.abs(few @ np.cos(np.pi * np.arange(400)))[2:-2].max() < 1e-3  # Nyquist
    np.testing.assert_allclose(few.sum(axis=1), 1, rtol=1e-6)
