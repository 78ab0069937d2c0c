"""Learned positions on another grid: the one place that decides how they are resampled."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from flatten_edu.functional.widen import widen

POSITIONS = ("pos_embed", "positional_encoding")  #: the last part of their names


def resize_positions(
    positions: Float[Tensor, "1 n c"], source: tuple[int, int], target: tuple[int, int]
) -> Float[Tensor, "1 m c"]:
    """Positions [1, 1 + cells, C], the class token's first, for a grid of another size; the class token's stays.

    Bicubic, and anti-aliased where the grid shrinks: without it bicubic reads 16 neighbours of a target cell however
    many source cells lie under it, so that fine waves of the positions would come out as wrong coarse ones. Where the
    grid grows there is nothing to alias, and both are the same.
    """
    if tuple(source) == tuple(target):
        return positions
    first, rest = positions[:, :1], positions[:, 1:]
    image = widen(rest.mT.unflatten(-1, source))
    shrinks = target[0] < source[0] or target[1] < source[1]
    image = F.interpolate(image, target, mode="bicubic", align_corners=False, antialias=shrinks)
    return torch.cat([first, image.flatten(2).mT.to(positions.dtype)], dim=1)
