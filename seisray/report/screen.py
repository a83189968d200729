"""A screen on which panels change many times a second: axes are drawn once, then only the pixels between them."""

from collections.abc import Sequence
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator
from numpy.typing import NDArray

from seisray.report.plots import INK, MUTED, SEISMIC_GREY

N_COLOURS, N_GREYS = 192, 64
"""How a palette of 256 is shared between amplitudes and, from white to black, all else."""
HEIGHT_PX, DPI = 720, 110
"""What the margins below are for; other heights scale them."""
LEFT, RIGHT, TOP, BOTTOM, BETWEEN, WIDTHS = 86, 22, 74, 62, 26, {1: 720, 2: 1280}
REACH = 1.5
"""The largest wiggle, in traces."""
STROKE_PX = 0.9

Pixels = NDArray[np.uint8]


class Screen:
    """Draw panels as pictures of (height, width) palette entries.

    displays: from left to right. n_traces, n_samples: of the panels. palette: (256, 3) red, green, blue.
    """

    def __init__(
        self,
        *,
        displays: Sequence[Literal["density", "wiggle"]],
        n_traces: int,
        n_samples: int,
        sample_interval_us: float,
        height_px: int,
        colours: Literal["grey", "red-blue"],
        title: str,
        subtitle: str,
    ) -> None:
        scale = height_px / HEIGHT_PX
        width_px = 2 * round(WIDTHS[len(displays)] * scale / 2)
        self.palette = _palette(SEISMIC_GREY if colours == "grey" else matplotlib.colormaps["RdBu_r"])
        self._figure = Figure(figsize=(width_px / DPI / scale, height_px / DPI / scale), dpi=DPI * scale)
        top, bottom = round(TOP * scale), height_px - round(BOTTOM * scale)
        edges = np.linspace(LEFT * scale, width_px - (RIGHT - BETWEEN) * scale, len(displays) + 1)
        size = (height_px, width_px)
        self._parts: list[tuple[slice, slice, Density | Wiggles]] = []
        interval_ms = sample_interval_us / 1000
        for index, display in enumerate(displays):
            left, right = round(edges[index]), round(edges[index + 1] - BETWEEN * scale)
            shape = (bottom - top, right - left)
            margin = 0.5 if display == "density" else REACH
            # The frame, one pixel wide, lies around the pixels and not upon them.
            box = (left - 1, size[0] - bottom, shape[1] + 1, shape[0] + 1)
            axes = self._figure.add_axes(tuple(np.divide(box, (*size[::-1], *size[::-1]))))
            _label(axes, n_traces, n_samples * interval_ms, margin, first=index == 0)
            axes.set_ylim((n_samples - 0.5) * interval_ms, -0.5 * interval_ms)
            kind = Density if display == "density" else Wiggles
            self._parts.append((slice(top, bottom), slice(left, right), kind(shape, n_traces, n_samples, scale)))
        left_edge = LEFT / WIDTHS[len(displays)]
        self._figure.text(left_edge, 1 - 22 / HEIGHT_PX, title, color=INK, weight="bold", fontsize=12, va="center")
        self._figure.text(left_edge, 1 - 48 / HEIGHT_PX, subtitle, color=MUTED, fontsize=9, va="center")
        self._blank = self._draw_blank(size)

    def draw(self, amplitude: NDArray[np.float32]) -> Pixels:
        """Return the picture of a panel (n_traces, n_samples); amplitudes beyond -1..1 are drawn as the largest."""
        picture = self._blank.copy()
        shown = np.clip(np.nan_to_num(amplitude), -1.0, 1.0)
        for rows, columns, display in self._parts:
            display.draw(shown, picture[rows, columns])
        return picture

    def _draw_blank(self, size: tuple[int, int]) -> Pixels:
        canvas = FigureCanvasAgg(self._figure)
        canvas.draw()
        grey = np.asarray(canvas.buffer_rgba())[: size[0], : size[1], :3].mean(axis=-1)
        return (N_COLOURS + np.rint((1 - grey / 255) * (N_GREYS - 1))).astype(np.uint8)


class Density:
    """Variable density: every pixel has the colour of its amplitude; cubic in time, trace by trace across."""

    def __init__(self, shape: tuple[int, int], n_traces: int, n_samples: int, scale: float) -> None:
        self._rows = resampling((np.arange(shape[0]) + 0.5) / shape[0] * n_samples - 0.5, n_samples)
        self._trace = ((np.arange(shape[1]) + 0.5) / shape[1] * n_traces).astype(np.intp)

    def draw(self, amplitude: NDArray[np.float32], into: Pixels) -> None:
        """Draw amplitudes (n_traces, n_samples) in -1..1 into pixels."""
        level = self._rows @ amplitude.T  # (rows, n_traces)
        level = np.rint(np.clip(0.5 + 0.5 * level, 0, 1) * (N_COLOURS - 1))
        np.take(level.astype(np.uint8), self._trace, axis=1, out=into, mode="clip")


