"""Attention maps beside the photograph that they belong to, never in it: a lit photograph shows the photograph."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, UInt8
from matplotlib.colors import PowerNorm
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from flatten_edu.plot.style import INK, Picture, Strip, in_style

QUERY = "#ff5f00"  # the query's frame, told from every colour of the scale


@in_style
def attention_figure(
    image: UInt8[np.ndarray, "h w 3"],
    maps: Mapping[str, Float[Tensor, " n"]],
    grid: tuple[int, int],
    query: int,
    columns: int = 3,
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
    pictures = [("query patch", image), *((title, row.reshape(grid).numpy()) for title, row in shares.items())]
    rows = -(-len(pictures) // columns)
    height = 1.9 * image.shape[0] / image.shape[1] + 0.35  # with room for a title and a line below
    figure = Picture(figsize=(1.9 * columns + 0.7, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for spare in axes[len(pictures) :]:
        spare.set_axis_off()
    # Square roots, so that a patch with twice an even row's weight is told from the ground beside one with fifty times.
    norm = PowerNorm(0.5, vmin=0, vmax=max(4.0, *(float(share.max()) for share in shares.values())))
    for one, (title, picture) in zip(axes, pictures, strict=False):
        # Without interpolation a vector file keeps these pixels, not a screen's.
        shown = one.imshow(picture, interpolation="none", cmap="viridis", norm=norm)
        side_y, side_x = picture.shape[0] / grid[0], picture.shape[1] / grid[1]
        corner = (query % grid[1] * side_x - 0.5, query // grid[1] * side_y - 0.5)
        one.add_patch(Rectangle(corner, side_x, side_y, fill=False, edgecolor=QUERY, linewidth=1.5,
                                path_effects=[withStroke(linewidth=3, foreground="white")]))  # fmt: skip
        one.set(xticks=[], yticks=[], title=title)
        one.set_xlabel("" if picture is image else f"most {picture.max():.1f}", fontsize=8)
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


def pictures_figure(pictures: Mapping[str, Float[Tensor, "height width 3"]]) -> Strip:
    """Pictures side by side on any screen, each as it is: no contrast is stretched.

    Args:
        pictures: by the title above each, numbers from 0 to 1; what lies beyond is cut off.
    """
    return Strip([_side_by_side(pictures)])


@in_style
def _side_by_side(pictures: Mapping[str, Tensor]) -> Picture:
    figure = Picture(figsize=(2.1 * len(pictures), 2.35), layout="constrained")
    panels = figure.subplots(1, len(pictures), squeeze=False)[0]
    for axes, (title, picture) in zip(panels, pictures.items(), strict=True):
        axes.imshow(picture.detach().clamp(0, 1).numpy())
        axes.set_title(title, fontsize=11)
        axes.set_axis_off()
    figure.alt = f"Pictures side by side: {', '.join(pictures)}."
    return figure
