"""The still picture of the lab `timing`: seconds against N of a record, both logarithmic."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from flatten_edu.bench import fit_slope
from flatten_edu.plot.style import Picture, in_style

STYLES = {"softmax": ("#c7659f", "o"), "linear": ("#2088c9", "s"), "focused": ("#dd6a1a", "^")}
FIT_FROM = 196


@in_style
def timing_figure(record: dict[str, Any]) -> Picture:
    """Medians with their quartiles, and the slope of each variant from N = 196 on by least squares."""
    figure = Picture(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    slopes = {}
    for variant in STYLES:
        points = sorted((p for p in record["points"] if p["variant"] == variant and p["seconds"]), key=lambda p: p["n"])
        if points:
            slopes[variant] = _draw(axes, variant, points)
    axes.set(xscale="log", yscale="log", xlabel="N, tokens", ylabel="seconds")
    ticks = sorted({p["n"] for p in record["points"]})[::2]
    axes.set_xticks(ticks, ticks)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, labelcolor="linecolor")
    axes.set_title(f"measured on {record['device']['name']}, d = {record['settings']['head_dim']}")
    said = ", ".join(f"{variant} grows as N to the power {slope:.2f}" for variant, slope in slopes.items())
    figure.alt = f"Seconds against N, both logarithmic, measured on {record['device']['name']}: {said}."
    return figure


def _draw(axes: Axes, variant: str, points: list[dict[str, Any]]) -> float:
    colour, marker = STYLES[variant]
    n = [p["n"] for p in points]
    low, middle, high = np.quantile([p["seconds"] for p in points], [0.25, 0.5, 0.75], axis=1)
    fitted = fit_slope(dict(zip(n, middle, strict=True)), FIT_FROM)
    slope = fitted.exponent if fitted else float("nan")
    axes.errorbar(
        n, middle, [middle - low, high - middle], color=colour, marker=marker, markersize=4, linewidth=1.2,
        label=f"{variant}, slope {slope:.2f}",
    )  # fmt: skip
    return slope
