"""Still pictures of the labs: for readers without JavaScript, for print, and for the moment before a lab starts."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from flatten_edu.analysis import Fixes, hashed_normals
from flatten_edu.functional import attention_matrix
from flatten_edu.plot import (
    attention_figure,
    focus_figure,
    precision_figure,
    proof_figure,
    reorder_figure,
    sharpness_figure,
)
from flatten_edu.plot.style import STYLE, Picture
from flatten_edu.widgets.matrices import read_matrix
from flatten_edu.widgets.sharpness import EXAMPLES

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


def _tokens(content: bytes, grid: tuple[int, int]) -> Tensor:
    return torch.frombuffer(bytearray(content), dtype=torch.float32).reshape(grid[0] * grid[1], -1)


def _precision(state: dict[str, Any], buffers: Buffers) -> Picture:
    fixes = Fixes(*(state[name] for name in ["row_max", "over_sqrt_n", "wide_sums", "whole"]))
    if state["source"] == "own":
        q, k, v = (read_matrix(buffers[name]) for name in "qkv")
    else:
        n, d = state["n"], state["d"]
        rows = [min(n, 196), n, n]  # as many queries as the lab follows
        q, k, v = (hashed_normals(3 * state["seed"] + i, m * d).reshape(m, d) for i, m in enumerate(rows))
    q, k, v = (state["size"] * x for x in (q[:196], k, v))
    return precision_figure(q, k, v, state["dtype"], state["p"], fixes)


def _sharpness(state: dict[str, Any], buffers: Buffers) -> Picture:
    q, k = _query_and_keys(state, buffers)
    return sharpness_figure(q, k, state["scale"], state["p"], state["divide"])


def _query_and_keys(state: dict[str, Any], buffers: Buffers) -> tuple[Tensor, Tensor]:
    example = state["example"]
    if example in EXAMPLES:
        return torch.tensor(EXAMPLES[example]["q"]), torch.tensor(EXAMPLES[example]["k"])
    if example == "own":
        return read_matrix(buffers["q"])[0], read_matrix(buffers["k"])
    row = min(state["row"], len(state["sets"]) - 1)
    before = sum((one["n"] + 1) * one["d"] for one in state["sets"][:row])
    n, d = state["sets"][row]["n"], state["sets"][row]["d"]
    numbers = torch.frombuffer(bytearray(buffers["rows"]), dtype=torch.float32)
    rows = numbers[before : before + (n + 1) * d].reshape(n + 1, d)
    return rows[0], rows[1:]


def _reorder(state: dict[str, Any], buffers: Buffers) -> Picture:
    if state["view"] == "steps":
        return reorder_figure(len(state["q"]), len(state["q"][0]))
    return reorder_figure(state["n"], state["d"])


def _proof(state: dict[str, Any], buffers: Buffers) -> Picture:
    x, y = (torch.tensor(state[name], dtype=torch.float64) for name in "xy")
    return proof_figure(x, y, float(state["p"]))


_STILLS: dict[str, Callable[[dict[str, Any], Buffers], Picture]] = {
    "focus": _focus,
    "precision": _precision,
    "sharpness": _sharpness,
    "proof": _proof,
    "reorder": _reorder,
}


def still(lab: str, state: dict[str, Any], buffers: Buffers) -> tuple[bytes, str]:
    """A lab's first view as an SVG file, and the sentence that stands for it."""
    figure = _STILLS[lab](state, buffers)
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return buffer.getvalue(), figure.alt
