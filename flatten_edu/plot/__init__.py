"""Level 5: arrays in, figure out."""

from flatten_edu.plot.annotated import AnnotatedSource
from flatten_edu.plot.bench import bench_figure, bench_panel
from flatten_edu.plot.cost import work_figure
from flatten_edu.plot.heads import head_lengths_figure
from flatten_edu.plot.maps import attention_figure
from flatten_edu.plot.recall import pictures_figure, recall_figure
from flatten_edu.plot.singular import approximation_error, approximation_figure, ellipse_figure, spectrum_figure
from flatten_edu.plot.sorted_weights import sorted_weights_figure
from flatten_edu.plot.thread import thread_figure
from flatten_edu.plot.trained import accuracy_figure, spectra_figure
from flatten_edu.plot.turning import turning_figure

__all__ = [
    "AnnotatedSource",
    "accuracy_figure",
    "approximation_error",
    "approximation_figure",
    "attention_figure",
    "bench_figure",
    "bench_panel",
    "ellipse_figure",
    "head_lengths_figure",
    "pictures_figure",
    "recall_figure",
    "sorted_weights_figure",
    "spectra_figure",
    "spectrum_figure",
    "thread_figure",
    "turning_figure",
    "work_figure",
]
