"""The still picture of the lab `focus`: what a reader sees without JavaScript, on paper, and before the lab starts."""

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from torch import Tensor

from flatten_edu.functional import focused_map, linear_weights, softmax_weights
from flatten_edu.plot.style import Picture, in_style

# The labs' colours of q and k1..k6; dark enough on white and light enough on black for a picture that serves both.
COLOURS = ["#7a828c", "#2088c9", "#dd6a1a", "#12a07a", "#c7659f", "#a58300", "#7a6fe0"]


@in_style
def focus_figure(query: Float[Tensor, "2"], keys: Float[Tensor, "m 2"], p: int | float) -> Picture:
    """q and its keys before (dashed) and after f_p (solid), and q's attention over the keys by three kinds."""
    figure = Picture(figsize=(7.2, 3.6), layout="constrained")
    plane, bars = figure.subplots(1, 2, width_ratios=[1, 1.15])
    _draw_vectors(plane, query, keys, p)
    _draw_weights(bars, query, keys, p)
    figure.alt = (
        f"A query and {len(keys)} keys in the plane before and after f_p at p = {p:g}, and the query's attention over "
        "the keys by plain linear, focused and softmax attention."
    )
    return figure


def _draw_vectors(axes: Axes, query: Tensor, keys: Tensor, p: int | float) -> None:
    for colour, name, before in zip(COLOURS, _names(keys), [query, *keys], strict=False):
        after = focused_map(before, p)
        axes.plot([0, before[0]], [0, before[1]], "--", color=colour, linewidth=1)
        axes.plot(*before, "o", color=colour, markersize=5)
        axes.annotate(name, before.tolist(), xytext=(5, 3), textcoords="offset points", color=colour, weight="bold")
        axes.add_patch(FancyArrowPatch((0, 0), after.tolist(), arrowstyle="-|>", mutation_scale=11, color=colour,
                                       linewidth=2, shrinkA=0, shrinkB=0))  # fmt: skip
    reach = 1.08 * max(float(v.norm()) for v in [query, *keys])
    low = min(-0.05 * reach, 1.08 * min(float(v.min()) for v in [query, *keys]))
    axes.set(xlim=(low, reach), ylim=(low, reach), aspect="equal",
             title=f"before (dashed) and after $f_p$, p = {p:g}")  # fmt: skip
    axes.spines[["top", "right"]].set_visible(False)


def _draw_weights(axes: Axes, query: Tensor, keys: Tensor, p: int | float) -> None:
    q = query[None]
    rows = {
        "linear, p = 1": linear_weights(focused_map(q, 1.0), focused_map(keys, 1.0))[0],
        f"focused, p = {p:g}": linear_weights(focused_map(q, p), focused_map(keys, p))[0],
        "softmax": softmax_weights(q, keys)[0],
    }
    for i, weights in enumerate(rows.values()):
        for j, weight in enumerate(weights.tolist()):
            height = -i - j / (len(weights) + 1.5)
            axes.barh(height, weight, height=0.8 / (len(weights) + 1.5), color=COLOURS[j + 1])
            axes.annotate(
                f"{weight:.3f}", (weight, height), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7
            )
    axes.set(xlim=(0, 1), title="attention of q over the keys")
    axes.set_yticks([-i - 0.28 for i in range(len(rows))], list(rows))
    axes.spines[["top", "right"]].set_visible(False)


def _names(keys: Tensor) -> list[str]:
    return ["q", *(f"$k_{i + 1}$" for i in range(len(keys)))]
