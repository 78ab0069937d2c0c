"""Rotary positions on a grid, as RALA, MALA and NaLaFormer have them."""

import torch
from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional.checks import require_floating, require_grid
from flatten_edu.functional.widen import widen


def rotary(x: Float[Tensor, "*batch n d"], grid: tuple[int, int]) -> Float[Tensor, "*batch n d"]:
    """Turn each pair of neighbouring channels by an angle that grows with the token's row, or with its column.

    The first d/2 channels turn with the row, the others with the column, at d/4 rates from 1 to 1/10000. The inner
    product of two turned rows depends on where they stand relative to each other; for rows with entries >= 0 it may be
    negative.

    Raises:
        ValueError: d is no multiple of 4, or the grid has other than n cells. TypeError: not floating-point.
    """
    require_floating("rotary", x=x)
    n, d = x.shape[-2:]
    require_grid("rotary", grid, n, class_token=False)
    if d % 4:
        raise ValueError(f"rotary needs a multiple of 4 channels, got {d}")
    wide = widen(x)
    rates = 10000 ** -torch.linspace(0, 1, d // 4, dtype=wide.dtype, device=x.device)
    cells = torch.cartesian_prod(*(torch.arange(side, dtype=wide.dtype, device=x.device) for side in grid))
    angles = (cells[:, :, None] * rates).flatten(1)  # n x d/2: one per pair of channels
    pairs = torch.view_as_complex(wide.unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2).to(x.dtype)
