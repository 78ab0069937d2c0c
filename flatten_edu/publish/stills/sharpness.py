"""The lab `sharpness`: weights by three kinds, entropy against scale."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from flatten_edu.labs.frame.tensors import read_matrix, unpack
from flatten_edu.labs.sharpness.lab import EXAMPLES
from flatten_edu.plot import sharpness_figure
from flatten_edu.plot.style import Picture


def picture(state: dict[str, Any], buffers: Mapping[str, bytes]) -> Picture:
    """Of the example that is chosen."""
    q, k = _query_and_keys(state, buffers)
    return sharpness_figure(q, k, state["scale"], state["p"], state["divide"])


def _query_and_keys(state: dict[str, Any], buffers: Mapping[str, bytes]) -> tuple[Tensor, Tensor]:
    example = state["example"]
    if example in EXAMPLES:
        return torch.tensor(EXAMPLES[example]["q"]), torch.tensor(EXAMPLES[example]["k"])
    if example == "own":
        return read_matrix(buffers["q"])[0], read_matrix(buffers["k"])
    row = min(state["row"], len(state["sets"]) - 1)
    rows = unpack(buffers["rows"])[state["sets"][row]["name"]]
    return rows[0], rows[1:]
