"""One style for the book's matplotlib figures: readable on white and on black, with a sentence that stands for each."""

import base64
import functools
import io
from collections.abc import Callable
from typing import Any

import matplotlib
from matplotlib.figure import Figure

INK = "#7a828c"
OF_KEYS = ("#2088c9", "#dd6a1a", "#12a07a", "#c7659f", "#a58300", "#7a6fe0")  # as the labs colour keys
STYLE: dict[Any, Any] = {  # matplotlib's own type lists the names that there are
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "flatten_edu",  # the same picture is the same file
    "font.size": 9,
    "axes.titlesize": 9,
    **dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], INK),
}


class Picture(Figure):
    """A matplotlib figure that a notebook shows by itself, without a background, and with its text alternative.

    `dark-light` tells the book's theme that the picture needs no other background in dark mode.
    """

    alt: str = ""

    def __repr__(self) -> str:
        return self.alt or super().__repr__()

    def svg(self) -> bytes:
        """As a file, without a background."""
        buffer = io.BytesIO()
        with matplotlib.rc_context(STYLE):
            self.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        buffer = io.BytesIO()
        with matplotlib.rc_context(STYLE):
            self.savefig(buffer, format="png", dpi=180, transparent=True)
        data = base64.b64encode(buffer.getvalue()).decode()
        width, height = (round(100 * side) for side in self.get_size_inches())
        shape = f'style="max-width: 100%; height: auto" width="{width}" height="{height}"'  # the page keeps its place
        return f'<img class="fe-picture dark-light" {shape} alt="{self.alt}" src="data:image/png;base64,{data}">'


def in_style(draw: Callable[..., Picture]) -> Callable[..., Picture]:
    """Draw in the book's style, whatever the reader has set for other figures."""

    @functools.wraps(draw)
    def styled(*args: object, **kwargs: object) -> Picture:
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled
