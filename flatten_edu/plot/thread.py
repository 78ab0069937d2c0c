"""The figure that opens chapters 1 to 8: the same six patches, each time with the step that the chapter adds."""

from collections.abc import Callable
from functools import partial

import matplotlib
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import Tensor

from flatten_edu.analysis import rank_summary
from flatten_edu.data import SixPatches, six_patches
from flatten_edu.functional import attention_matrix, dwc_matrix, focused_map
from flatten_edu.plot.flow import flow_panels
from flatten_edu.plot.strip import SMALLEST, Strip, panel
from flatten_edu.plot.style import INK, OF_KEYS, Picture

COLOURS = OF_KEYS  # a patch keeps its colour in every chapter, and in the lab where it is a key
KINDS = {"softmax": "softmax", "relu": "linear attention, ReLU", "focused": "linear attention, $f_3$"}
BLUES = matplotlib.colormaps["Blues"]
_KIND_COLOURS = {"softmax": "#2088c9", "relu": "#818b98", "focused": "#dd6a1a"}


def thread_figure(step: str) -> Strip:
    """The six patches at one of the book's steps.

    Raises:
        ValueError: an unknown step; the known ones are listed.
    """
    if step not in STEPS:
        raise ValueError(f"thread_figure knows the steps {', '.join(STEPS)}, got {step!r}")
    return Strip(STEPS[step](six_patches()))


# Panels. Each draws on its axes and returns the sentence that stands for the picture.


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
            axes.plot([0, before[i, 0]], [0, before[i, 1]], "--", color=COLOURS[i], linewidth=1)
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
            axes.text(j, i, text, ha="center", va="center", color=_on_blue(weight / largest))
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


def _on_blue(share: float) -> str:
    """The colour of a number that can be read on its cell."""
    return "white" if share > 0.7 else "#1f2328"


def bars_panel(cat: SixPatches, rows: dict[str, Float[Tensor, " 6"]], title: str) -> Picture:
    """One query's weights by several kinds, for each key a bar a kind."""
    return panel(partial(_bars, cat, rows, title), 3.25)


def _bars(cat: SixPatches, rows: dict[str, Tensor], title: str, axes: Axes) -> str:
    thickness = 0.8 / len(rows)
    for i, (kind, weights) in enumerate(rows.items()):
        places = [j + (i - (len(rows) - 1) / 2) * thickness for j in range(6)]
        axes.barh(places, (100 * weights).tolist(), thickness * 0.92, color=_KIND_COLOURS[kind], label=KINDS[kind])
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
    palette = [*_KIND_COLOURS.values()]
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


# Chapter 2: the same photograph, cut finer and finer.


def cut_panel(cat: SixPatches) -> Picture:
    """The photograph in 6, 24 and 96 patches."""
    return panel(partial(_cut, cat), 1.25)


def _cut(cat: SixPatches, axes: Axes) -> str:
    photo = cat.photo
    height, width = photo.shape[:2]
    for i, times in enumerate([1, 2, 4]):
        left = i * 1.12 * width
        axes.imshow(photo, extent=(left, left + width, height, 0))
        for j in range(3 * times + 1):
            axes.plot([left + j * width / (3 * times)] * 2, [0, height], color="#ffffff", linewidth=0.8)
        for j in range(2 * times + 1):
            axes.plot([left, left + width], [j * height / (2 * times)] * 2, color="#ffffff", linewidth=0.8)
        axes.text(left + width / 2, 1.08 * height, f"{6 * times**2} patches", ha="center", va="top")
    axes.set(xlim=(0, 3.24 * width), ylim=(1.45 * height, 0), aspect="equal")
    axes.set_axis_off()
    return "The photograph cut into 6, into 24 and into 96 patches."


def pairs_panel() -> Picture:
    """Maps of 6, 24 and 96 tokens, to one scale."""
    return panel(_pairs, 2.9)


def _pairs(axes: Axes) -> str:
    left = 0.0
    for n in (6, 24, 96):
        axes.add_patch(Rectangle((left, 0), n, n, color=_KIND_COLOURS["softmax"]))
        axes.text(left + n / 2, -3, f"{n} tokens\n{n * n:,} pairs", ha="center", va="top")
        left += max(n, 36) + 10
    axes.set(xlim=(-16, left), ylim=(-26, 98), aspect="equal", title="weights, one for each pair, to scale")
    axes.set_axis_off()
    return "Squares to scale: 6 tokens have 36 pairs, 24 have 576, 96 have 9,216."


# Chapter 3: two numbers a token, and what the brackets hold.


def table_panel(cat: SixPatches, tables: dict[str, Float[Tensor, "6 2"]], title: str) -> Picture:
    """Small tables of two columns side by side, a row a patch."""
    return panel(partial(_tables, cat, tables, title), 2.6)


