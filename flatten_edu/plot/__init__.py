"""Level 5: arrays in, figure out."""

from flatten_edu.plot.bench import bench_figure, bench_panel
from flatten_edu.plot.cost import work_figure
from flatten_edu.plot.maps import attention_figure
from flatten_edu.plot.thread import thread_figure
from flatten_edu.plot.trained import accuracy_figure, spectra_figure

__all__ = [
    "accuracy_figure",
    "attention_figure",
    "bench_figure",
    "bench_panel",
    "spectra_figure",
    "thread_figure",
    "work_figure",
]
