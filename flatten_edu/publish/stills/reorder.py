"""The lab `reorder`: both orders' matrices, to scale."""

from collections.abc import Mapping
from typing import Any

from flatten_edu.plot import reorder_figure
from flatten_edu.plot.style import Picture


def picture(state: dict[str, Any], buffers: Mapping[str, bytes]) -> Picture:
    """Of the sizes that are chosen, or of the small example."""
    if state["view"] == "steps":
        return reorder_figure(len(state["q"]), len(state["q"][0]))
    return reorder_figure(state["n"], state["d"])
