"""The still picture of the lab `precision`: every tensor of the module against what a number format can hold."""

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from flatten_edu.analysis import Fixes, focused_steps, output_error, stored_range
from flatten_edu.plot.style import Picture, in_style

STORED, OVER, UNDER, BAND, SUBNORMAL = "#2088c9", "#dd6a1a", "#a58300", "#2088c926", "#a5830026"
LOW, HIGH = 1e-20, 1e12
TITLES = {
    "input": "{}", "relu": "ReLU({}) + $10^{{-6}}$", "scaled": "{} ÷ scale", "norm": "norm of {}",
    "unit": "{} ÷ row maximum", "power": "{}$^p$", "power_norm": "norm of {}$^p$", "phi": "{} turned", "small": "{}/√N",
    "key_sum": "sum of the keys", "similarity": "q · Σk + $10^{{-6}}$", "inverse": "its inverse", "kv": "$K^T V$",
    "numerator": "$q\\,(K^T V)$", "out": "output",
}  # fmt: skip


@in_style
def precision_figure(
    q: Float[Tensor, "n d"], k: Float[Tensor, "m d"], v: Float[Tensor, "m e"], dtype: str, p: int, fixes: Fixes
) -> Picture:
    """One line a tensor of `focused_steps`: its stored range, and the part of its true range that the format loses."""
    stored, exact = (focused_steps(q, k, v, dtype, p, fixes, exact=exact) for exact in (False, True))
    figure = Picture(figsize=(7.2, 0.5 + 0.19 * len(stored)), layout="constrained")
    axes = figure.subplots()
    format = "fp32" if fixes.whole else dtype
    _draw_band(axes, format)
    for height, name in enumerate(stored):
        _draw_line(axes, -height, stored[name], exact[name], format)
    axes.set(
        xscale="log",
        xlim=(LOW, HIGH),
        ylim=(0.7 - len(stored), 0.7),
        xlabel=f"size of the entries, and {format}'s range",
    )
    axes.set_yticks([-i for i in range(len(stored))], [_title(name) for name in stored], fontsize=7)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    error = output_error(stored["out"], exact["out"])
    result = "holds NaN or Inf" if error != error else f"is off by at most {100 * error:.2g} % of its largest entry"
    figure.alt = (
        f"The tensors of focused attention at p = {p}, step by step, each with the range of its entries against what "
        f"{format} can hold. The output {result}."
    )
    return figure


def _limits(format: str) -> tuple[float, float, float]:
    info = torch.finfo({"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}[format])
    return info.smallest_normal * info.eps, info.smallest_normal, info.max


def _draw_band(axes: Axes, format: str) -> None:
    subnormal, normal, largest = _limits(format)
    axes.axvspan(max(subnormal, LOW), max(normal, LOW), color=SUBNORMAL, linewidth=0)
    axes.axvspan(max(normal, LOW), min(largest, HIGH), color=BAND, linewidth=0)


def _draw_line(axes: Axes, height: float, stored: Tensor, exact: Tensor, format: str) -> None:
    subnormal, _, largest = _limits(format)
    found, wanted = stored_range(stored, exact), stored_range(exact, exact)
    axes.plot([wanted.smallest, wanted.largest], [height] * 2, color="#7a828c", linewidth=1)
    if wanted.smallest < subnormal:
        axes.plot([wanted.smallest, min(subnormal, wanted.largest)], [height] * 2, ":", color=UNDER, linewidth=3)
    if wanted.largest > largest:
        axes.plot([max(largest, wanted.smallest), wanted.largest], [height] * 2, color=OVER, linewidth=4)
    if found.largest == found.largest:
        axes.plot([found.smallest, found.largest], [height] * 2, color=STORED, linewidth=4, solid_capstyle="butt")
    lost = [("NaN", found.nan), ("Inf", found.overflowed), ("to zero", found.flushed)]
    text = ", ".join(f"{word} {_share(share)}" for word, share in lost if share)
    axes.text(1.01, height, text, transform=axes.get_yaxis_transform(), va="center", fontsize=7)


def _share(share: float) -> str:
    return "all" if share == 1 else f"{share:.1%}" if share >= 0.001 else f"1 in {round(1 / share):,}"


def _title(name: str) -> str:
    if name in TITLES:
        return TITLES[name].format()
    step, of = name.rsplit("_", 1)
    return TITLES[step].format(of)
