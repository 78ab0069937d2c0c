"""Singular values as pictures: the half-axes of an ellipse, and what is lost when the smallest are left out."""

from collections.abc import Mapping
from functools import partial

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from flatten_edu.plot.strip import SMALLEST, Strip, panel
from flatten_edu.plot.style import INK
from flatten_edu.plot.trained import COLOURS


def ellipse_figure(matrices: Mapping[str, Float[Tensor, "2 2"]]) -> Strip:
    """What each matrix makes of the unit circle, with the ellipse's half-axes and their lengths."""
    return Strip([panel(partial(_ellipse, title, matrix.double()), 3.1) for title, matrix in matrices.items()])


def _ellipse(title: str, matrix: Tensor, axes: Axes) -> str:
    angles = torch.linspace(0, 2 * torch.pi, 181, dtype=torch.float64)
    circle = torch.stack([angles.cos(), angles.sin()])
    u, values, _ = torch.linalg.svd(matrix)
    axes.plot(*circle, color=INK, linewidth=1, linestyle="--")
    axes.plot(*(matrix @ circle), color=COLOURS[0], linewidth=1.8)
    for i, value in enumerate(values.tolist()):
        end = u[:, i] * value * (1 if u[0, i] >= 0 else -1)
        axes.plot([0, end[0]], [0, end[1]], color=COLOURS[1], linewidth=1.8)
        axes.annotate(rf"$\sigma_{i + 1} = {value:.2f}$", end.tolist(), xytext=(6, 2 - 12 * i),
                      textcoords="offset points", color=COLOURS[1])  # fmt: skip
    reach = 1.15 * max(1.0, values[0].item())
    axes.set(xlim=(-reach, 1.45 * reach), ylim=(-reach, reach), aspect="equal", title=title)
    axes.tick_params(labelsize=SMALLEST)
    axes.spines[["top", "right"]].set_visible(False)
    listed = " and ".join(f"{value:.2f}" for value in values.tolist())
    return f"{title}: the unit circle becomes an ellipse with half-axes of {listed}."


def approximation_figure(maps: Mapping[str, Float[Tensor, "*batch n n"]], at: int) -> Strip:
    """The error of the best approximation of each rank, as a share of the map's Frobenius norm; the mean of a batch."""
    return Strip([panel(partial(_errors, maps, at), 3.1)])


def approximation_error(maps: Float[Tensor, "*batch n n"]) -> Float[Tensor, "*batch n"]:
    """By rank r from 0 to n - 1: the smallest error that a matrix of rank r can have, over the map's Frobenius norm.

    The root of the sum of the squared singular values after the r-th (Eckart and Young), over that of all.
    """
    squares = torch.linalg.svdvals(maps).square()
    left_out = squares.flip(-1).cumsum(-1).flip(-1)
    return (left_out / left_out[..., :1]).sqrt()


def _errors(maps: Mapping[str, Tensor], at: int, axes: Axes) -> str:
    told = []
    for (name, one), colour in zip(maps.items(), COLOURS, strict=False):
        errors = approximation_error(one).flatten(0, -2).mean(0)
        axes.semilogy(range(len(errors)), (100 * errors).tolist(), color=colour, label=name, linewidth=1.8)
        told.append(f"{name} {errors[at]:.2%}")
    axes.axvline(at, color=INK, linewidth=0.9, linestyle=":")
    axes.set(title="error of the best approximation, %", xlabel="its rank", ylim=(1e-3, 150))
    axes.tick_params(labelsize=SMALLEST)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=SMALLEST)
    return f"The error of the best approximation falls with its rank; at rank {at}: {', '.join(told)}."


def spectrum_figure(maps: Mapping[str, Float[Tensor, "n n"]]) -> Strip:
    """The singular values of each map on one logarithmic axis, each divided by its largest."""
    return Strip([panel(partial(_spectra, maps), 3.1)])


def _spectra(maps: Mapping[str, Tensor], axes: Axes) -> str:
    told = []
    for (name, one), colour in zip(maps.items(), COLOURS, strict=False):
        values = torch.linalg.svdvals(one)
        shares = (values / values[0]).tolist()
        axes.semilogy(range(1, len(shares) + 1), shares, color=colour, label=name, linewidth=1.8)
        told.append(f"{name} ends at {shares[-1]:.0e}")
    axes.set(title="singular values, each over the largest", xlabel="from the largest", ylim=(1e-10, 3))
    axes.tick_params(labelsize=SMALLEST)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=SMALLEST)
    return f"Singular values on a logarithmic axis, each divided by the largest: {'; '.join(told)}."
