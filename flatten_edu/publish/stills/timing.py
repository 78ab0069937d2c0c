"""The lab `timing`: a record that was measured elsewhere."""

from collections.abc import Mapping
from typing import Any

from flatten_edu.plot import timing_figure
from flatten_edu.plot.style import Picture


def picture(state: dict[str, Any], buffers: Mapping[str, bytes]) -> Picture:
    """Of the reader's own record, or of what is drawn beside it."""
    at_this_d = [record for record in state["shipped"] if record["settings"]["head_dim"] == state["d"]]
    other = [state["other"]] if state["beside"] == "other" and state["other"] else []
    return timing_figure(next(record for record in [state["own"], *other, *at_this_d, *state["shipped"]] if record))
