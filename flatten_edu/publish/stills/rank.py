"""The lab `rank`: three maps and their spectra."""

from collections.abc import Mapping
from typing import Any

from flatten_edu.labs import RankLab
from flatten_edu.plot import rank_figure
from flatten_edu.plot.style import Picture


def picture(state: dict[str, Any], buffers: Mapping[str, bytes]) -> Picture:
    """Of the case that is chosen."""
    lab = RankLab(**{name: value for name, value in state.items() if name[0] != "_"}, **buffers)
    return rank_figure(lab.maps(), lab.p, lab.tolerance)
