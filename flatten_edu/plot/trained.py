"""Figures of trained attention: maps with their spectra, and accuracy run by run."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from flatten_edu.plot.style import INK, Picture, in_style

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9")  # Okabe and Ito's, darkened for white


@in_style
def spectra_figure(maps: Mapping[str, Float[Tensor, "n n"]], spectra: Mapping[str, Float[Tensor, " n"]]) -> Picture:
    """Attention maps above, and below their singular values, largest first, each divided by its largest.

    Args:
        maps: title and map; rows are queries. Each has its own scale: signed maps about zero, others from zero.
        spectra: title and singular values in falling order, under the same titles.
    """
    figure = Picture(figsize=(2.35 * len(maps), 4.6), layout="constrained")
    grid = figure.add_gridspec(2, len(maps), height_ratios=[1, 0.9])
    for column, (title, one) in enumerate(maps.items()):
        _show_map(figure.add_subplot(grid[0, column]), title, one)
    axes = figure.add_subplot(grid[1, :])
    for (title, values), colour in zip(spectra.items(), COLOURS, strict=False):
        axes.semilogy(range(1, len(values) + 1), (values / values[0]).clamp(min=1e-18), color=colour, label=title)
    axes.axhline(196 * torch.finfo(torch.float64).eps, color=INK, linewidth=0.8, linestyle=":")
    axes.text(len(values), 196 * torch.finfo(torch.float64).eps * 1.6, "counted as zero below", ha="right", fontsize=8)
    axes.set(xlabel="singular value, from the largest", ylabel="share of the largest")
    axes.legend(frameon=False, fontsize=8)
    axes.patch.set_alpha(0)
    figure.alt = f"Attention maps of {', '.join(maps)}, and their singular values on a logarithmic axis."
    return figure


def _show_map(axes: Axes, title: str, one: Float[Tensor, "n n"]) -> None:
    """Square roots, with their sign: weights of a thousandth can then be seen."""
    shown = one.detach().cpu()
    shown = shown.sign() * shown.abs().sqrt()
    largest = shown.abs().max().item()
    signed = bool((shown < 0).any())
    axes.imshow(shown, cmap="RdBu_r" if signed else "viridis", vmin=-largest if signed else 0, vmax=largest)
    axes.set(xticks=[], yticks=[], xlabel="key", ylabel="query")
    axes.set_title(title, fontsize=9)


@in_style
def accuracy_figure(panels: Mapping[str, Mapping[str, Sequence[float]]], names: Mapping[str, str]) -> Picture:
    """Top-1 accuracy, a panel a source, never on one axis: a dot a run, a line at the mean of several.

    Args:
        panels: for each panel's title, percent by variant: one number a run.
        names: how a variant is written.
    """
    figure = Picture(figsize=(4.2 * len(panels), 0.36 * len(names) + 0.9), layout="constrained")
    rows = {variant: len(names) - 1 - i for i, variant in enumerate(names)}
    for axes, (title, values) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for variant, found in values.items():
            axes.plot(found, [rows[variant]] * len(found), "o", color=COLOURS[0], markersize=5, alpha=0.75)
            if len(found) > 1:
                mean = sum(found) / len(found)
                axes.plot([mean, mean], [rows[variant] - 0.3, rows[variant] + 0.3], color=COLOURS[1], linewidth=2)
        axes.set_yticks(list(rows.values()), list(names.values()))
        axes.set(title=title, xlabel="top-1 accuracy, %", ylim=(-0.6, len(names) - 0.4))
        axes.grid(axis="x", color=INK, alpha=0.25)
        axes.patch.set_alpha(0)
    figure.alt = f"Top-1 accuracy of {', '.join(names.values())}; panels: {', '.join(panels)}."
    return figure
