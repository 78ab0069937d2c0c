"""The lab `precision`: the range of each intermediate tensor."""

from collections.abc import Mapping
from typing import Any

from flatten_edu.analysis import Fixes, hashed_normals
from flatten_edu.labs.frame.tensors import read_matrix
from flatten_edu.plot import precision_figure
from flatten_edu.plot.style import Picture


def picture(state: dict[str, Any], buffers: Mapping[str, bytes]) -> Picture:
    """With the fixes that are switched on."""
    fixes = Fixes(*(state[name] for name in ["row_max", "over_sqrt_n", "wide_sums", "whole"]))
    if state["source"] == "own":
        q, k, v = (read_matrix(buffers[name]) for name in "qkv")
    else:
        n, d = state["n"], state["d"]
        rows = [min(n, 196), n, n]  # as many queries as the lab follows
        q, k, v = (hashed_normals(3 * state["seed"] + i, m * d).reshape(m, d) for i, m in enumerate(rows))
    q, k, v = (state["size"] * x for x in (q[:196], k, v))
    return precision_figure(q, k, v, state["dtype"], state["p"], fixes)
