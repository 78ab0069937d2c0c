"""Small figures of attention's numbers: singular values, sorted weights, lengths of heads, and how f_p turns."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from flatten_edu.plot.style import COLOURS, INK, Strip, panel


def ellipse_figure(matrices: Mapping[str, Float[Tensor, "2 2"]]) -> Strip:
    """What each matrix makes of the unit circle, with the ellipse's half-axes and their lengths."""
    return Strip([_ellipse(title, matrix.double()) for title, matrix in matrices.items()])


@panel(3.1)
def _ellipse(axes: Axes, title: str, matrix: Tensor) -> str:
    angles = torch.linspace(0, 2 * torch.pi, 181, dtype=torch.float64)
    circle = torch.stack([angles.cos(), angles.sin()])
    u, values, _ = torch.linalg.svd(matrix)
    axes.plot(*circle, color=INK, linewidth=1, linestyle="--")
    axes.plot(*(matrix @ circle), color=COLOURS[0], linewidth=1.8)
    for i, value in enumerate(values.tolist()):
        end = u[:, i] * value * (1 if u[0, i] >= 0 else -1)
        axes.plot([0, end[0]], [0, end[1]], color=COLOURS[1], linewidth=1.8)
        beside = (6, 2 - 12 * i) if value >= 1 else (24, -16)  # not on the circle
        axes.annotate(rf"$\sigma_{i + 1} = {value:.2f}$", end.tolist(), xytext=beside,
                      textcoords="offset points", color=COLOURS[1])  # fmt: skip
    reach = 1.15 * max(1.0, values[0].item())
    axes.set(xlim=(-reach, 1.45 * reach), ylim=(-reach, reach), aspect="equal", title=title)
    listed = " and ".join(f"{value:.2f}" for value in values.tolist())
    return f"{title}: the unit circle becomes an ellipse with half-axes of {listed}."


def approximation_error(maps: Float[Tensor, "*batch n n"]) -> Float[Tensor, "*batch n"]:
    """By rank r from 0 to n - 1: the smallest error that a matrix of rank r can have, over the map's Frobenius norm.

    The root of the sum of the squared singular values after the r-th (Eckart and Young), over that of all.
    """
    squares = torch.linalg.svdvals(maps).square()
    left_out = squares.flip(-1).cumsum(-1).flip(-1)
    return (left_out / left_out[..., :1]).sqrt()


def approximation_figure(maps: Mapping[str, Float[Tensor, "*batch n n"]], at: int) -> Strip:
    """The error of the best approximation of each rank, as a share of the map's Frobenius norm; the mean of a batch."""
    return Strip([_errors(maps, at)])


@panel(3.1)
def _errors(axes: Axes, maps: Mapping[str, Tensor], at: int) -> str:
    told = []
    for (name, one), colour in zip(maps.items(), COLOURS, strict=False):
        errors = approximation_error(one).flatten(0, -2).mean(0)
        axes.semilogy(range(len(errors)), (100 * errors).tolist(), color=colour, label=name, linewidth=1.8)
        told.append(f"{name} {errors[at]:.2%}")
    axes.axvline(at, color=INK, linewidth=0.9, linestyle=":", label=f"rank {at}")
    axes.set(title="error of the best approximation, %", xlabel="its rank", ylim=(1e-3, 150))
    axes.legend()
    return f"The error of the best approximation falls with its rank; at rank {at}: {', '.join(told)}."


def spectrum_figure(maps: Mapping[str, Float[Tensor, "n n"]]) -> Strip:
    """The singular values of each map on one logarithmic axis, each divided by its largest."""
    return Strip([_spectra(maps)])


@panel(3.1)
def _spectra(axes: Axes, maps: Mapping[str, Tensor]) -> str:
    told = []
    for (name, one), colour in zip(maps.items(), COLOURS, strict=False):
        values = torch.linalg.svdvals(one)
        shares = (values / values[0]).tolist()
        axes.semilogy(range(1, len(shares) + 1), shares, color=colour, label=name, linewidth=1.8)
        told.append(f"{name} ends at {shares[-1]:.0e}")
    axes.set(title="singular values, each over the largest", xlabel="from the largest", ylim=(1e-10, 3))
    axes.legend()
    return f"Singular values on a logarithmic axis, each divided by the largest: {'; '.join(told)}."


