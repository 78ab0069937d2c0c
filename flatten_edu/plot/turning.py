"""How fast f_p turns a direction of the plane, and what this does to the angle between two of them."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from flatten_edu.plot.strip import SMALLEST, Strip, panel
from flatten_edu.plot.style import INK
from flatten_edu.plot.trained import COLOURS


def turning_speed(t: float) -> float:
    """Degrees per unit of p, at p = 1, at which (1, t) turns towards its axis: the size of t ln t / (1 + t^2)."""
    return math.degrees(-t * math.log(t) / (1 + t * t)) if t > 0 else 0.0


def turning_figure(pairs: Sequence[tuple[float, float]]) -> Strip:
    """The speed against the angle to the axis, with pairs (1, t), (1, u) on it: arrows grow apart or together.

    Args:
        pairs: the ratios t and u of each pair, from 0 to below 1.
    """
    return Strip([panel(partial(_draw, pairs), 3.3)])


def _draw(pairs: Sequence[tuple[float, float]], axes: Axes) -> str:
    angles = np.linspace(0, 45, 181)
    axes.plot(angles, [turning_speed(math.tan(math.radians(a))) for a in angles], color=INK, linewidth=1.5)
    fastest = max(angles, key=lambda a: turning_speed(math.tan(math.radians(a))))
    axes.axvline(fastest, color=INK, linewidth=0.8, linestyle=":")
    told = []
    for pair, colour in zip(pairs, COLOURS, strict=False):
        nearer, further = sorted(pair)
        apart = turning_speed(nearer) > turning_speed(further)
        at = [math.degrees(math.atan(t)) for t in (nearer, further)]
        name = f"{nearer:.2f} and {further:.2f}: {'apart' if apart else 'closer'}"
        axes.plot(at, [turning_speed(nearer), turning_speed(further)], "o-", color=colour, label=name, linewidth=1.8)
        told.append(name)
    axes.set(xlabel="angle to the axis, degrees", ylabel="degrees per unit of p", xlim=(0, 46), ylim=(0, 30),
             title="how fast (1, t) turns, at p = 1")  # fmt: skip
    axes.set_xticks([0, 10, round(fastest, 1), 30, 45])
    axes.tick_params(labelsize=SMALLEST)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=SMALLEST, loc="upper right")
    return (
        f"The speed at which f_p turns a direction towards its axis is largest at {fastest:.1f} degrees, and 0 on the "
        f"axis and on the diagonal. Pairs, by their ratios: {'; '.join(told)}."
    )
