"""A panel of curves on logarithmic axes, drawn by matplotlib, or by Plotly where a page or a notebook can."""

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from flatten_edu.plot.style import INK, Picture, in_style

PLOTLY = "application/vnd.plotly.v1+json"
_DASHES = {"-": "solid", "--": "dash", ":": "dot"}
_MARKERS = {"o": "circle", "s": "square", "D": "diamond", "^": "triangle-up", "": "circle"}


@dataclass(frozen=True)
class Line:
    """A curve: its name in the legend, its points, the interval about each (or none), and what hovering tells."""

    name: str
    x: Sequence[int | float]
    y: Sequence[float]
    colour: str = INK
    dash: str = "-"
    marker: str = "o"
    width: float = 1.5
    intervals: Sequence[Sequence[float]] = ()
    hover: Sequence[str] = ()


@dataclass(frozen=True)
class Panel:
    """Curves that share their axes. The sentence `alt` stands for the picture."""

    title: str
    x_label: str
    y_label: str
    alt: str
    lines: list[Line]
    ticks: Sequence[int | float] = ()  # of x

    def axis_ticks(self) -> list[dict[int | float, str]]:
        """Where x and y are marked, and how."""
        x = self.ticks or log_ticks(value for line in self.lines for value in line.x)
        y = log_ticks(value for line in self.lines for value in line.y)
        return [{tick: f"{tick:g}" if tick in apart(ticks) else "" for tick in ticks} for ticks in (x, y)]


def apart(ticks: Sequence[int | float]) -> list[int | float]:
    """Those marks of a logarithmic axis, from the largest down, whose numbers do not run into one another."""
    room = 0.1 * math.log(ticks[-1] / ticks[0])
    kept = [ticks[-1]]
    for tick in reversed(ticks[:-1]):
        if math.log(kept[-1] / tick) >= room:
            kept.append(tick)
    return kept


def log_ticks(values: Iterable[float]) -> list[float]:
    """Marks for a logarithmic axis, three or more: powers of ten, or rounder steps where those are too few."""
    values = sorted(values)
    low, high = values[0], values[-1]
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in [(1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)]:
        ticks = [float(f"{step}e{decade}") for decade in decades for step in steps]
        ticks = [tick for tick in ticks if low / 1.02 <= tick <= high * 1.02]
        if len(ticks) >= 3:
            return ticks
    return [float(tick) for tick in MaxNLocator(4, min_n_ticks=3).tick_values(low, high)]


def _draw(axes: Axes, panel: Panel) -> None:
    for line in panel.lines:
        style: dict[str, Any] = {"color": line.colour, "linestyle": line.dash, "marker": line.marker or None}
        axes.plot(line.x, line.y, label=line.name, linewidth=line.width, markersize=4, **style)
        for x, (low, high) in zip(line.x, line.intervals, strict=False):
            axes.plot([x, x], [low, high], color=line.colour, linewidth=3, alpha=0.35)
    axes.set(xscale="log", yscale="log", xlabel=panel.x_label, ylabel=panel.y_label)
    axes.set_title(panel.title, loc="left")
    for axis, ticks in zip((axes.xaxis, axes.yaxis), panel.axis_ticks(), strict=True):
        axis.set_ticks(list(ticks), list(ticks.values()))
        axis.set_ticks([], minor=True)
    axes.grid(color=INK, alpha=0.2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))


@in_style
def panels_figure(panels: Sequence[Panel]) -> Picture:
    """Panels side by side, two in a row."""
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure = Picture(figsize=(7.2 * columns, 3.9 * rows), layout="constrained")
    for i, panel in enumerate(panels):
        _draw(figure.add_subplot(rows, columns, i + 1), panel)
    figure.alt = " ".join(panel.alt for panel in panels)
    return figure


@dataclass(frozen=True)
class LivePanel:
    """A panel that a reader can point at: Plotly's JSON for pages and JupyterLab, and a still picture for all others.

    The still, and the sentence that stands for it, go with the JSON as `layout.meta`.
    """

    panel: Panel

    @property
    def still(self) -> Picture:
        """The panel by matplotlib."""
        return panels_figure([self.panel])

    def plotly(self) -> dict[str, object]:
        """Data and layout of a Plotly figure, without colours of its own for text and ground."""
        panel = self.panel
        axis = {"type": "log", "automargin": True, "gridcolor": "rgba(122,130,140,0.25)", "zeroline": False}
        x, y = ({**axis, "tickvals": list(t), "ticktext": list(t.values())} for t in panel.axis_ticks())
        layout = {
            "title": {"text": panel.title, "x": 0, "xanchor": "left", "font": {"size": 14}},
            "xaxis": {**x, "title": {"text": panel.x_label}},
            "yaxis": {**y, "title": {"text": panel.y_label}},
            "legend": {"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0},
            "margin": {"l": 10, "r": 10, "t": 40, "b": 10},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": INK},
            "hovermode": "closest",
            "height": 520,
            "meta": {"alt": panel.alt, "still": self.still.saved("svg", metadata={"Date": None}).decode()},
        }
        return {"data": [_trace(line) for line in panel.lines], "layout": layout}

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        figure = self.plotly()
        if "google.colab" in sys.modules:  # which draws no Plotly JSON, and comes with Plotly
            import plotly.io

            return {"text/html": plotly.io.to_html(figure, include_plotlyjs="cdn", full_html=False)}
        return {PLOTLY: figure, "text/html": self.still._repr_html_(), "text/plain": self.panel.alt}


def _trace(line: Line) -> dict[str, object]:
    trace: dict[str, object] = {
        "type": "scatter",
        "mode": "lines+markers" if line.marker else "lines",
        "name": line.name,
        "x": list(line.x),
        "y": list(line.y),
        "line": {"color": line.colour, "dash": _DASHES[line.dash], "width": line.width + 0.5},
        "marker": {"symbol": _MARKERS[line.marker], "size": 7, "color": line.colour},
    }
    if line.hover:
        trace |= {"text": list(line.hover), "hovertemplate": "%{text}<extra></extra>"}
    if line.intervals:
        above = [high - y for y, (_, high) in zip(line.y, line.intervals, strict=True)]
        below = [y - low for y, (low, _) in zip(line.y, line.intervals, strict=True)]
        trace["error_y"] = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 1}
    return trace
