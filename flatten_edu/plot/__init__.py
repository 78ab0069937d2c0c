"""Level 5: arrays in, figure out."""

from flatten_edu.plot.bench import bench_figure, bench_panel
from flatten_edu.plot.cost import work_figure
from flatten_edu.plot.focus import focus_figure
from flatten_edu.plot.maps import attention_figure
from flatten_edu.plot.precision import precision_figure
from flatten_edu.plot.proof import proof_figure
from flatten_edu.plot.rank import rank_figure
from flatten_edu.plot.reorder import reorder_figure
from flatten_edu.plot.sharpness import sharpness_figure
from flatten_edu.plot.thread import thread_figure
from flatten_edu.plot.timing import timing_figure
from flatten_edu.plot.trained import accuracy_figure, spectra_figure

__all__ = [
    "accuracy_figure",
    "attention_figure",
    "bench_figure",
    "bench_panel",
    "focus_figure",
    "precision_figure",
    "proof_figure",
    "rank_figure",
    "reorder_figure",
    "sharpness_figure",
    "spectra_figure",
    "thread_figure",
    "timing_figure",
    "work_figure",
]
