"""The plot of the review page: a picture of a gather under dots, for BokehJS to draw. Data come later, by script."""

from typing import Any

from bokeh.core.json_encoder import serialize_json
from bokeh.embed import json_item
from bokeh.models import (
    BasicTickFormatter,
    BoxZoomTool,
    ColumnDataSource,
    CrosshairTool,
    PanTool,
    Plot,
    Range1d,
    ResetTool,
    WheelZoomTool,
)
from bokeh.plotting import figure

from seisray.report.plots import DEAD, FIRST_BREAK, FLAGGED, INK, MUTED, PICK

EMPTY: dict[str, list[Any]] = {"x": [], "y": []}


def review_plot() -> Plot:
    """Return the plot; its sources are named picture, dead, labels, own, picks and chosen."""
    pan, wheel = PanTool(), WheelZoomTool(zoom_on_axis=True)
    plot = figure(
        name="plot",
        tools=[pan, wheel, BoxZoomTool(), ResetTool(), CrosshairTool(line_alpha=0.25, line_color=INK)],
        active_drag=pan,
        active_scroll=wheel,
        x_range=Range1d(start=0, end=1),
        y_range=Range1d(start=1, end=0),
        x_axis_label="trace",
        y_axis_label="time from the first sample (ms)",
        sizing_mode="stretch_both",
        min_height=240,
        output_backend="canvas",
        toolbar_location="right",
        background_fill_color="#808080",
        title=None,
    )
    plot.toolbar.logo = None
    plot.grid.visible = False
    plot.xaxis.formatter = BasicTickFormatter(use_scientific=False)
    plot.axis.axis_label_text_color = plot.axis.major_label_text_color = INK
    plot.axis.axis_line_color = plot.axis.major_tick_line_color = MUTED
    plot.axis.minor_tick_line_color = None
    for axis in plot.axis:
        axis.axis_label_text_font_style = "normal"

    def source(name: str, **columns: list[Any]) -> ColumnDataSource:
        return ColumnDataSource(name=name, data=columns or EMPTY)

    plot.image_url(url="url", x="x", y="y", w="w", h="h", anchor="top_left", source=source("picture", **_PICTURE))
    plot.vbar(x="x", width=1, top="top", bottom=0, color=DEAD, source=source("dead", x=[], top=[]))
    plot.scatter(
        "x",
        "y",
        marker="circle",
        size=11,
        fill_alpha=0,
        line_color=FIRST_BREAK,
        line_width=1.6,
        source=source("labels"),
    )
    plot.scatter("x", "y", marker="x", size=7, line_color="#ffffff", line_width=1.4, source=source("own"))
    plot.scatter(
        "x", "y", size=8, fill_color="colour", line_color="#ffffff", line_width=0.6,
        source=source("picks", x=[], y=[], colour=[]),
    )  # fmt: skip
    plot.scatter("x", "y", size=16, fill_alpha=0, line_color=PICK, line_width=2.2, source=source("chosen"))
    return plot


_PICTURE: dict[str, list[Any]] = {"url": [], "x": [], "y": [], "w": [], "h": []}


def plot_json() -> str:
    """Return the plot as JSON that Bokeh.embed.embed_item takes, with the colours that the script needs."""
    return serialize_json({"item": json_item(review_plot()), "colours": {"pick": PICK, "flagged": FLAGGED}})
