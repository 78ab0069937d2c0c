"""Level 5: arrays in, figure out."""

from flatten_edu.plot.focus import focus_figure
from flatten_edu.plot.maps import attention_figure
from flatten_edu.plot.proof import proof_figure
from flatten_edu.plot.reorder import reorder_figure

__all__ = ["attention_figure", "focus_figure", "proof_figure", "reorder_figure"]
