"""The lab `maps`: each model's attention, lit on the picture."""

from collections.abc import Mapping
from typing import Any

from flatten_edu.analysis import magnitude_share
from flatten_edu.labs.maps.contents import shown_picture, shown_rows
from flatten_edu.plot import attention_figure
from flatten_edu.plot.style import Picture


def picture(state: dict[str, Any], buffers: Mapping[str, bytes]) -> Picture:
    """A still runs no model: it shows the captured queries and keys at p."""
    rows = [magnitude_share(row)[int(state["class_token"]) :] for row in shown_rows(state, buffers["tokens"])]
    maps = dict(zip([entry["title"] for entry in state["models"]], rows, strict=True))
    image = shown_picture(state, buffers["tokens"])
    return attention_figure(image, maps, tuple(state["grid"]), state["patch"], columns=len(maps) + 2)
