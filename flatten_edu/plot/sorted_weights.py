"""How a row's weight is spread over its keys: the largest first, the mean over rows."""

from collections.abc import Mapping
from functools import partial

from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from flatten_edu.plot.strip import SMALLEST, Strip, panel
from flatten_edu.plot.style import INK
from flatten_edu.plot.trained import COLOURS


def sorted_weights_figure(panels: Mapping[str, Mapping[str, Float[Tensor, "*rows n"]]]) -> Strip:
    """A panel for each title: for each named map the mean of its rows' sorted weights, and the even row beside it.

    Args:
        panels: title, and by name the weights; the last dimension runs over the keys, all others are averaged.
    """
    return Strip([panel(partial(_draw, title, maps), 2.9) for title, maps in panels.items()])


def _draw(title: str, maps: Mapping[str, Tensor], axes: Axes) -> str:
    told = []
    for (name, weights), colour in zip(maps.items(), COLOURS, strict=False):
        rows = weights.detach().cpu().flatten(0, -2).sort(descending=True).values.mean(0)
        axes.plot(range(1, len(rows) + 1), rows.tolist(), color=colour, linewidth=1.8, label=name)
        told.append(f"{name} from {rows[0]:.3f} to {rows[-1]:.1g}")
    even = 1 / len(rows)
    axes.axhline(even, color=INK, linewidth=0.9, linestyle=":", label="all alike")
    axes.set(yscale="log", title=title, xlabel="keys, the largest weight first", ylabel="weight", ylim=(even / 300, 1))
    axes.tick_params(labelsize=SMALLEST)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=SMALLEST)
    return f"{title}: mean weights of a row, the largest first: {'; '.join(told)}; an even row has {even:.4f}."
