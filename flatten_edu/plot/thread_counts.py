"""Panels of the figure that opens chapters 1 to 8 where it counts: finer patches, pairs, and a state of 2 x 2."""

from functools import partial

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from flatten_edu.data import SixPatches
from flatten_edu.plot.strip import SMALLEST, panel
from flatten_edu.plot.style import INK, Picture
from flatten_edu.plot.thread_panels import BLUES, COLOURS, KIND_COLOURS, on_blue


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
        axes.add_patch(Rectangle((left, 0), n, n, color=KIND_COLOURS["softmax"]))
        axes.text(left + n / 2, -3, f"{n} tokens\n{n * n:,} pairs", ha="center", va="top")
        left += max(n, 36) + 10
    axes.set(xlim=(-16, left), ylim=(-26, 98), aspect="equal", title="weights, one for each pair, to scale")
    axes.set_axis_off()
    return "Squares to scale: 6 tokens have 36 pairs, 24 have 576, 96 have 9,216."


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
                axes.text(left + column, top + row, f"{number:.2f}", ha="center", va="center", color=on_blue(share))
    axes.set(xlim=(-0.8, 7.8), ylim=(5.2, -1.4), aspect="equal", title=r"the state $S=\phi(K)^\top V$ as tokens arrive")
    axes.set_axis_off()
    last = ", ".join(f"{number:.2f}" for number in states[-1].flatten().tolist())
    return f"A state of two by two numbers after each of the six tokens; at the end it holds {last}."
