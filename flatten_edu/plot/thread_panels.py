"""Panels of the figure that opens chapters 1 to 8: the six patches, their vectors as arrows, and maps of 6 x 6."""

from functools import partial

import matplotlib
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from torch import Tensor

from flatten_edu.analysis import rank_summary
from flatten_edu.data import SixPatches
from flatten_edu.plot.strip import SMALLEST, panel
from flatten_edu.plot.style import INK, OF_KEYS, Picture

COLOURS = OF_KEYS  # a patch keeps its colour in every chapter, and in the lab where it is a key
KINDS = {"softmax": "softmax", "relu": "linear attention, ReLU", "focused": "linear attention, $f_3$"}
BLUES = matplotlib.colormaps["Blues"]
KIND_COLOURS = {"softmax": "#2088c9", "relu": "#818b98", "focused": "#dd6a1a"}


def photo_panel(cat: SixPatches) -> Picture:
    """The photograph cut into six, with each patch's name and two features."""
    return panel(partial(_photo, cat), 2.75)


def _photo(cat: SixPatches, axes: Axes) -> str:
    side, (rows, columns) = cat.pixels.shape[1], cat.grid
    gap = 0.36 * side  # below each patch, for its name and its numbers
    for i, name in enumerate(cat.names):
        x, y = i % columns * 1.06 * side, i // columns * (side + gap)
        axes.imshow(cat.pixels[i], extent=(x, x + side, y + side, y), interpolation="none")
        contrast, redness = cat.x[i].tolist()
        axes.text(x + side / 2, y + 1.05 * side, name, ha="center", va="top", color=COLOURS[i], weight="bold")
        axes.text(x + side / 2, y + 1.20 * side, f"({contrast:.2f}, {redness:.2f})", ha="center", va="top",
                  fontsize=SMALLEST)  # fmt: skip
    axes.set(xlim=(0, 1.06 * columns * side), ylim=(rows * (side + gap), 0), aspect="equal",
             title="(contrast, redness)")  # fmt: skip
    axes.set_axis_off()
    listed = "; ".join(f"{n} ({a:.2f}, {b:.2f})" for n, (a, b) in zip(cat.names, cat.x.tolist(), strict=True))
    return f"A cat's face cut into six patches, with the contrast and the redness of each: {listed}."


def arrows_panel(
    cat: SixPatches,
    vectors: Float[Tensor, "6 2"],
    title: str,
    before: Float[Tensor, "6 2"] | None = None,
    axis_names: tuple[str, str] = ("1st number", "2nd number"),
) -> Picture:
    """One arrow a patch in its colour; a dashed line where the arrow was before, if it was elsewhere."""
    return panel(partial(_arrows, cat, vectors, title, before, axis_names), 3.1)


def _arrows(
    cat: SixPatches, vectors: Tensor, title: str, before: Tensor | None, axis_names: tuple[str, str], axes: Axes
) -> str:
    for i, tip in enumerate(vectors):
        if before is not None:
            x, y = before[i].tolist()
            axes.plot([0, x], [0, y], "--", color=COLOURS[i], linewidth=1)
        axes.add_patch(FancyArrowPatch((0, 0), tip.tolist(), arrowstyle="-|>", mutation_scale=10, color=COLOURS[i],
                                       linewidth=1.8, shrinkA=0, shrinkB=0))  # fmt: skip
    shown = vectors if before is None else torch.cat([vectors, before])
    low, high = min(shown.min().item(), 0.0), shown.max().item()
    room = 0.12 * (high - low)
    _label_tips(axes, cat.names, vectors, high - low)
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.set(xlim=(low - room, high + 2.2 * room), ylim=(low - room, high + room), aspect="equal", title=title,
             xlabel=axis_names[0], ylabel=axis_names[1])  # fmt: skip
    axes.tick_params(labelsize=SMALLEST)
    axes.spines[["top", "right"]].set_visible(False)
    tips = "; ".join(f"{n} ({a:.2f}, {b:.2f})" for n, (a, b) in zip(cat.names, vectors.tolist(), strict=True))
    return f"{title.replace('$', '')}, as arrows: {tips}."


def _label_tips(axes: Axes, names: tuple[str, ...], vectors: Tensor, span: float) -> None:
    """Names beside the tips, from the top down; one that would cover another moves below it."""
    placed: list[tuple[float, float]] = []
    for i in vectors[:, 1].sort(descending=True, stable=True).indices.tolist():
        x, y = vectors[i].tolist()
        for other_x, other_y in placed:
            if abs(x - other_x) < 0.25 * span:
                y = min(y, other_y - 0.06 * span)
        placed.append((x, y))
        axes.annotate(names[i], (x, y), xytext=(6, 0), textcoords="offset points", color=COLOURS[i], weight="bold",
                      fontsize=SMALLEST)  # fmt: skip


