"""One style for the book's matplotlib figures: readable on white and on black, with a sentence that stands for each."""

import base64
import functools
import io
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

P = ParamSpec("P")

INK = "#7a828c"
OF_KEYS = ("#2088c9", "#dd6a1a", "#12a07a", "#c7659f", "#a58300", "#7a6fe0")  # as the labs colour keys
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9")  # Okabe and Ito's, darkened for white
WIDTH = 3.3  # inches, 330 px: a phone's column
SMALLEST = 8.0  # points: 11 px on a screen
STYLE: dict[Any, Any] = {  # matplotlib's own type lists the names that there are
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "flatten_edu",  # the same picture is the same file
    "font.size": 9,
    "axes.titlesize": 9,
    "legend.fontsize": SMALLEST,
    "legend.frameon": False,
    **dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], INK),
}


class Picture(Figure):
    """A matplotlib figure that a notebook shows by itself, without a background, and with its text alternative.

    `dark-light` tells the book's theme that the picture needs no other background in dark mode.
    """

    alt: str = ""

    def __repr__(self) -> str:
        return self.alt or super().__repr__()

    def saved(self, kind: str, **options: Any) -> bytes:
        """As a file, without a background."""
        buffer = io.BytesIO()
        with matplotlib.rc_context(STYLE):
            self.savefig(buffer, format=kind, transparent=True, **options)
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.saved("png", dpi=180)).decode()
        width, height = (round(100 * side) for side in self.get_size_inches())
        shape = f'style="max-width: 100%; height: auto" width="{width}" height="{height}"'  # the page keeps its place
        return f'<img class="fe-picture dark-light" {shape} alt="{self.alt}" src="data:image/png;base64,{data}">'


def in_style(draw: Callable[P, Picture]) -> Callable[P, Picture]:
    """Draw in the book's style, whatever the reader has set for other figures."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Picture:
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


def panel(height: float) -> Callable[[Callable[Concatenate[Axes, P], str]], Callable[P, Picture]]:
    """Make a picture of a strip of a function that fills given axes and returns the sentence that stands for them."""

    def decorate(draw: Callable[Concatenate[Axes, P], str]) -> Callable[P, Picture]:
        @in_style
        def drawn(*args: P.args, **kwargs: P.kwargs) -> Picture:
            figure = Picture(figsize=(WIDTH, height), layout="constrained")
            axes = figure.subplots()
            axes.tick_params(labelsize=SMALLEST)
            axes.spines[["top", "right"]].set_visible(False)
            figure.alt = draw(axes, *args, **kwargs)
            return figure

        return drawn

    return decorate


class Strip:
    """Pictures side by side, each with its own text alternative; a narrow screen puts one under the other.

    Each stays as large as it was drawn, or a little smaller where two then fit side by side.
    """

    def __init__(self, pictures: Sequence[Picture]):
        self.pictures = list(pictures)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.pictures))

    def _repr_html_(self) -> str:
        fits = "flex: 1 1 300px; min-width: 0; max-width: {}px"
        shown = "".join(
            f'<div style="{fits.format(round(100 * one.get_figwidth()))}">{one._repr_html_()}</div>'
            for one in self.pictures
        )
        style = "display: flex; flex-wrap: wrap; gap: 0.5rem; justify-content: space-evenly; align-items: flex-start"
        return f'<div class="fe-strip" style="{style}">{shown}</div>'
