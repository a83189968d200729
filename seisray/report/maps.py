"""Where picks are good: maps of shots and receivers, or a matrix of shots by channels where no positions are known."""

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from seisray.errors import PicksError
from seisray.report.charts import CHART_WIDTH
from seisray.report.plots import INK, MUTED
from seisray.report.tally import STEPS_A_M, PickTally, QualityTally

Quality = Literal["probability", "flagged"]

CROWDED = 20_000
"""Points beyond which a map shows the mean of hexagons."""
SHAPE = 1.75
"""Of the box of one map, width over height."""
MOST_STRETCH = 8.0
"""Where a survey is so much longer than wide, its map is stretched."""
_STYLE = {
    "probability": ("Median probability", "viridis", 1.0),
    "flagged": ("Share of traces flagged", "YlOrRd", None),
}


def plot_map(tally: PickTally, quality: Quality) -> Figure:
    """Draw shots above and receivers below at their places, coloured by the quality of their picks."""
    if not tally.has_geometry:
        raise PicksError("no map can be drawn: most traces have no coordinates, or all have the same")
    title, colours, top = _STYLE[quality]
    ends = (("shots", tally.shots, "v"), ("receivers", tally.stations, "^"))
    values = {name: _values(one, quality) for name, one, _ in ends}
    highest = top or max(0.02, *(float(value.max()) for value in values.values()))
    positions = {name: one.keys() / STEPS_A_M for name, one, _ in ends}
    extent = np.ptp(np.concatenate(list(positions.values())), axis=0)
    stretched = extent.min() * MOST_STRETCH < extent.max()
    figure = Figure(figsize=(CHART_WIDTH, 6.0), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", color=INK, weight="bold", fontsize=12)
    axes = figure.subplots(2, sharex=True, sharey=True)
    drawn: Any = None
    for one, (name, _, marker) in zip(axes, ends, strict=True):
        x, y = positions[name].T
        if x.size > CROWDED:
            drawn = one.hexbin(x, y, values[name], gridsize=60, cmap=colours, vmin=0, vmax=highest, linewidths=0)
        else:
            size = float(np.clip(9000 / x.size, 6, 42))
            drawn = one.scatter(
                x, y, c=values[name], s=size, marker=marker, cmap=colours, vmin=0, vmax=highest,
                edgecolors=MUTED, linewidths=0.3,
            )  # fmt: skip
        one.set_title(f"{x.size:,} {name}", loc="left", color=MUTED, fontsize=9.5)
        one.set_ylabel("y (m)", color=INK)
        one.margins(0.05, 0.12)
        one.ticklabel_format(useOffset=False, style="plain")
        one.tick_params(colors=INK, labelsize=8.5)
        one.spines[["top", "right"]].set_visible(False)
        one.grid(color="#e3e8ec", linewidth=0.6)
        one.set_axisbelow(True)
    if not stretched:
        _fill(axes[0], np.concatenate(list(positions.values())))
    axes[1].set_xlabel("x (m)" + ("; y is stretched" if stretched else ""), color=INK)
    axes[1].locator_params(axis="x", nbins=6)
    bar = figure.colorbar(drawn, ax=axes, pad=0.02, shrink=0.9, aspect=35)
    bar.ax.tick_params(labelsize=8.5)
    if quality == "flagged":
        bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if highest > 0.1 else 1))
    return figure


def _fill(axes: Axes, position_m: NDArray[np.float64]) -> None:
    """Show a metre as long in y as in x, in a box of the shape that the axes have anyway. position_m: (n, 2)."""
    lowest, highest = position_m.min(axis=0), position_m.max(axis=0)
    width = max((highest - lowest) * [1.0, SHAPE]) * 1.12
    for name, middle, length in zip("xy", (lowest + highest) / 2, (width, width / SHAPE), strict=True):
        axes.set(**{f"{name}lim": (middle - length / 2, middle + length / 2)})


def plot_matrix(tally: PickTally, quality: Quality) -> Figure:
    """Draw a matrix of gathers by channels, coloured by the quality of their picks; white = no live trace."""
    title, colours, top = _STYLE[quality]
    title = title.replace("Median", "Mean")
    matrix = tally.matrix
    cells = matrix.probability() if quality == "probability" else matrix.share_flagged()
    known = np.isfinite(cells)
    if not known.any():
        raise PicksError("no matrix can be drawn: no trace is live")
    used = np.flatnonzero(known.any(axis=0))
    cells = cells[:, used[0] : used[-1] + 1]
    highest = top or max(0.02, float(np.nanmax(cells)))
    figure = Figure(figsize=(CHART_WIDTH, 5.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, weight="bold", pad=10)
    last = len(cells) * matrix.gathers_a_row
    extent = (used[0] - 0.5, used[-1] + 0.5, last + 0.5, 0.5)
    drawn = axes.imshow(
        cells, cmap=colours, vmin=0, vmax=highest, aspect="auto", extent=extent, interpolation="nearest"
    )
    axes.set_xlabel("channel", color=INK)
    axes.set_ylabel("gather, in the order of the survey", color=INK)
    axes.tick_params(colors=INK, labelsize=9)
    bar = figure.colorbar(drawn, ax=axes, pad=0.02, shrink=0.9)
    bar.ax.tick_params(labelsize=8.5)
    if quality == "flagged":
        bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    return figure


def _values(tally: QualityTally, quality: Quality) -> NDArray[np.float64]:
    return tally.median() if quality == "probability" else tally.share_flagged()
