"""Attention maps beside the photograph that they belong to, never in it: a lit photograph shows the photograph."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from torch import Tensor

from flatten_edu.plot.style import INK, Picture, in_style

QUERY = "#ff5f00"  # the query's frame, told from every colour of the scale


@in_style
def attention_figure(
    image: UInt8[np.ndarray, "h w 3"],
    maps: Mapping[str, Float[Tensor, " n"]],
    grid: tuple[int, int],
    query: int,
    columns: int = 4,
) -> Picture:
    """A photograph, each named row of weights as colours, and an even row: one scale for all.

    Args:
        image: the photograph.
        maps: title and one row of weights over the grid's cells, entries >= 0. Rows are divided by their sums.
        grid: rows and columns of patches.
        query: the index of the query patch, outlined.
        columns: panels side by side.

    The scale counts in weights of an even row: 1 is what each of N patches gets where all get the same. Below each map
    stands what its brightest patch gets.
    """
    cells = grid[0] * grid[1]
    shares = {title: (row / row.sum().clamp(min=1e-30)).detach().cpu() * cells for title, row in maps.items()}
    shares["an even row"] = torch.ones(cells)
    rows = -(-(1 + len(shares)) // columns)
    height = 1.9 * image.shape[0] / image.shape[1] + 0.35  # with room for a title and a line below
    figure = Picture(figsize=(1.9 * columns + 0.7, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for spare in axes[1 + len(shares) :]:
        spare.set_axis_off()
    _show(axes[0], image, "query patch", "", (image.shape[1] / grid[1], image.shape[0] / grid[0]), grid, query)
    # Square roots, so that a patch with twice an even row's weight is told from the ground beside one with fifty times.
    norm = PowerNorm(0.5, vmin=0, vmax=max(4.0, *(float(share.max()) for share in shares.values())))
    for one, (title, share) in zip(axes[1:], shares.items(), strict=False):
        most = f"most {float(share.max()):.1f}"
        shown = _show(one, share.reshape(grid).numpy(), title, most, (1.0, 1.0), grid, query, norm)
    bar = figure.colorbar(shown, ax=axes, shrink=0.8, aspect=25)
    bar.set_label("times an even row's weight", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    bar.ax.axhline(1, color="white", linewidth=1)
    bar.outline.set_edgecolor(INK)
    figure.alt = (
        f"A photograph with a query patch, and its attention over all patches as colours: {', '.join(maps)}; "
        "beside them an even row."
    )
    return figure


def _show(
    axes: Axes,
    picture: np.ndarray,
    title: str,
    below: str,
    patch: tuple[float, float],
    grid: tuple[int, int],
    query: int,
    norm: PowerNorm | None = None,
) -> AxesImage:
    # Without interpolation a vector file keeps these pixels, not a screen's.
    shown = axes.imshow(picture, interpolation="none", cmap="viridis", norm=norm)
    corner = (query % grid[1] * patch[0] - 0.5, query // grid[1] * patch[1] - 0.5)
    axes.add_patch(Rectangle(corner, *patch, fill=False, edgecolor=QUERY, linewidth=1.5))
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(below, fontsize=8)
    return shown
