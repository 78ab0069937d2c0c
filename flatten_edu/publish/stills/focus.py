"""The lab `focus`: vectors, or a photograph."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from flatten_edu.functional import attention_matrix
from flatten_edu.labs.frame.tensors import unpack
from flatten_edu.plot import attention_figure, focus_figure
from flatten_edu.plot.style import Picture


def picture(state: dict[str, Any], buffers: Mapping[str, bytes]) -> Picture:
    """The view that is chosen."""
    if state["view"] == "photo":
        return _photo(state, buffers)
    return focus_figure(torch.tensor(state["q"]), torch.tensor(state["k"]), state["p"])


def _photo(state: dict[str, Any], buffers: Mapping[str, bytes]) -> Picture:
    grid, patch, p = tuple(state["grid"]), state["patch"], float(state["p"])
    tokens = unpack(buffers["tokens"])
    q, k = tokens["q"], tokens.get("k", tokens["q"])
    query = q[patch : patch + 1]
    maps = {
        "softmax": attention_matrix(query, k)[0],
        "linear, p = 1": attention_matrix(query, k, "relu")[0],
        f"focused, p = {p:g}": attention_matrix(query, k, "focused", p=p)[0],
    }
    image = np.asarray(Image.open(io.BytesIO(buffers["photo"])).convert("RGB"))
    return attention_figure(image[::2, ::2], maps, grid, patch)  # a still need not be large
