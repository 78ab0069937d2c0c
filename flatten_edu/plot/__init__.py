"""Level 5: arrays in, figure out."""

from flatten_edu.plot.focus import focus_figure

__all__ = ["focus_figure"]
