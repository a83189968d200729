"""Charts of numbers: residuals, hit rates, travel times and training curves."""

from collections.abc import Mapping
from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from seisray.errors import ConfigError, PicksError
from seisray.metrics.calibration import calibration_error, reliability
from seisray.metrics.picks import ROUNDING_MS, PickScore
from seisray.report.plots import INK, MUTED

BLUE, ORANGE, GREEN, PURPLE, GOLD, GREY = "#1f6fb2", "#d9662b", "#2a9d72", "#8457b0", "#c99a1a", "#7b8794"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, GOLD, GREY)
RATES = {
    "hit_rate_1ms": "±1 ms",
    "hit_rate_2ms": "±2 ms",
    "hit_rate_4ms": "±4 ms",
    "hit_rate_2ms_debiased": "±2 ms,\nmedian removed",
    "coverage": "picked",
}
CHART_WIDTH = 5.6
"""Inches: with it, text of 9 points can be read on a phone."""
CROWDED = 4000
"""Points beyond which a scatter becomes a density."""


def plot_residuals(residual_ms: ArrayLike) -> Figure:
    """Draw the distribution of pick minus first break, with its median and the shares within ±2 and ±4 ms.

    residual_ms: any shape; NaN (no pick or no label) does not count. Raises PicksError where no residual is known.
    """
    residual = np.asarray(residual_ms, dtype=np.float64).ravel()
    residual = residual[np.isfinite(residual)]
    if residual.size == 0:
        raise PicksError("no residual is known: no trace has both a pick and a labelled first break")
    size, median = np.abs(residual), float(np.median(residual))
    reach = float(np.clip(np.ceil(np.percentile(size, 98)), 6.0, 40.0))
    figure, axes = _chart(f"Pick minus first break, {residual.size:,} traces", width=CHART_WIDTH, height=4.2)
    axes.axvspan(-4, 4, color=BLUE, alpha=0.07, linewidth=0)
    axes.axvspan(-2, 2, color=BLUE, alpha=0.11, linewidth=0)
    axes.hist(np.clip(residual, -reach, reach), bins=_bins(residual.size, reach), color=BLUE, linewidth=0)
    for edge in (-4, -2, 2, 4):
        axes.axvline(edge, color=MUTED, linewidth=0.8, linestyle=":")
    axes.axvline(median, color=ORANGE, linewidth=1.8)
    lines = [(f"median {median:+.2f} ms", ORANGE)]
    for tolerance in (2, 4):
        lines.append((f"{np.mean(size <= tolerance + ROUNDING_MS):.1%} within ±{tolerance} ms", INK))
    lines.append((f"{np.mean(size > reach):.1%} beyond ±{reach:g} ms,\nin the outermost bars", MUTED))
    for row, (line, colour) in enumerate(lines):
        axes.text(0.04, 0.97 - 0.07 * row, line, transform=axes.transAxes, color=colour, fontsize=9, va="top")
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("residual (ms); positive = picked late", color=INK)
    axes.set_ylabel("traces", color=INK)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    return figure


def plot_hit_rates(scores: Mapping[str, PickScore]) -> Figure:
    """Draw the hit rates of several pick sets side by side; names become the legend, in the order given."""
    if not scores:
        raise ConfigError("no score to draw, expected at least one")
    figure, axes = _chart("Share of labelled traces", width=max(CHART_WIDTH, 1.1 * len(scores) + 3.4), height=4.2)
    group = np.arange(len(RATES))
    width = 0.82 / len(scores)
    for index, (name, score) in enumerate(scores.items()):
        heights = [getattr(score, rate) for rate in RATES]
        centre = group - 0.41 + (index + 0.5) * width
        label = f"{name} ({score.n_labelled:,} traces)"
        bars = axes.bar(centre, heights, width * 0.94, color=_colour(index), label=label)
        if len(scores) <= 5:
            percent = [f"{100 * height:.0f}" for height in heights]
            axes.bar_label(bars, labels=percent, padding=2, fontsize=8.5, color=INK)
    axes.set_xticks(group, list(RATES.values()))
    axes.set_ylim(0, 1.08)
    axes.set_yticks(np.arange(0, 1.01, 0.2))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(axis="y", color="#dfe5ea", linewidth=0.7)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower left", ncols=min(2, len(scores)), frameon=False, fontsize=9, labelcolor=INK)
    return figure