def map_panel(cat: SixPatches, weights: Float[Tensor, "6 6"], title: str, percent: bool = True) -> Picture:
    """6 x 6 weights with their numbers: a row is a query, a column a key."""
    return panel(partial(_map, cat, weights, title, percent), 3.25)


def _map(cat: SixPatches, weights: Tensor, title: str, percent: bool, axes: Axes) -> str:
    largest = weights.abs().max().item()
    axes.imshow((0.8 * weights / largest).numpy(), cmap=BLUES, vmin=0, vmax=1)
    for i, row in enumerate(weights.tolist()):
        for j, weight in enumerate(row):
            text = f"{100 * weight:.0f}" if percent else f"{weight:.2f}".removeprefix("0") if weight else "0"
            axes.text(j, i, text, ha="center", va="center", color=on_blue(weight / largest))
    axes.set_yticks(range(6), cat.names)
    axes.set_xticks(range(6), cat.names, rotation=45, ha="right", rotation_mode="anchor")
    for i in range(6):
        axes.get_yticklabels()[i].set_color(COLOURS[i])
        axes.get_xticklabels()[i].set_color(COLOURS[i])
    axes.tick_params(length=0, labelsize=SMALLEST)
    axes.spines[:].set_visible(False)
    axes.set(title=title)
    rows = "; ".join(
        f"{name} {', '.join(f'{100 * w:.0f}' if percent else f'{w:.2f}' for w in row)}"
        for name, row in zip(cat.names, weights.tolist(), strict=True)
    )
    return f"{title.replace('$', '')}, a row for each of {', '.join(cat.names)}: {rows}."


def on_blue(share: float) -> str:
    """The colour of a number that can be read on its cell."""
    return "white" if share > 0.7 else "#1f2328"


def bars_panel(cat: SixPatches, rows: dict[str, Float[Tensor, " 6"]], title: str) -> Picture:
    """One query's weights by several kinds, for each key a bar a kind."""
    return panel(partial(_bars, cat, rows, title), 3.25)


def _bars(cat: SixPatches, rows: dict[str, Tensor], title: str, axes: Axes) -> str:
    thickness = 0.8 / len(rows)
    for i, (kind, weights) in enumerate(rows.items()):
        places = [j + (i - (len(rows) - 1) / 2) * thickness for j in range(6)]
        axes.barh(places, (100 * weights).tolist(), thickness * 0.92, color=KIND_COLOURS[kind], label=KINDS[kind])
    axes.set_yticks(range(6), cat.names)
    axes.invert_yaxis()
    axes.set(title=title, xlabel="weight, %")
    axes.tick_params(labelsize=SMALLEST)
    axes.spines[["top", "right"]].set_visible(False)
    axes.figure.legend(frameon=False, fontsize=SMALLEST, loc="outside lower left")
    listed = "; ".join(
        f"{kind}: {', '.join(f'{100 * w:.0f}' for w in weights.tolist())}" for kind, weights in rows.items()
    )
    return f"{title}, in percent, for {', '.join(cat.names)}. {listed}."


def spectrum_panel(maps: dict[str, Float[Tensor, "6 6"]], title: str) -> Picture:
    """The six singular values of each map."""
    return panel(partial(_spectrum, maps, title), 2.9)


def _spectrum(maps: dict[str, Tensor], title: str, axes: Axes) -> str:
    palette = [*KIND_COLOURS.values()]
    listed = []
    for i, (name, one) in enumerate(maps.items()):
        summary = rank_summary(one)
        values = summary.values.where(summary.values > 1e-12, 0.0)
        places = [j + 1 + (i - (len(maps) - 1) / 2) * 0.36 for j in range(6)]
        axes.bar(places, values.tolist(), 0.34, color=palette[i], label=f"{KINDS[name]}: rank {summary.rank}")
        listed.append(f"{name}, rank {summary.rank}: {', '.join(f'{v:.2f}' for v in values.tolist())}")
    axes.set(title=title, xlabel="singular value, from the largest", xticks=range(1, 7))
    axes.tick_params(labelsize=SMALLEST)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=SMALLEST)
    return f"{title}. {'; '.join(listed)}."
