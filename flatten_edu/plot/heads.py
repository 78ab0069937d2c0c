"""What a map does to the length of each head's part of a vector."""

from collections.abc import Mapping
from functools import partial

from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from flatten_edu.plot.strip import SMALLEST, Strip, panel
from flatten_edu.plot.style import INK
from flatten_edu.plot.trained import COLOURS


def head_lengths_figure(before: Float[Tensor, "n h d"], after: Mapping[str, Float[Tensor, "n h d"]]) -> Strip:
    """A panel for each map: the length of each head of each vector before and after; on the diagonal it stays."""
    return Strip([panel(partial(_draw, title, before, mapped), 3.2) for title, mapped in after.items()])


def _draw(title: str, before: Tensor, after: Tensor, axes: Axes) -> str:
    old, new = before.norm(dim=-1), after.norm(dim=-1)
    for head, colour in zip(range(old.shape[1]), COLOURS, strict=False):
        axes.plot(old[:, head].tolist(), new[:, head].tolist(), "o", color=colour, markersize=3, alpha=0.6,
                  label=f"head {head + 1}")  # fmt: skip
    low, high = 0.9 * min(old.min(), new.min()).item(), 1.05 * max(old.max(), new.max()).item()
    axes.plot([low, high], [low, high], color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal", title=title, xlabel="length of the head before",
             ylabel="after")  # fmt: skip
    axes.tick_params(labelsize=SMALLEST)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=SMALLEST, loc="upper left")
    ratio = new / old
    return f"{title}: a head's length after the map is {ratio.min():.2f} to {ratio.max():.2f} times that before."
