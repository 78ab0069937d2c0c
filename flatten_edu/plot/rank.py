"""The still picture of the lab `rank`: the maps, their ranks and their spectra."""

import math

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from flatten_edu.analysis import RankMaps, numerical_rank, spectrum
from flatten_edu.plot.style import INK, Picture, in_style

# name: title, colour (the labs', for white and for black alike), line.
_MAPS = {
    "linear": ("$A$", "#2088c9", "-"),
    "dwc": ("$+\\ M_\\mathrm{DWC}$", "#dd6a1a", "--"),
    "equivalent": ("$=\\ M_\\mathrm{eq}$", "#12a07a", "-"),
    "softmax": ("softmax", INK, ":"),
}
# Zero is the page's own ground, so that the picture serves a white page and a black one.
_POSITIVE, _NEGATIVE = np.array([10, 94, 194]), np.array([200, 80, 0])
_LEVELS = 16  # of opacity: more would only make the file larger
_FLOOR = 1e-18


@in_style
def rank_figure(maps: RankMaps, p: int | float, tolerance: float = 0.0) -> Picture:
    """A, M_DWC, their sum and softmax's map with their ranks, over their singular values on a logarithmic axis.

    Args:
        tolerance: a share of the largest singular value; 0 for NumPy's.
    """
    n, d = maps.u.shape
    share = tolerance or n * np.finfo(np.float64).eps
    values = {name: spectrum(getattr(maps, name)) for name in _MAPS}
    ranks = {name: int(numerical_rank(getattr(maps, name), share * values[name][0])) for name in _MAPS}
    figure = Picture(figsize=(7.2, 4.4), layout="constrained")
    top, below = figure.subfigures(2, 1, height_ratios=[1.1, 1.25])
    for axes, name in zip(top.subplots(1, 4), _MAPS, strict=True):
        _draw_map(axes, getattr(maps, name), f"{_MAPS[name][0]}: rank {ranks[name]}")
    _draw_spectra(below.subplots(), values, share, n, d)
    figure.alt = (
        f"The maps A, M_DWC, M_eq = A + M_DWC and softmax's on {n} patches with d = {d} and p = {p:g}: their ranks are "
        f"{', '.join(str(rank) for rank in ranks.values())}. Below, their singular values on a logarithmic axis."
    )
    return figure


def _draw_map(axes: Axes, matrix: Tensor, title: str) -> None:
    entries = matrix.numpy()
    share = np.sqrt(np.abs(entries) / (np.abs(entries).max() or 1))
    picture = np.empty((*entries.shape, 4), np.uint8)
    picture[..., :3] = np.where(entries[..., None] < 0, _NEGATIVE, _POSITIVE)
    picture[..., 3] = np.round(share * _LEVELS) * 255 / _LEVELS
    axes.imshow(picture, interpolation="none")
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9)


def _draw_spectra(axes: Axes, values: dict[str, Tensor], share: float, n: int, d: int) -> None:
    for name, (title, colour, line) in _MAPS.items():
        of = values[name].numpy()
        if of[0] > 0:
            label = title.replace("+\\ ", "").replace("=\\ ", "")
            heights = np.maximum(of / of[0], _FLOOR)
            width = 3 if name == "dwc" else 1.5  # the sum's curve nearly covers it
            axes.plot(range(1, n + 1), heights, line, color=colour, label=label, linewidth=width)
    axes.axhline(share, color=INK, linewidth=0.8)
    axes.annotate("below: counted as zero", (1, share), xytext=(0, -9), textcoords="offset points", fontsize=7)
    if d < n:
        axes.axvline(d, color=INK, linewidth=0.8, linestyle=":")
        axes.annotate(f"d = {d}", (d, 1), xytext=(3, 2), textcoords="offset points", fontsize=7)
    exponents = range(0, round(math.log10(_FLOOR)) - 1, -6)
    axes.set(yscale="log", ylim=(_FLOOR, 10), xlim=(1, n), yticks=[10.0**e for e in exponents])
    axes.set_title("singular values, largest first, each divided by the largest", loc="left", fontsize=9)
    axes.legend(frameon=False, fontsize=8, loc="center right")
    axes.spines[["top", "right"]].set_visible(False)
