"""Depthwise convolution of tokens on a grid, as an operation and as the matrix that it is (equations 10 and 11)."""

import itertools
import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from flatten_edu.functional.checks import require_grid, require_odd

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def depthwise_conv(
    v: Float[Tensor, "*batch n d"],
    kernel: Float[Tensor, "d *sides"],
    bias: Float[Tensor, " d"] | None,
    grid: tuple[int, ...],
    class_token: bool = False,
) -> Float[Tensor, "*batch n d"]:
    """Each channel of v convolved over the grid with its own kernel, zeros beyond the edges.

    Args:
        v: tokens in row-major order of the grid; with `class_token` the first is none of its cells.
        kernel: one kernel of odd sides a channel; as many sides as the grid has (1 to 3).
        bias: one number a channel, added to each cell, or None.
        grid: the grid's sides, (H, W) for an image.

    Returns:
        The convolution; a class token's row is zero, since it takes no part.

    Raises:
        ValueError: the grid does not fit n, an even kernel, another number of sides or channels.
    """
    _check_kernel("depthwise_conv", kernel, grid, channels=v.shape[-1])
    convolve, padding = _CONVOLUTIONS[len(grid)], [side // 2 for side in kernel.shape[1:]]

    def convolution(image: Tensor) -> Tensor:
        return convolve(image, kernel.unsqueeze(1), bias, padding=padding, groups=v.shape[-1])

    return convolve_grid(convolution, v, grid, class_token)


def convolve_grid(
    convolution: Callable[[Tensor], Tensor],
    v: Float[Tensor, "*batch n d"],
    grid: tuple[int, ...],
    class_token: bool = False,
) -> Float[Tensor, "*batch n d"]:
    """Tokens laid out on their grid, convolved, and laid back; the same kernel for all leading dimensions (heads).

    Args:
        convolution: from a tensor of shape ``[images, d, *grid]`` to one of that shape: an ``nn.Conv2d``, for example.

    Returns:
        The convolution; a class token's row is zero, since it takes no part.

    Raises:
        ValueError: the grid does not fit n.
    """
    require_grid("depthwise_conv", grid, v.shape[-2], class_token)
    cells = v[..., 1:, :] if class_token else v
    # Channels stay last in memory: other layouts take up to four times as long on a CPU.
    image = cells.reshape(-1, *grid, v.shape[-1])
    last = image.ndim - 1  # not -1, which the older ONNX exporter takes literally
    out = convolution(image.movedim(last, 1)).movedim(1, last).reshape_as(cells)
    return F.pad(out, (0, 0, 1, 0)) if class_token else out


def dwc_matrix(
    kernel: Float[Tensor, "*channels_and_sides"], grid: tuple[int, ...], class_token: bool = False
) -> Float[Tensor, "*channels n n"]:
    """M_DWC: the matrix that multiplies the tokens as the convolution does, exactly (equation 11).

    Args:
        kernel: as many sides as the grid, or one dimension more in front for the channels.

    Returns:
        n x n, or channels x n x n; n counts the class token, whose row and column are zero.

    Raises:
        ValueError: an even kernel, or one whose sides are not as many as the grid's.
    """
    if kernel.ndim == len(grid):
        return dwc_matrix(kernel[None], grid, class_token)[0]
    _check_kernel("dwc_matrix", kernel, grid)
    cells = math.prod(grid)
    # Column j is the convolution of the image that is 1 in cell j. In float64, so that no fast algorithm rounds it.
    units = torch.eye(cells, dtype=torch.float64, device=kernel.device).reshape(cells, 1, *grid)
    padding = [side // 2 for side in kernel.shape[1:]]
    columns = _CONVOLUTIONS[len(grid)](units, kernel.double().unsqueeze(1), padding=padding).flatten(2)
    return F.pad(columns.permute(1, 2, 0).to(kernel.dtype), (int(class_token), 0) * 2).contiguous()


def wrapped_dwc_matrix(kernel: Float[Tensor, "kh kw"], grid: tuple[int, int]) -> Float[Tensor, "n n"]:
    """The matrix that the authors' public visualisation draws: NOT the convolution's.

    It places the kernel by offsets of the flat token index, so that the kernel wraps round the left and right edges.
    Here for comparison: on a 14 x 14 grid with a 5 x 5 kernel 378 entries that must be zero are not.
    """
    require_odd("wrapped_dwc_matrix", kernel.shape)
    n = grid[0] * grid[1]
    matrix = kernel.new_zeros(n, n)
    for (i, j), value in zip(itertools.product(*map(range, kernel.shape)), kernel.reshape(-1), strict=True):
        offset = (i - kernel.shape[0] // 2) * grid[1] + j - kernel.shape[1] // 2
        matrix.diagonal(offset).copy_(value.expand(max(n - abs(offset), 0)))
    return matrix


def _check_kernel(where: str, kernel: Tensor, grid: tuple[int, ...], channels: int | None = None) -> None:
    if kernel.ndim != len(grid) + 1:
        raise ValueError(f"{where} needs a kernel of {len(grid)} sides for grid {grid}, got {tuple(kernel.shape)}")
    if channels is not None and kernel.shape[0] != channels:
        raise ValueError(f"{where} needs a kernel a channel: v has {channels}, the kernel is {tuple(kernel.shape)}")
    require_odd(where, kernel.shape[1:])