def sorted_weights_figure(panels: Mapping[str, Mapping[str, Float[Tensor, "*rows n"]]]) -> Strip:
    """A panel for each title: for each named map the mean of its rows' sorted weights, and the even row beside it.

    Args:
        panels: title, and by name the weights; the last dimension runs over the keys, all others are averaged.
    """
    return Strip([_sorted_weights(title, maps) for title, maps in panels.items()])


@panel(2.9)
def _sorted_weights(axes: Axes, title: str, maps: Mapping[str, Tensor]) -> str:
    told = []
    for (name, weights), colour in zip(maps.items(), COLOURS, strict=False):
        rows = weights.detach().cpu().flatten(0, -2).sort(descending=True).values.mean(0)
        axes.plot(range(1, len(rows) + 1), rows.tolist(), color=colour, linewidth=1.8, label=name)
        told.append(f"{name} from {rows[0]:.3f} to {rows[-1]:.1g}")
    even = 1 / len(rows)
    axes.axhline(even, color=INK, linewidth=0.9, linestyle=":", label="all alike")
    axes.set(yscale="log", title=title, xlabel="keys, the largest weight first", ylabel="weight", ylim=(even / 300, 1))
    axes.legend()
    return f"{title}: mean weights of a row, the largest first: {'; '.join(told)}; an even row has {even:.4f}."


def head_lengths_figure(before: Float[Tensor, "n h d"], after: Mapping[str, Float[Tensor, "n h d"]]) -> Strip:
    """A panel for each map: the length of each head of each vector before and after; on the diagonal it stays."""
    return Strip([_head_lengths(title, before, mapped) for title, mapped in after.items()])


@panel(3.2)
def _head_lengths(axes: Axes, title: str, before: Tensor, after: Tensor) -> str:
    old, new = before.norm(dim=-1), after.norm(dim=-1)
    for head, colour in zip(range(old.shape[1]), COLOURS, strict=False):
        axes.plot(old[:, head].tolist(), new[:, head].tolist(), "o", color=colour, markersize=3, alpha=0.6,
                  label=f"head {head + 1}")  # fmt: skip
    low, high = 0.9 * min(old.min(), new.min()).item(), 1.05 * max(old.max(), new.max()).item()
    axes.plot([low, high], [low, high], color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal", title=title, xlabel="length of the head before",
             ylabel="after")  # fmt: skip
    axes.legend(loc="upper left")
    ratio = new / old
    return f"{title}: a head's length after the map is {ratio.min():.2f} to {ratio.max():.2f} times that before."


def turning_speed(t: float) -> float:
    """Degrees per unit of p, at p = 1, at which (1, t) turns towards its axis: the size of t ln t / (1 + t^2)."""
    return math.degrees(-t * math.log(t) / (1 + t * t)) if t > 0 else 0.0


def turning_figure(pairs: Sequence[tuple[float, float]]) -> Strip:
    """The speed against the angle to the axis, with pairs (1, t), (1, u) on it: arrows grow apart or together.

    Args:
        pairs: the ratios t and u of each pair, from 0 to below 1.
    """
    return Strip([_turning(pairs)])


@panel(3.3)
def _turning(axes: Axes, pairs: Sequence[tuple[float, float]]) -> str:
    angles = np.linspace(0, 45, 181)
    speeds = [turning_speed(math.tan(math.radians(a))) for a in angles]
    axes.plot(angles, speeds, color=INK, linewidth=1.5)
    fastest = angles[np.argmax(speeds)]
    axes.axvline(fastest, color=INK, linewidth=0.8, linestyle=":")
    told = []
    for pair, colour in zip(pairs, COLOURS, strict=False):
        nearer, further = sorted(pair)
        apart = turning_speed(nearer) > turning_speed(further)
        at = [math.degrees(math.atan(t)) for t in (nearer, further)]
        name = f"{nearer:.2f} and {further:.2f}: {'apart' if apart else 'closer'}"
        axes.plot(at, [turning_speed(nearer), turning_speed(further)], "o-", color=colour, label=name, linewidth=1.8,
                  clip_on=False)  # fmt: skip
        told.append(name)
    axes.set(xlabel="angle to the axis, degrees", ylabel="degrees per unit of p", xlim=(0, 46), ylim=(0, 30),
             title="how fast (1, t) turns, at p = 1")  # fmt: skip
    axes.set_xticks([0, 10, round(fastest, 1), 30, 45])
    axes.legend(loc="upper right")
    return (
        f"The speed at which f_p turns a direction towards its axis is largest at {fastest:.1f} degrees, and 0 on the "
        f"axis and on the diagonal. Pairs, by their ratios: {'; '.join(told)}."
    )
