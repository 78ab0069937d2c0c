"""The lab `proof`: the cosine of a pair over p."""

from collections.abc import Mapping
from typing import Any

import torch

from flatten_edu.plot import proof_figure
from flatten_edu.plot.style import Picture


def picture(state: dict[str, Any], buffers: Mapping[str, bytes]) -> Picture:
    """Of the pair that is chosen."""
    x, y = (torch.tensor(state[name], dtype=torch.float64) for name in "xy")
    return proof_figure(x, y, float(state["p"]))
