"""Seismic displays: one gather with its picks, and many panels side by side.

Figures are plain `matplotlib.figure.Figure` objects: no window, no pyplot, no state between calls.
"""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from math import ceil
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from seisray.errors import ConfigError, PicksError
from seisray.gather import Gather

Display = Literal["density", "wiggle"]

INK = "#1b2733"
MUTED = "#5b6b7a"
PICK = "#ff0000"
FLAGGED = "#ff9100"
FIRST_BREAK = "#00b8d4"
DEAD = "#e9d8a6"

SEISMIC_GREY = LinearSegmentedColormap.from_list("seismic_grey", ["white", "#d0d0d0", "#8a8a8a", "#404040", "black"])
"""Troughs white, peaks black, zero mid-grey: the usual variable-density display."""


def png_bytes(figure: Figure, *, dpi: int = 110, few_colours: bool = False) -> bytes:
    """Return a figure as PNG; the same figure gives the same bytes.

    few_colours: keep greys and those of picks, which makes a picture of a gather less than half as large.
    """
    buffer = BytesIO()
    about = {"Software": None}
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata=about)
    if few_colours:
        drawn = Image.open(buffer).convert("RGB").quantize(palette=_gather_palette(), dither=Image.Dither.NONE)
        buffer = BytesIO()
        drawn.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


@cache
def _gather_palette() -> Image.Image:
    """Return a palette of greys, and of the colours on gathers with what they blend to at their edges."""
    grey = [(level, level, level) for level in np.linspace(0, 255, 48).round().astype(int).tolist()]
    ground = [(255, 255, 255), (128, 128, 128), (0, 0, 0)]
    marks = [
        tuple(round(255 * share * one + (1 - share) * other) for one, other in zip(to_rgb(mark), under, strict=True))
        for mark in (PICK, FLAGGED, FIRST_BREAK, DEAD, INK, MUTED)
        for share in (1.0, 0.75, 0.5, 0.25)
        for under in ground
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette([level for colour in (*grey, *marks) for level in colour])
    return palette


def plot_gather(
    gather: Gather,
    *,
    pick_ms: ArrayLike | None = None,
    flag: Sequence[str] | NDArray[np.str_] | None = None,
    display: Display = "density",
    title: str | None = None,
    max_ms: float | None = None,
    clip_percentile: float = 97.0,
    compact: bool = False,
) -> Figure:
    """Draw a gather: traces from left to right, time downwards, every trace brought to the same RMS, then clipped.

    pick_ms: (n_traces,) ms from the first sample, NaN = none: red dots, orange where `flag` is not "ok".
    flag: (n_traces,) as in the pick table. Labelled first breaks are open cyan circles, dead traces sand bands.
    max_ms: last time shown. clip_percentile: share of amplitudes below full black or, in wiggles, below 1.5 traces.
    compact: small enough that text can be read on a phone, and two fit side by side on a screen.
    Raises PicksError where picks or flags do not fit the gather, ConfigError on a setting outside its range.
    """
    if display not in ("density", "wiggle"):
        raise ConfigError(f"display is {display!r}, expected 'density' or 'wiggle'")
    if not 0 < clip_percentile <= 100:
        raise ConfigError(f"clip_percentile is {clip_percentile}, expected above 0 and at most 100")
    interval_ms = gather.sample_interval_us / 1000.0
    end_ms = (gather.n_samples - 1) * interval_ms
    if max_ms is not None:
        if not max_ms > 0:
            raise ConfigError(f"max_ms is {max_ms}, expected more than 0")
        end_ms = min(end_ms, max_ms)
    n_shown = min(gather.n_samples, int(round(end_ms / interval_ms, 6)) + 1)
    amplitude = balance(gather.samples[:, :n_shown], clip_percentile)  # (n_traces, n_shown) in -1..1

    least, most = (5.4, 10.0) if compact else (6.5, 15.0)
    width = float(np.clip((0.02 if compact else 0.07) * gather.n_traces + 3.5, least, most))
    figure = Figure(figsize=(width, 5.6 if compact else 6.8), layout="constrained")
    axes = figure.add_subplot()
    if display == "density":
        extent = (-0.5, gather.n_traces - 0.5, (n_shown - 0.5) * interval_ms, -0.5 * interval_ms)
        axes.imshow(amplitude.T, cmap=SEISMIC_GREY, vmin=-1, vmax=1, aspect="auto", extent=extent, zorder=1)
    else:
        _draw_wiggles(axes, amplitude, interval_ms)
    margin = 0.5 if display == "density" else 1.5
    axes.set_xlim(-margin, gather.n_traces - 1 + margin)
    axes.set_ylim(end_ms, 0.0)
    draw_dead(axes, gather.live)
    _draw_times(axes, gather, pick_ms, flag, end_ms)
    _label_gather(axes, gather)
    _draw_legend(axes, columns=2 if compact else 4)
    axes.set_title(_default_title(gather) if title is None else title, loc="left", color=INK, weight="bold", pad=10)
    return figure


def plot_panels(
    panels: ArrayLike, *, columns: int = 8, title: str | None = None, first_break: ArrayLike | None = None
) -> Figure:
    """Draw panels in a grid on one shared grey scale, so that quiet and loud ones stay comparable.

    panels: (n, n_traces, n_samples), generated or real. first_break: (n, n_traces) in samples, NaN = none.
    Raises ConfigError on another shape or no panel.
    """
    values = np.nan_to_num(np.asarray(panels, dtype=np.float32), posinf=0.0, neginf=0.0)
    if values.ndim != 3 or 0 in values.shape:
        raise ConfigError(f"panels have shape {values.shape}, expected (n, n_traces, n_samples), n at least 1")
    if columns < 1:
        raise ConfigError(f"columns is {columns}, expected 1 or more")
    columns = min(columns, len(values))
    rows = ceil(len(values) / columns)
    clip = float(np.percentile(np.abs(values), 98.5)) or float(np.abs(values).max()) or 1.0  # sparse, then all zero
    figure = Figure(figsize=(1.35 * columns + 0.3, 1.9 * rows + (0.55 if title else 0.2)), layout="constrained")
    axes = figure.add_subplot()
    for index, panel in enumerate(values):
        row, column = divmod(index, columns)
        extent = (column + 0.03, column + 0.97, row + 0.98, row + 0.02)
        axes.imshow(panel.T, cmap=SEISMIC_GREY, vmin=-clip, vmax=clip, aspect="auto", extent=extent)
        if first_break is not None:
            place = (np.asarray(first_break)[index] + 0.5) / panel.shape[1]
            across = column + 0.03 + 0.94 * (np.arange(panel.shape[0]) + 0.5) / panel.shape[0]
            axes.scatter(
                across, row + 0.02 + 0.96 * place, s=max(2.5, 80 / len(panel)), color=FIRST_BREAK, linewidths=0
            )
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    axes.set_axis_off()
    if title is not None:
        axes.set_title(title, loc="left", color=INK, weight="bold")
    return figure


def balance(samples: NDArray[np.float32], clip_percentile: float) -> NDArray[np.float32]:
    """Return (n_traces, n_samples) amplitudes in -1..1: each trace without its mean and over its RMS, then one clip."""
    finite = np.nan_to_num(samples.astype(np.float64), posinf=0.0, neginf=0.0)
    centred = finite - finite.mean(axis=1, keepdims=True)
    rms = np.sqrt(np.mean(centred**2, axis=1, keepdims=True))
    balanced = np.divide(centred, rms, out=np.zeros_like(centred), where=rms > 0)
    audible = np.abs(balanced[rms[:, 0] > 0])
    clip = float(np.percentile(audible, clip_percentile)) if audible.size else 1.0  # live traces only
    shown: NDArray[np.float32] = np.clip(balanced / (clip or 1.0), -1.0, 1.0).astype(np.float32)
    return shown


def _draw_wiggles(axes: Axes, amplitude: NDArray[np.float32], interval_ms: float) -> None:
    """Draw every trace as a line about its own position, positive lobes filled."""
    time_ms = np.arange(amplitude.shape[1]) * interval_ms
    for position, trace in enumerate(amplitude * 1.5):
        axes.fill_betweenx(time_ms, position, position + np.maximum(trace, 0.0), color="black", linewidth=0, zorder=1)
        axes.plot(position + trace, time_ms, color="black", linewidth=0.35, zorder=1)


def draw_dead(axes: Axes, live: NDArray[np.bool_], *, first: int = 0) -> None:
    """Cover dead traces with sand bands. first: the position of the first trace."""
    dead = np.flatnonzero(~live) + first
    for index, position in enumerate(dead):
        label = f"dead trace ({dead.size})" if index == 0 else None
        axes.axvspan(position - 0.5, position + 0.5, color=DEAD, linewidth=0, zorder=2, label=label)


def _draw_times(
    axes: Axes,
    gather: Gather,
    pick_ms: ArrayLike | None,
    flag: Sequence[str] | NDArray[np.str_] | None,
    end_ms: float,
) -> None:
    """Draw labelled first breaks below, picks above them; times outside the display are left out."""
    position = np.arange(gather.n_traces)
    size = float(np.clip(1600 / gather.n_traces, 5.0, 26.0))
    shown = gather.labelled & (gather.first_break_ms >= 0) & (gather.first_break_ms <= end_ms)
    _scatter(
        axes, position[shown], gather.first_break_ms[shown], "labelled first break",
        s=3.2 * size, facecolors="none", edgecolors=FIRST_BREAK, linewidths=1.2, zorder=4,
    )  # fmt: skip
    if pick_ms is None:
        return
    pick = _fit(np.asarray(pick_ms, dtype=np.float64), gather, "pick_ms")
    ok = np.ones(pick.shape, dtype=bool) if flag is None else _fit(np.asarray(flag, dtype=str), gather, "flag") == "ok"
    shown = (pick >= 0) & (pick <= end_ms)  # NaN compares False
    style = {"s": size, "edgecolors": "white", "linewidths": 0.3, "zorder": 5}
    _scatter(axes, position[shown & ok], pick[shown & ok], "pick", color=PICK, **style)
    _scatter(axes, position[shown & ~ok], pick[shown & ~ok], "flagged pick", color=FLAGGED, **style)


def _fit(values: NDArray[Any], gather: Gather, name: str) -> NDArray[Any]:
    if values.shape != (gather.n_traces,):
        expected = f"expected ({gather.n_traces},), one value a trace of gather {gather.gather_id!r}"
        raise PicksError(f"{name} has shape {values.shape}, {expected}")
    return values


def _scatter(axes: Axes, x: NDArray[Any], y: NDArray[Any], label: str, **style: Any) -> None:
    if x.size:
        axes.scatter(x, y, label=f"{label} ({x.size})", clip_on=True, **style)


def _label_gather(axes: Axes, gather: Gather) -> None:
    """Name the axes: trace numbers below, offsets above where known, time from the first sample on the left."""
    ticks = _trace_ticks(gather.n_traces)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([str(number) for number in gather.trace[ticks]]))
    axes.yaxis.set_major_locator(MaxNLocator(11, steps=[1, 2, 5, 10]))
    axes.set_xlabel("trace", color=INK)
    axes.set_ylabel("time from the first sample (ms)", color=INK)
    axes.tick_params(colors=INK, labelsize=9)
    if np.isfinite(gather.offset_m).any():
        top = axes.secondary_xaxis("top")
        top.xaxis.set_major_locator(FixedLocator(ticks))
        names = [f"{offset:.0f}" if np.isfinite(offset) else "" for offset in gather.offset_m[ticks]]
        top.xaxis.set_major_formatter(FixedFormatter(names))
        top.set_xlabel("offset (m)", color=MUTED, fontsize=9)
        top.tick_params(colors=MUTED, labelsize=8)


def _trace_ticks(n_traces: int) -> list[int]:
    """Return positions to label: the first trace, then every 5th, 10th, 20th ... that leaves about a dozen."""
    steps = (step * 10**power for power in range(9) for step in (1, 2, 5))
    step = next(step for step in steps if n_traces <= 12 * step)
    return sorted({0, *range(step - 1, n_traces, step)})


def _draw_legend(axes: Axes, *, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        style = {"ncols": columns, "frameon": False, "fontsize": 9, "markerscale": 1.4, "labelcolor": INK}
        axes.figure.legend(handles, labels, loc="outside lower right", **style)


def _default_title(gather: Gather) -> str:
    parts = [gather.survey, f"FFID {gather.ffid}"]
    parts += [f"{gather.n_traces} traces at {gather.sample_interval_us / 1000:g} ms"]
    parts += [f"delay {gather.delay_ms:g} ms".replace("-", "\N{MINUS SIGN}")] if gather.delay_ms else []
    return " · ".join(parts)
