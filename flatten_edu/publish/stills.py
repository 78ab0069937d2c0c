"""Still pictures of the labs: for readers without JavaScript, for print, and for the moment before a lab starts."""

import io
from collections.abc import Callable
from typing import Any

import matplotlib
import torch
from matplotlib.figure import Figure

from flatten_edu.plot import focus_figure

INK = "#7a828c"  # readable on white and on black
STYLE = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "flatten_edu",  # the same picture is the same file
    "font.size": 9,
    "axes.titlesize": 9,
    **dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], INK),
}


def _focus(state: dict[str, Any]) -> tuple[Figure, str]:
    query, keys = torch.tensor(state["q"]), torch.tensor(state["k"])
    text = (
        f"A query and {len(keys)} keys in the plane before and after f_p at p = {state['p']:g}, and the "
        "query's attention over the keys by plain linear, focused and softmax attention."
    )
    return focus_figure(query, keys, state["p"]), text


_STILLS: dict[str, Callable[[dict[str, Any]], tuple[Figure, str]]] = {"focus": _focus}


def still(lab: str, state: dict[str, Any]) -> tuple[bytes, str]:
    """A lab's first view as an SVG file, and the sentence that stands for it."""
    with matplotlib.rc_context(STYLE):
        figure, text = _STILLS[lab](state)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return buffer.getvalue(), text