def plot_pick_offset(offset_m: ArrayLike, pick_ms: ArrayLike, *, n_all: int | None = None) -> Figure:
    """Draw pick times against offset, time downwards as in a gather; many points become a density.

    offset_m, pick_ms: same shape, NaN = none. n_all: how many picks these were drawn from; None = they are all.
    Raises PicksError where shapes differ or no pair is known.
    """
    return _plot_pick_time(offset_m, pick_ms, "offset (m)", n_all)


def plot_pick_channel(channel: ArrayLike, pick_ms: ArrayLike, *, n_all: int | None = None) -> Figure:
    """Draw pick times against channel, as `plot_pick_offset` does against offset."""
    return _plot_pick_time(channel, pick_ms, "channel", n_all)


def plot_probabilities(counts: ArrayLike) -> Figure:
    """Draw how many live traces have which probability. counts: (n_bins,) over equal bins of 0..1."""
    count = np.asarray(counts, dtype=np.float64)
    figure, axes = _chart(f"Probability, {int(count.sum()):,} live traces", width=CHART_WIDTH, height=3.9)
    left = np.arange(count.size) / count.size
    axes.bar(left, count, width=1 / count.size, align="edge", color=BLUE, linewidth=0)
    axes.set_yscale("symlog", linthresh=10)  # the few doubtful traces are what one looks for
    axes.set_ylim(0, max(count.max(initial=0) * 1.6, 2))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlim(0, 1)
    axes.set_xlabel("probability that the picker gives its pick", color=INK)
    axes.set_ylabel("traces", color=INK)
    return figure


def plot_reliability(probability: ArrayLike, hit: ArrayLike) -> Figure:
    """Draw the share of picks within 2 ms against their probability, bin by bin; on the diagonal both agree.

    probability, hit: (n,), as of `reliability`.
    """
    bins = reliability(probability, hit)
    total = max(sum(one.n for one in bins), 1)
    title = f"Calibration error {calibration_error(probability, hit):.3f}"
    figure, axes = _chart(title, width=CHART_WIDTH, height=4.2)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
    said, right = [one.probability for one in bins], [one.hit_rate for one in bins]
    axes.plot(said, right, color=BLUE, linewidth=1)
    axes.scatter(said, right, s=[20 + 400 * one.n / total for one in bins], color=BLUE, alpha=0.7, linewidths=0)
    axes.set(xlim=(0, 1), ylim=(0, 1.03))
    axes.set_xlabel("probability that the picker gives its pick", color=INK)
    axes.set_ylabel("share of these picks within 2 ms", color=INK)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    return figure


def plot_curves(curves: Mapping[str, tuple[ArrayLike, ArrayLike]], *, title: str) -> Figure:
    """Draw training curves as small multiples: every value faint, a light running mean on top, the last one named.

    curves: name -> (steps, values), both (n,); values that are not finite leave gaps and are counted in the panel.
    """
    if not curves:
        raise ConfigError("no curve to draw, expected at least one")
    columns = min(3, len(curves))
    rows = ceil(len(curves) / columns)
    figure = Figure(figsize=(3.6 * columns + 0.4, 2.4 * rows + 0.5), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", color=INK, weight="bold", fontsize=12)
    for index, (name, (steps, values)) in enumerate(curves.items()):
        step, value = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
        if step.shape != value.shape or step.ndim != 1:
            raise ConfigError(f"curve {name!r} has steps {step.shape} and values {value.shape}, expected (n,) and (n,)")
        _draw_curve(figure.add_subplot(rows, columns, index + 1), name, step, value, _colour(index))
    return figure


def smooth(values: ArrayLike, window: int) -> NDArray[np.float64]:
    """Return a centred running mean over `window` values (made odd), shorter at the ends; not finite is left out."""
    value = np.asarray(values, dtype=np.float64)
    known = np.isfinite(value)
    half = max(window, 1) // 2
    total, count = (
        np.concatenate([[0.0], np.cumsum(part)]) for part in (np.where(known, value, 0.0), known.astype(np.float64))
    )
    index = np.arange(value.size)
    low, high = np.maximum(index - half, 0), np.minimum(index + half + 1, value.size)
    number = count[high] - count[low]
    mean: NDArray[np.float64] = np.full(value.size, np.nan)
    np.divide(total[high] - total[low], number, out=mean, where=number > 0)
    return mean


def _plot_pick_time(position: ArrayLike, pick_ms: ArrayLike, label: str, n_all: int | None) -> Figure:
    name = label.split(" ")[0]
    at, pick = np.asarray(position, dtype=np.float64), np.asarray(pick_ms, dtype=np.float64)
    if at.shape != pick.shape:
        raise PicksError(f"{name}s have shape {at.shape}, picks {pick.shape}; expected the same")
    known = np.isfinite(at) & np.isfinite(pick)
    at, pick = at[known], pick[known]
    if at.size == 0:
        raise PicksError(f"no trace has both a known {name} and a pick")
    shown = f"{at.size:,} picks" if n_all in (None, at.size) else f"{at.size:,} of {n_all:,} picks"
    figure, axes = _chart(f"Pick time against {name}, {shown}", width=CHART_WIDTH, height=4.4)
    if at.size > CROWDED:
        cells = axes.hexbin(at, pick, gridsize=(70, 32), bins="log", mincnt=1, cmap="viridis", linewidths=0)
        bar = figure.colorbar(cells, ax=axes, pad=0.02, shrink=0.9)
        bar.set_label("picks a cell", color=INK)
    else:
        axes.scatter(at, pick, s=float(np.clip(6000 / at.size, 5, 20)), color=BLUE, alpha=0.55, linewidths=0)
    axes.grid(color="#dfe5ea", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.invert_yaxis()
    axes.set_xlabel(label, color=INK)
    axes.set_ylabel("time from the first sample (ms)", color=INK)
    return figure


def _draw_curve(axes: Axes, name: str, step: NDArray[np.float64], value: NDArray[np.float64], colour: str) -> None:
    """Draw one panel of `plot_curves`; a positive curve over more than two decades gets a log scale."""
    _clean(axes)
    axes.set_title(name, loc="left", color=INK, fontsize=10)
    finite = np.where(np.isfinite(value), value, np.nan)
    known = finite[np.isfinite(finite)]
    window = value.size // 25
    faint, marker = (0.3 if window > 1 else 1.0), ("." if known.size == 1 else "")
    axes.plot(step, finite, color=colour, linewidth=0.9, alpha=faint, marker=marker)
    if window > 1:
        axes.plot(step, smooth(finite, window), color=colour, linewidth=1.7)
    if known.size and known.min() > 0 and known.max() > 100 * known.min():
        axes.set_yscale("log")
    axes.grid(color="#dfe5ea", linewidth=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    lost = value.size - known.size
    last = f"last {known[-1]:.4g}" if known.size else "no value"
    note = last + (f", {lost:,} not finite" if lost else "")
    axes.set_title(note, loc="right", color=ORANGE if lost else MUTED, fontsize=8.5)


def _chart(title: str, *, width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    _clean(axes)
    axes.set_title(title, loc="left", color=INK, weight="bold", pad=10)
    return figure, axes


def _clean(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=INK, labelsize=9)


def _bins(n: int, reach: float) -> list[float]:
    """Return bin edges with one at every whole ms: 1 ms wide for few values, 0.25 ms for many."""
    width = 1.0 if n < 60 else 0.5 if n < 600 else 0.25
    edges: list[float] = np.arange(-reach, reach + width / 2, width).tolist()
    return edges


def _colour(index: int) -> str:
    return SERIES[index % len(SERIES)]
