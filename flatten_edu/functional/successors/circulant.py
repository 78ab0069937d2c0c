"""Circulant attention: one row of weights for all queries, shifted with the query over the grid."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flatten_edu.functional.checks import require_floating, require_grid, require_same_features, require_tokens
from flatten_edu.functional.widen import widen


def circulant_row(
    q: Float[Tensor, "*#batch n d"], k: Float[Tensor, "*#batch n d"], grid: tuple[int, int]
) -> Float[Tensor, "... n"]:
    r"""The weight of each offset, :math:`\mathrm{softmax}(a)`: Han et al. 2026 (arXiv:2512.21542).

    :math:`a_\delta = \frac{1}{n\sqrt d}\sum_i q_i \cdot k_{i+\delta}` is the mean logit of all pairs that stand
    :math:`\delta` apart, round the grid's edges. Formed by FFT in O(n d log n). The authors' models give each channel
    a row of its own (d = 1).

    Raises:
        ValueError: shapes that do not fit, a grid with other than n cells.
        TypeError: not floating-point, or two dtypes.
    """
    require_floating("circulant_row", q=q, k=k)
    require_same_features("circulant_row", q=q, k=k)
    require_tokens("circulant_row", q=q, k=k, v=q)
    require_grid("circulant_row", grid, q.shape[-2], class_token=False)
    n, d = q.shape[-2:]
    spectrum = (_transform(q, grid).conj() * _transform(k, grid)).sum(-1)
    logits = torch.fft.irfft2(spectrum, s=grid).flatten(-2) / (n * d**0.5)
    return logits.softmax(-1)


def circulant_weights(
    q: Float[Tensor, "*#batch n d"], k: Float[Tensor, "*#batch n d"], grid: tuple[int, int]
) -> Float[Tensor, "... n n"]:
    """`circulant_row` as a map: key j has the weight of its offset from query i. Errors as there."""
    return circulant_row(q, k, grid)[..., offsets(grid).to(q.device)].to(q.dtype)


def circulant_attention(
    q: Float[Tensor, "*#batch n d"],
    k: Float[Tensor, "*#batch n d"],
    v: Float[Tensor, "*#batch n e"],
    grid: tuple[int, int],
) -> Float[Tensor, "... n e"]:
    """`circulant_weights` times v by FFT, in O(n (d + e) log n) and in v's dtype. Errors as there."""
    require_tokens("circulant_attention", q=q, k=k, v=v)
    row = _transform(circulant_row(q, k, grid)[..., None], grid)
    out = torch.fft.irfft2(row.conj() * _transform(v, grid), s=grid, dim=(-3, -2))
    return out.flatten(-3, -2).to(v.dtype)


def nearest_circulant(weights: Float[Tensor, "*batch n n"], grid: tuple[int, int]) -> Float[Tensor, "*batch n n"]:
    """The circulant map nearest to a map, in squared distance: each entry becomes the mean of its offset's entries."""
    require_grid("nearest_circulant", grid, weights.shape[-1], class_token=False)
    n, where = weights.shape[-1], offsets(grid).to(weights.device)
    sums = weights.new_zeros(*weights.shape[:-2], n).index_add(-1, where.flatten(), weights.flatten(-2))
    return (sums / n)[..., where]


def offsets(grid: tuple[int, int]) -> Int[Tensor, "n n"]:
    """For query i and key j the cell that j would be if i stood in cell 0, round the edges."""
    cells = torch.cartesian_prod(*(torch.arange(side) for side in grid))
    rows, columns = ((cells[None] - cells[:, None]) % torch.tensor(grid)).unbind(-1)
    return rows * grid[1] + columns


def _transform(x: Tensor, grid: tuple[int, int]) -> Tensor:
    """Over the grid, each channel by itself; the channel stays last."""
    return torch.fft.rfft2(widen(x).unflatten(-2, grid), dim=(-3, -2))
