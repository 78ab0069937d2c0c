"""Level 5: arrays in, figure out."""

from flatten_edu.plot.focus import focus_figure
from flatten_edu.plot.maps import attention_figure
from flatten_edu.plot.rank import rank_figure

__all__ = ["attention_figure", "focus_figure", "rank_figure"]
