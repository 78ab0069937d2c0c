"""The still picture of the lab `proof`: a pair's entries under the power, and the cosine of its angle against p."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from flatten_edu.analysis import focused_cosine, proposition
from flatten_edu.analysis.proposition import LARGEST_P
from flatten_edu.plot.style import INK, Picture, in_style

COLOURS = {"x": "#2088c9", "y": "#dd6a1a"}
CURVE = "#12a07a"


@in_style
def proof_figure(x: Float[Tensor, " d"], y: Float[Tensor, " d"], p: int | float) -> Picture:
    """What the power leaves of each entry beside the largest, and the cosine against p."""
    figure = Picture(figsize=(7.2, 3.2), layout="constrained")
    bars, curve = figure.subplots(1, 2, width_ratios=[0.75, 1.25])
    _draw_entries(bars, x, y, p)
    _draw_cosine(curve, x, y, p)
    figure.alt = (
        f"Two vectors of {len(x)} entries under the power p = {p:g}, and the cosine of the angle between f_p of them "
        "for p from 1 to 256, with its value at p = 1 and the values of p where Proposition 1's inequality fails."
    )
    return figure


def _draw_entries(axes: Axes, x: Tensor, y: Tensor, p: int | float) -> None:
    for offset, (name, vector) in zip([-0.2, 0.2], {"x": x, "y": y}.items(), strict=True):
        places = np.arange(1, len(vector) + 1) + offset
        share = (vector / vector.max() if vector.max() > 0 else vector).detach().cpu().numpy()
        axes.bar(places, share, 0.36, fill=False, edgecolor=COLOURS[name])
        axes.bar(places, share**p, 0.36, color=COLOURS[name], label=f"${name}$")
    axes.set(xticks=np.arange(1, len(x) + 1), ylim=(0, 1.25), title=f"entry / largest, and its power p = {p:g}")
    axes.legend(frameon=False, ncols=2, loc="upper center")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_cosine(axes: Axes, x: Tensor, y: Tensor, p: int | float) -> None:
    if not (x.any() and y.any()):
        axes.set_axis_off()
        return
    factors = np.geomspace(1, LARGEST_P, 200)
    for i, (start, end) in enumerate(proposition(x, y).fails):
        label = "fails" if i == 0 else None
        axes.axvspan(start, end, facecolor="none", edgecolor=COLOURS["y"], hatch="///", alpha=0.35, label=label)
    axes.axhline(focused_cosine(x, y, 1.0), linestyle="--", color=INK, linewidth=1, label="as at p = 1")
    axes.plot(factors, [focused_cosine(x, y, float(factor)) for factor in factors], color=CURVE, linewidth=2)
    axes.plot(p, focused_cosine(x, y, p), "o", color=CURVE)
    axes.set_xscale("log", base=2)
    axes.set(xlim=(1, LARGEST_P), ylim=(-0.02, 1.05), xlabel="p", title="cosine of the angle after $f_p$")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.legend(frameon=False, loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)