def _tables(cat: SixPatches, tables: dict[str, Tensor], title: str, axes: Axes) -> str:
    for t, (name, table) in enumerate(tables.items()):
        axes.text(2.6 * t + 0.5, -0.9, name, ha="center")
        for i, row in enumerate(table.tolist()):
            for j, number in enumerate(row):
                axes.add_patch(Rectangle((2.6 * t + j - 0.5, i - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=0.5))
                axes.text(2.6 * t + j, i, f"{number:.2f}", ha="center", va="center", fontsize=SMALLEST)
    axes.set_yticks(range(6), cat.names)
    for i, label in enumerate(axes.get_yticklabels()):
        label.set_color(COLOURS[i])
    axes.set(xlim=(-0.6, 2.6 * len(tables) - 1), ylim=(5.6, -1.5), title=title, xticks=[])
    axes.tick_params(length=0, labelsize=SMALLEST)
    axes.spines[:].set_visible(False)
    return f"{title.replace('$', '')}: tables of two numbers for each of the six patches."


def state_panel(cat: SixPatches) -> Picture:
    """Six tokens poured one after the other into a state of 2 x 2 numbers: what it holds after each."""
    return panel(partial(_state, cat), 2.6)


def _state(cat: SixPatches, axes: Axes) -> str:
    states = (cat.k.relu()[:, :, None] * cat.v[:, None, :]).cumsum(0)
    for i, state in enumerate(states):
        left, top = i % 3 * 3.0, i // 3 * 3.4
        axes.text(left + 0.5, top - 0.85, f"+ {cat.names[i]}", ha="center", color=COLOURS[i], weight="bold",
                  fontsize=SMALLEST)  # fmt: skip
        for row in range(2):
            for column in range(2):
                number = state[row, column].item()
                share = number / states.max().item()
                axes.add_patch(Rectangle((left + column - 0.5, top + row - 0.5), 1, 1, facecolor=BLUES(0.8 * share)))
                axes.text(left + column, top + row, f"{number:.2f}", ha="center", va="center", color=_on_blue(share))
    axes.set(xlim=(-0.8, 7.8), ylim=(5.2, -1.4), aspect="equal", title=r"the state $S=\phi(K)^\top V$ as tokens arrive")
    axes.set_axis_off()
    last = ", ".join(f"{number:.2f}" for number in states[-1].flatten().tolist())
    return f"A state of two by two numbers after each of the six tokens; at the end it holds {last}."


# The steps.


def _weights(cat: SixPatches, kind: str) -> Tensor:
    return attention_matrix(cat.q, cat.k, kind)


def _map_of(cat: SixPatches, kind: str) -> Picture:
    return map_panel(cat, _weights(cat, kind), f"{KINDS[kind]}: weights, %")


def _outputs(cat: SixPatches, kind: str) -> Tensor:
    return _weights(cat, kind) @ cat.v


_FEATURES = ("contrast", "redness")


def _dwc(cat: SixPatches) -> list[Picture]:
    m = dwc_matrix(cat.kernel, cat.grid)
    out = _outputs(cat, "focused")
    return [
        map_panel(cat, m, "the convolution's matrix", percent=False),
        arrows_panel(cat, out + m @ cat.v, "outputs with the convolution", axis_names=_FEATURES),
    ]


STEPS: dict[str, Callable[[SixPatches], list[Picture]]] = {
    "patches": lambda cat: [photo_panel(cat), arrows_panel(cat, cat.x, "patches", axis_names=_FEATURES)],
    "queries and keys": lambda cat: [arrows_panel(cat, cat.q, "queries q"), arrows_panel(cat, cat.k, "keys k")],
    "softmax": lambda cat: [
        _map_of(cat, "softmax"),
        arrows_panel(cat, _outputs(cat, "softmax"), "outputs (solid), values (dashed)", cat.v, _FEATURES),
    ],
    "cut": lambda cat: [cut_panel(cat)],
    "pairs": lambda cat: [pairs_panel()],
    "brackets": lambda cat: [
        _map_of(cat, "softmax"),
        table_panel(cat, {r"$\phi(Q)$": cat.q.relu(), r"$\phi(K)$": cat.k.relu(), "$V$": cat.v}, "two numbers each"),
    ],
    "state": lambda cat: [
        state_panel(cat),
        arrows_panel(cat, _outputs(cat, "relu"), "outputs (solid), values (dashed)", cat.v, _FEATURES),
    ],
    "flat": lambda cat: [
        _map_of(cat, "relu"),
        bars_panel(cat, {kind: _weights(cat, kind)[0] for kind in ("softmax", "relu")}, "the left eye's weights"),
    ],
    "same rows": lambda cat: [
        _map_of(cat, "relu"),
        arrows_panel(cat, cat.q.relu(), "queries before (dashed), after ReLU", cat.q),
    ],
    "rank": lambda cat: [
        spectrum_panel({kind: _weights(cat, kind) for kind in ("softmax", "relu")}, "singular values"),
        arrows_panel(cat, _outputs(cat, "relu"), "outputs of linear attention", axis_names=_FEATURES),
    ],
    "unturned": lambda cat: [
        arrows_panel(cat, cat.k, "keys after ReLU"),
        bars_panel(cat, {kind: _weights(cat, kind)[0] for kind in ("softmax", "relu")}, "the left eye's weights"),
    ],
    "turned": lambda cat: [
        arrows_panel(cat, focused_map(cat.k, 3), "keys before (dashed), after $f_3$", cat.k),
        bars_panel(cat, {kind: _weights(cat, kind)[0] for kind in KINDS}, "the left eye's weights"),
    ],
    "focused": lambda cat: [
        _map_of(cat, "focused"),
        arrows_panel(cat, _outputs(cat, "focused"), "outputs", axis_names=_FEATURES),
    ],
    "convolution": _dwc,
    "module": lambda cat: flow_panels(),
}
