"""Attention maps over the photograph that they belong to."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from flatten_edu.plot.style import Picture, in_style


@in_style
def attention_figure(
    image: UInt8[np.ndarray, "h w 3"],
    maps: Mapping[str, Float[Tensor, " n"]],
    grid: tuple[int, int],
    query: int,
    columns: int = 4,
    lift: bool = False,
) -> Picture:
    """A photograph, and for each named row of weights the photograph lit where the weight is.

    Args:
        image: the photograph.
        maps: title and one row of weights over the grid's cells, entries >= 0.
        grid: rows and columns of patches.
        query: the index of the query patch, outlined.
        lift: brighten the photograph under the maps, so that a dark patch with much weight can be seen.

    Each map is scaled to its own largest weight, which stands below it: maps compare in form, not in brightness.
    """
    rows = -(-(1 + len(maps)) // columns)
    height = 1.9 * image.shape[0] / image.shape[1] + 0.35  # with room for a title and a line below
    figure = Picture(figsize=(1.9 * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for spare in axes[1 + len(maps) :]:
        spare.set_axis_off()
    _show(axes[0], image, "query patch", "", grid, query)
    for one, (title, weights) in zip(axes[1:], maps.items(), strict=False):
        share = weights / weights.max() if weights.max() > 0 else weights
        lit = _light((102 + 0.6 * image) if lift else image, share.reshape(grid).detach().cpu().numpy())
        _show(one, lit, title, f"brightest {float(weights.max()):.1%}", grid, query)
    figure.alt = f"A photograph with a query patch, and its attention over all patches: {', '.join(maps)}."
    return figure


def _light(image: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Light in proportion to the share: a screen shows about the square of the number that is written."""
    patch = (image.shape[0] // share.shape[0], image.shape[1] // share.shape[1])
    factor = 0.08 + 0.92 * np.sqrt(np.kron(share, np.ones(patch)))
    return (image * factor[..., None]).astype(np.uint8)


def _show(axes: Axes, image: np.ndarray, title: str, below: str, grid: tuple[int, int], query: int) -> None:
    axes.imshow(image, interpolation="none")  # a vector file then keeps these pixels, not a screen's
    height, width = image.shape[0] / grid[0], image.shape[1] / grid[1]
    corner = (query % grid[1] * width - 0.5, query // grid[1] * height - 0.5)
    axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="#ffb000", linewidth=1.5))
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(below, fontsize=8)
