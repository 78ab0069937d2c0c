"""Level 5: arrays in, figure out."""

from flatten_edu.plot.annotated import AnnotatedSource
from flatten_edu.plot.bench import bench_figure, bench_panel
from flatten_edu.plot.curves import (
    approximation_error,
    approximation_figure,
    ellipse_figure,
    head_lengths_figure,
    sorted_weights_figure,
    spectrum_figure,
    turning_figure,
)
from flatten_edu.plot.maps import attention_figure, pictures_figure
from flatten_edu.plot.thread import thread_figure
from flatten_edu.plot.trained import accuracy_figure, recall_figure, spectra_figure, work_figure

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
