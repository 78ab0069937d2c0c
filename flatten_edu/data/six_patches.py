"""The book's smallest case: six patches of one photograph, two features each, taken from the patch's own pixels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, UInt8
from skimage import data
from torch import Tensor

NAMES = ("left eye", "brow", "right eye", "whiskers", "nose", "cheek")
GRID = (2, 3)
_CORNER, _SIDE = (80, 112), 95  # top and left in scikit-image's chelsea, pixels; side of a patch
_LUMA = (0.299, 0.587, 0.114)  # how much of red, green and blue an eye sees as brightness


@dataclass(frozen=True)
class SixPatches:
    """Six tokens with two features each, and the matrices that make queries, keys and values of them.

    All tensors are float64. Row i belongs to `names[i]`; the patches fill a grid of 2 x 3, row by row.
    """

    pixels: UInt8[np.ndarray, "6 side side 3"]
    x: Float[Tensor, "6 2"]  #: contrast and redness, each from 0 (least of the six) to 1 (most)
    w_q: Float[Tensor, "2 2"]
    w_k: Float[Tensor, "2 2"]
    w_v: Float[Tensor, "2 2"]
    kernel: Float[Tensor, "3 3"]  #: of the convolution in the chapter on rank: one for both features
    names: tuple[str, ...] = NAMES
    grid: tuple[int, int] = GRID

    @cached_property
    def q(self) -> Float[Tensor, "6 2"]:
        """Queries: three times the one feature, less twice the other. A patch asks for what it has more of."""
        return self.x @ self.w_q

    @cached_property
    def k(self) -> Float[Tensor, "6 2"]:
        """Keys: three times the features."""
        return self.x @ self.w_k

    @cached_property
    def v(self) -> Float[Tensor, "6 2"]:
        """Values: the features themselves."""
        return self.x @ self.w_v

    @property
    def photo(self) -> UInt8[np.ndarray, "h w 3"]:
        """The six patches put together again."""
        rows, columns = self.grid
        side = self.pixels.shape[1]
        split = self.pixels.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
        return split.reshape(rows * side, columns * side, 3)


def six_patches() -> SixPatches:
    """The cat's left eye, brow, right eye, whiskers, nose and cheek (scikit-image's chelsea, CC0).

    Contrast is the standard deviation of a patch's brightness, redness its mean red less its mean green. Each is
    brought to 0 for the patch with the least of it, and to 1 for the one with the most. Nothing is trained: the
    projections and the kernel are chosen by hand. Book: all of chapters 1 to 8.
    """
    top, left = _CORNER
    rows, columns = GRID
    square = data.chelsea()[top : top + rows * _SIDE, left : left + columns * _SIDE]
    pixels = square.reshape(rows, _SIDE, columns, _SIDE, 3).swapaxes(1, 2).reshape(-1, _SIDE, _SIDE, 3)
    unit = torch.eye(2, dtype=torch.float64)
    return SixPatches(
        pixels=pixels,
        x=contrast_and_redness(pixels),
        w_q=5 * unit - 2,  # 3 on the diagonal, -2 beside it
        w_k=3 * unit,
        w_v=unit,
        kernel=torch.tensor([[0, 1, 0], [1, 2, 1], [0, 1, 0]], dtype=torch.float64) / 6,
    )


def contrast_and_redness(pixels: UInt8[np.ndarray, "n h w 3"]) -> Float[Tensor, "n 2"]:
    """The two features of each patch, each scaled to 0 for the least and 1 for the most of the patches."""
    colours = torch.from_numpy(pixels.astype(np.float64)).flatten(1, 2)  # n, pixels, RGB
    brightness = colours @ torch.tensor(_LUMA, dtype=torch.float64)
    red, green, _ = colours.mean(1).unbind(-1)
    raw = torch.stack([brightness.std(-1, correction=0), red - green], -1)
    least, most = raw.min(0).values, raw.max(0).values
    return (raw - least) / (most - least)
