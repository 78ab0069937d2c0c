"""The still picture of the lab `sharpness`: one query's weights by three kinds, and their entropy against the scale."""

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from flatten_edu.analysis import crossing_scale, entropy_bits, scaled_softmax_weights
from flatten_edu.functional import focused_map, linear_weights
from flatten_edu.plot.style import Picture, in_style

COLOURS = {"softmax": "#2088c9", "linear": "#818b98", "focused": "#dd6a1a"}


@in_style
def sharpness_figure(
    q: Float[Tensor, " d"], k: Float[Tensor, "n d"], scale: float, p: int | float, divide: bool
) -> Picture:
    """Weights with q and every key multiplied by `scale`; entropies for scales from 1/8 to 8, and where they cross."""
    q, k = q.double(), k.double()
    rows = {
        "softmax": scaled_softmax_weights(q, k, scale, divide),
        "linear": linear_weights(q.relu()[None], k.relu())[0],
        "focused": linear_weights(focused_map(q[None], p), focused_map(k, p))[0],
    }
    figure = Picture(figsize=(7.2, 3.2), layout="constrained")
    bars, curve = figure.subplots(1, 2)
    _draw_weights(bars, rows, scale)
    crossing = _draw_entropy(curve, q, k, rows, scale, divide)
    figure.alt = (
        f"A query's attention over {len(k)} keys by softmax, linear and focused attention at p = {p:g}. As the scale "
        "of q and the keys grows, softmax's entropy falls and the others stay; softmax is sharper than focused "
        f"attention above a scale of {crossing:.2g}."
    )
    return figure


def _draw_weights(axes: Axes, rows: dict[str, Tensor], scale: float) -> None:
    few = len(rows["softmax"]) <= 12
    for i, (name, weights) in enumerate(rows.items()):
        shown = weights if few else weights.sort(descending=True).values
        places = torch.arange(len(shown)) + (i - 1) * 0.27 if few else torch.arange(len(shown))
        draw = axes.bar if few else axes.plot
        draw(places.tolist(), shown.tolist(), **({"width": 0.25} if few else {}), color=COLOURS[name], label=name)
    axes.set(title=f"attention of q at scale {scale:g}", xlabel="keys" if few else "keys, largest weight first")
    if few:
        axes.set_xticks(range(len(rows["softmax"])), [f"$k_{j + 1}$" for j in range(len(rows["softmax"]))])
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_entropy(axes: Axes, q: Tensor, k: Tensor, rows: dict[str, Tensor], scale: float, divide: bool) -> float:
    scales = [2 ** (i / 16 - 3) for i in range(97)]
    falling = [entropy_bits(scaled_softmax_weights(q, k, s, divide)).item() for s in scales]
    axes.plot(scales, falling, color=COLOURS["softmax"], linewidth=2)
    for name, style in {"linear": "--", "focused": "-"}.items():
        axes.axhline(entropy_bits(rows[name]).item(), color=COLOURS[name], linestyle=style, linewidth=2)
    axes.axvline(scale, color="#7a828c", linewidth=1)
    focused = entropy_bits(rows["focused"]).item()
    crossing = crossing_scale(q, k, focused, divide)
    if scales[0] <= crossing <= scales[-1]:
        axes.plot(crossing, focused, "o", markersize=9, fillstyle="none", color="#7a828c")
        axes.annotate(f"s = {crossing:.2g}", (crossing, focused), xytext=(8, 6), textcoords="offset points")
    axes.set_xscale("log", base=2)
    axes.set_xticks([1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8], ["1/8", "1/4", "1/2", "1", "2", "4", "8"])
    axes.set(title="entropy in bits", xlabel="s, the scale of q and of every key", ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    return crossing
