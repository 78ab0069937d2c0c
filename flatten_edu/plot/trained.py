"""Figures of models: what their parts cost, maps with their spectra, accuracy and recall run by run."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from flatten_edu.plot.style import COLOURS, INK, Picture, in_style

Curve = Mapping[int, float]  # by D


@in_style
def work_figure(work: Mapping[str, Mapping[str, float]], unit: str = "million multiplications") -> Picture:
    """A bar a size, cut into its parts, all on one axis; beside the bar the largest part's share.

    Args:
        work: for each size's title, amounts by part, the same parts in each. unit: of the amounts.
    """
    parts = list(next(iter(work.values())))
    figure = Picture(figsize=(7.2, 0.55 * len(work) + 0.9), layout="constrained")
    axes = figure.subplots()
    shares = []
    for row, (title, amounts) in enumerate(work.items()):
        left = 0.0
        for part, colour in zip(parts, COLOURS, strict=False):
            axes.barh(row, amounts[part], left=left, color=colour, label=part if row == 0 else None)
            left += amounts[part]
        largest = max(parts, key=lambda part: amounts[part])
        share = f"{amounts[largest] / left:.0%}"
        shares.append(f"at {title} {largest} {share}")
        axes.annotate(f"{largest} {share}", (left, row), xytext=(4, 0), textcoords="offset points", va="center",
                      fontsize=8)  # fmt: skip
    axes.set_yticks(range(len(work)), list(work))
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set(xlabel=unit)
    axes.legend()
    axes.spines[["top", "right"]].set_visible(False)
    figure.alt = f"Bars of {unit}, cut into {', '.join(parts)}; the largest part is {', '.join(shares)}."
    return figure


@in_style
def spectra_figure(maps: Mapping[str, Float[Tensor, "n n"]], spectra: Mapping[str, Float[Tensor, " n"]]) -> Picture:
    """Attention maps above, and below their singular values, largest first, each divided by its largest.

    Args:
        maps: title and map; rows are queries. Each has its own scale: signed maps about zero, others from zero.
        spectra: title and singular values in falling order, under the same titles.
    """
    figure = Picture(figsize=(min(2.35 * len(maps), 6.9), 4.6), layout="constrained")
    grid = figure.add_gridspec(2, len(maps), height_ratios=[1, 0.9])
    for column, (title, one) in enumerate(maps.items()):
        _show_map(figure.add_subplot(grid[0, column]), title, one)
    axes = figure.add_subplot(grid[1, :])
    for (title, values), colour in zip(spectra.items(), COLOURS, strict=False):
        axes.semilogy(range(1, len(values) + 1), (values / values[0]).clamp(min=1e-18), color=colour, label=title)
    zero = 196 * torch.finfo(torch.float64).eps
    axes.axhline(zero, color=INK, linewidth=0.8, linestyle=":")
    axes.text(len(values), 1.6 * zero, "counted as zero below", ha="right", fontsize=8)
    axes.set(xlabel="singular value, from the largest", ylabel="share of the largest")
    axes.legend()
    figure.alt = f"Attention maps of {', '.join(maps)}, and their singular values on a logarithmic axis."
    return figure


def _show_map(axes: Axes, title: str, one: Tensor) -> None:
    """Square roots, with their sign: weights of a thousandth can then be seen."""
    shown = one.detach().cpu()
    shown = shown.sign() * shown.abs().sqrt()
    largest = shown.abs().max().item()
    signed = bool((shown < 0).any())
    axes.imshow(shown, cmap="RdBu_r" if signed else "viridis", vmin=-largest if signed else 0, vmax=largest)
    axes.set(xticks=[], yticks=[], xlabel="key", ylabel="query", title=title)


@in_style
def accuracy_figure(panels: Mapping[str, Mapping[str, Sequence[float]]], names: Mapping[str, str]) -> Picture:
    """Top-1 accuracy, a panel a source, never on one axis: a dot a run, a line at the mean of several.

    Args:
        panels: for each panel's title, percent by variant: one number a run.
        names: how a variant is written.
    """
    figure = Picture(figsize=(2.6 * len(panels) + 1.6, 0.36 * len(names) + 0.9), layout="constrained")
    rows = {variant: len(names) - 1 - i for i, variant in enumerate(names)}
    for axes, (title, values) in zip(
        figure.subplots(1, len(panels), squeeze=False, sharey=True)[0], panels.items(), strict=True
    ):
        for variant, found in values.items():
            axes.plot(found, [rows[variant]] * len(found), "o", color=COLOURS[0], markersize=5, alpha=0.75)
            if len(found) > 1:
                mean = sum(found) / len(found)
                axes.plot([mean, mean], [rows[variant] - 0.3, rows[variant] + 0.3], color=COLOURS[1], linewidth=2)
        axes.set_yticks(list(rows.values()), list(names.values()))
        axes.set(title=title, xlabel="top-1 accuracy, %", ylim=(-0.6, len(names) - 0.4))
        axes.grid(axis="x", color=INK, alpha=0.25)
    figure.alt = f"Top-1 accuracy of {', '.join(names.values())}; panels: {', '.join(panels)}."
    return figure


@in_style
def recall_figure(
    panels: Mapping[str, Mapping[str, Sequence[Curve]]],
    label: str,
    bounds: Mapping[str, int] | None = None,
    colours_of: Sequence[str] = (),
) -> Picture:
    """What models reach with D pairs, a panel a size of head, a line a run: every seed is seen.

    Args:
        panels: for each panel's title, the runs of each kind of attention; kinds have one colour in all panels.
        label: of the vertical axis.
        bounds: for each panel, d: the line d / D is drawn, which no linear attention's mean weight can exceed.
        colours_of: kinds of another figure, in its order: those that stand here too keep their colours.
    """
    kinds = list(dict.fromkeys(kind for runs in panels.values() for kind in runs))
    colour = dict(zip(dict.fromkeys([*colours_of, *kinds]), COLOURS, strict=False))
    figure = Picture(figsize=(3.6 * len(panels), 3.4), layout="constrained")
    for axes, (title, runs) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        sizes = sorted({size for curves in runs.values() for curve in curves for size in curve})
        for kind, curves in runs.items():
            for i, curve in enumerate(curves):
                axes.plot(sizes, [curve[size] for size in sizes], "o-", color=colour[kind], linewidth=1, markersize=3,
                          label=kind if i == 0 else None)  # fmt: skip
        if bounds is not None:
            bound = [min(1.0, bounds[title] / size) for size in sizes]
            axes.plot(sizes, bound, "--", color=INK, label="d / D, the bound")
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set(title=title, xlabel="D, pairs to recall (logarithmic axis)", ylim=(-0.03, 1.05))
        axes.grid(color=INK, alpha=0.25)
    figure.axes[0].set_ylabel(label)
    figure.axes[0].legend(loc="lower left")  # a phone shows the first panel
    figure.alt = f"{label} against the number of pairs D; panels: {', '.join(panels)}; lines: {', '.join(kinds)}."
    return figure