class Wiggles:
    """Every trace as a line about its own position, peaks filled, each pixel by how much of it is covered."""

    def __init__(self, shape: tuple[int, int], n_traces: int, n_samples: int, scale: float) -> None:
        edges = np.arange(shape[0] + 1) / shape[0] * n_samples - 0.5
        self._edges = resampling(edges, n_samples)
        spacing_px = shape[1] / (n_traces - 1 + 2 * REACH)
        self._reach_px, self._stroke_px = REACH * spacing_px, STROKE_PX * scale
        self._position_px = (np.arange(n_traces) + REACH) * spacing_px

    def draw(self, amplitude: NDArray[np.float32], into: Pixels) -> None:
        """Draw amplitudes (n_traces, n_samples) in -1..1 into pixels."""
        height, width = into.shape
        position = self._position_px[:, None]
        x_px = position + self._reach_px * (amplitude @ self._edges.T)  # (n_traces, rows + 1)
        above, below = x_px[:, :-1], x_px[:, 1:]  # of each row of pixels
        low = np.minimum(above, below) - self._stroke_px / 2
        high = np.maximum(above, below) + self._stroke_px / 2
        low = np.where(above + below > 2 * position, np.minimum(low, position), low)
        # The ink between low and high begins at the one and ends at the other: note the changes, then add them up.
        ends = np.clip(np.stack([low, high]), 0, width)  # (2, n_traces, rows)
        pixel = ends.astype(np.intp)
        within = ends - pixel
        at = pixel + (width + 2) * np.arange(height)
        change = np.stack([1 - within, within]) * np.array([1, -1])[:, None, None]
        noted = np.bincount(np.stack([at, at + 1]).ravel(), change.ravel(), minlength=height * (width + 2))
        ink = np.asarray(noted, dtype=np.float64).reshape(height, width + 2)
        np.cumsum(ink, axis=1, out=ink)  # in place: fresh memory for each step would take most of the time
        np.minimum(ink, 1, out=ink)
        ink *= N_GREYS - 1
        ink += N_COLOURS + 0.5
        into[:] = ink[:, :width].astype(np.uint8)


def resampling(position: NDArray[np.float64], n_samples: int) -> NDArray[np.float32]:
    """Return the matrix (n_positions, n_samples) that interpolates samples at positions, counted in samples.

    Cubic convolution (Keys 1981); where positions are further apart than samples, as wide as they are apart, so that
    nothing aliases. Beyond either end the last sample goes on.
    """
    width = max(1.0, float(np.diff(position).mean())) if len(position) > 1 else 1.0
    inside = np.clip(position, 0, n_samples - 1)
    x = np.abs(inside[:, None] - np.arange(n_samples)) / width
    near, far = 1 - 2.5 * x**2 + 1.5 * x**3, 2 - 4 * x + 2.5 * x**2 - 0.5 * x**3
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _palette(colormap: Colormap) -> Pixels:
    """Return the colours of amplitudes from -1 to 1, then greys from white to black."""
    greys = np.linspace((1, 1, 1), (0, 0, 0), N_GREYS)
    both = np.concatenate([colormap(np.linspace(0, 1, N_COLOURS))[:, :3], greys])
    return np.rint(255 * both).astype(np.uint8)


def _label(axes: Axes, n_traces: int, end_ms: float, margin: float, *, first: bool) -> None:
    """Name the axes as in a display of a gather: traces below, time downwards."""
    axes.set_xlim(1 - margin, n_traces + margin)
    step = next(
        step for power in range(9) for step in (10**power, 2 * 10**power, 5 * 10**power) if n_traces <= 12 * step
    )
    axes.xaxis.set_major_locator(FixedLocator(sorted({1, *range(step, n_traces + 1, step)})))
    axes.yaxis.set_major_locator(MaxNLocator(11, steps=[1, 2, 5, 10]))
    axes.set_xlabel("trace", color=INK, fontsize=10)
    axes.tick_params(colors=INK, labelsize=9, labelleft=first)
    axes.spines[:].set_color(MUTED)
    if first:
        axes.set_ylabel("time in the panel (ms)", color=INK, fontsize=10)
