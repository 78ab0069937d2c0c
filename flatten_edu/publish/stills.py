"""Still pictures of the labs: for readers without JavaScript, for print, and for the moment before a lab starts."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from flatten_edu.analysis import magnitude_share
from flatten_edu.functional import attention_matrix
from flatten_edu.plot import attention_figure, focus_figure
from flatten_edu.plot.style import STYLE, Picture
from flatten_edu.widgets.maps_view import shown_picture, shown_rows

Buffers = Mapping[str, bytes]


def _focus(state: dict[str, Any], buffers: Buffers) -> Picture:
    return _focus_photo(state, buffers) if state["view"] == "photo" else _focus_plane(state)


def _focus_plane(state: dict[str, Any]) -> Picture:
    query, keys = torch.tensor(state["q"]), torch.tensor(state["k"])
    return focus_figure(query, keys, state["p"])


def _focus_photo(state: dict[str, Any], buffers: Buffers) -> Picture:
    grid, patch, p = tuple(state["grid"]), state["patch"], float(state["p"])
    q, k = (_tokens(buffers[name], grid) for name in ("tokens_q", "tokens_k"))
    query = q[patch : patch + 1]
    maps = {
        "softmax": attention_matrix(query, k)[0],
        "linear, p = 1": attention_matrix(query, k, "relu")[0],
        f"focused, p = {p:g}": attention_matrix(query, k, "focused", p=p)[0],
    }
    image = np.asarray(Image.open(io.BytesIO(buffers["photo"])).convert("RGB"))
    return attention_figure(image[::2, ::2], maps, grid, patch)  # a still need not be large


def _maps(state: dict[str, Any], buffers: Buffers) -> Picture:
    """Each model's row, lit on the picture. A still runs no model: it shows the captured queries and keys at p."""
    rows = [magnitude_share(row)[int(state["class_token"]) :] for row in shown_rows(state, buffers["tokens"])]
    maps = dict(zip([entry["title"] for entry in state["models"]], rows, strict=True))
    image = shown_picture(state, buffers["tokens"])
    return attention_figure(image, maps, tuple(state["grid"]), state["patch"], columns=len(maps) + 1, lift=True)


def _tokens(content: bytes, grid: tuple[int, int]) -> Tensor:
    return torch.frombuffer(bytearray(content), dtype=torch.float32).reshape(grid[0] * grid[1], -1)


_STILLS: dict[str, Callable[[dict[str, Any], Buffers], Picture]] = {"focus": _focus, "maps": _maps}


def still(lab: str, state: dict[str, Any], buffers: Buffers) -> tuple[bytes, str]:
    """A lab's first view as an SVG file, and the sentence that stands for it."""
    figure = _STILLS[lab](state, buffers)
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return buffer.getvalue(), figure.alt
