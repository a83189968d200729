"""A picture of field files: where shots and receivers are, two gathers as recorded, and their spectra."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from seisray.gather import Gather
from seisray.report.plots import INK, SEISMIC_GREY, balance, draw_dead

SHOT, RECEIVER = "#d62728", "#1f77b4"
COLOURS = ("#1b2733", "#e07b00")
QUIETEST_DB = -80.0
HIGHEST_POINTS = 20_000


def plot_field_files(
    gathers: Sequence[Gather], *, source_m: NDArray[np.float64], receiver_m: NDArray[np.float64], title: str
) -> Figure:
    """Draw one or two gathers, above them the positions of shots and receivers, and the gathers' spectra.

    Gathers are called by their gather_id; every trace is brought to the same RMS, then clipped. source_m, receiver_m:
    (n, 2) x and y, NaN = not known.
    """
    known = bool(np.isfinite(source_m).all(axis=1).any() or np.isfinite(receiver_m).all(axis=1).any())
    figure = Figure(figsize=(13.5, 10.5 if known else 9.5), layout="constrained")
    title = title if known else f"{title} · no geometry in the headers"
    figure.suptitle(title, x=0.01, ha="left", color=INK, weight="bold", fontsize=14)
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 1.55 if known else 2.2))
    if known:
        _draw_map(figure.add_subplot(grid[0, 0]), source_m, receiver_m)
    _draw_spectra(figure.add_subplot(grid[0, 1] if known else grid[0, :]), gathers)
    columns = [grid[1, :]] if len(gathers) == 1 else [grid[1, 0], grid[1, 1]]
    for colour, cell, gather in zip(COLOURS, columns, gathers, strict=False):
        _draw_gather(figure.add_subplot(cell), gather, colour)
    return figure


def _draw_map(axes: Axes, source_m: NDArray[np.float64], receiver_m: NDArray[np.float64]) -> None:
    points = [(receiver_m, "receiver", RECEIVER, "v", 16), (source_m, "shot", SHOT, "*", 34)]
    for xy, name, colour, marker, size in points:
        unique = np.unique(xy[np.isfinite(xy).all(axis=1)], axis=0)
        if len(unique):
            style: dict[str, Any] = {"marker": marker, "s": size, "color": colour, "linewidths": 0}
            shown = unique[:: len(unique) // HIGHEST_POINTS + 1]
            axes.scatter(shown[:, 0], shown[:, 1], label=f"{name} positions ({len(unique):,})", **style)
    axes.set_aspect("equal", adjustable="datalim")
    axes.ticklabel_format(useOffset=False, style="plain")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.set_xlabel("x (m)", color=INK)
    axes.set_ylabel("y (m)", color=INK)
    axes.grid(color="#e4e8ec", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


def _draw_spectra(axes: Axes, gathers: Sequence[Gather]) -> None:
    """Draw the mean amplitude spectrum of the live traces of each gather, in dB below its largest value."""
    for colour, gather in zip(COLOURS, gathers, strict=False):
        found = mean_spectrum(gather)
        if found is not None:
            axes.plot(*found, color=colour, linewidth=1.1, label=gather.gather_id)
    nyquist_hz = max(0.5e6 / gather.sample_interval_us for gather in gathers)
    axes.set_xlim(0, nyquist_hz)
    axes.set_ylim(QUIETEST_DB, 3)
    axes.set_xlabel("frequency (Hz), up to Nyquist", color=INK)
    axes.set_ylabel("mean amplitude (dB)", color=INK)
    axes.grid(color="#e4e8ec", linewidth=0.6)
    axes.tick_params(colors=INK, labelsize=9)
    if axes.lines:
        axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


def mean_spectrum(gather: Gather) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return frequency_hz and amplitude_db of a gather's live traces, each of RMS 1; None where all are dead."""
    samples = np.nan_to_num(gather.samples.astype(np.float64), posinf=0.0, neginf=0.0)
    samples -= samples.mean(axis=1, keepdims=True)
    rms = np.sqrt(np.mean(samples**2, axis=1))
    if not rms.any():
        return None
    live = samples[rms > 0] / rms[rms > 0, None]
    amplitude = np.abs(np.fft.rfft(live * np.hanning(live.shape[1]), axis=1)).mean(axis=0)
    with np.errstate(divide="ignore"):
        level_db = 20 * np.log10(amplitude / amplitude.max())
    return np.fft.rfftfreq(live.shape[1], gather.sample_interval_us / 1e6).astype(np.float64), level_db


def _draw_gather(axes: Axes, gather: Gather, colour: str) -> None:
    interval_ms = gather.sample_interval_us / 1000.0
    first, last = gather.trace[0] - 0.5, gather.trace[-1] + 0.5
    start, end = gather.delay_ms - 0.5 * interval_ms, gather.delay_ms + (gather.n_samples - 0.5) * interval_ms
    shown = balance(gather.samples, 97.0)
    extent = (first, last, end, start)
    axes.imshow(shown.T, cmap=SEISMIC_GREY, vmin=-1, vmax=1, aspect="auto", extent=extent, zorder=1)
    draw_dead(axes, gather.live, first=int(gather.trace[0]))
    axes.set_xlim(first, last)
    axes.set_ylim(end, start)
    axes.set_xlabel("trace", color=INK)
    axes.set_ylabel("time after the shot (ms)", color=INK)
    axes.yaxis.set_major_locator(MaxNLocator(11, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 5, 10], integer=True))
    axes.tick_params(colors=INK, labelsize=9)
    axes.set_title(
        f"{gather.gather_id} · {gather.n_traces} traces at {interval_ms:g} ms", loc="left", color=colour, weight="bold",
        fontsize=10,
    )  # fmt: skip
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles, labels, frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1))
