"""Angles between vectors, and how concentrated a row of attention weights is."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def angle_degrees(x: Float[Tensor, "*batch d"], y: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch"]:
    """The angle between x and y in degrees, 0 to 180, row by row; NaN where a vector is zero.

    From the half-angle's tangent, the length of u - v over that of u + v for the unit vectors u and v: arccos of their
    product loses half of the digits near 0, just where the book looks.
    """
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(f"angle_degrees needs vectors of one length, got {tuple(x.shape)} and {tuple(y.shape)}")
    # Dividing by the largest entry first: the square of a tiny entry is 0, and the length would be too.
    u = x / x.abs().amax(-1, keepdim=True)
    v = y / y.abs().amax(-1, keepdim=True)
    u = u / u.norm(dim=-1, keepdim=True)
    v = v / v.norm(dim=-1, keepdim=True)
    return torch.rad2deg(2 * torch.atan2((u - v).norm(dim=-1), (u + v).norm(dim=-1)))


def largest_coordinate(x: Float[Tensor, "*batch d"]) -> Int[Tensor, "*batch"]:
    """The index of each row's largest entry after ReLU, or -1 where there is none: a tie, or no positive entry.

    Proposition 1 of Han et al. 2023 speaks of vectors with a single largest entry; -1 marks those it is silent on.
    """
    r = x.relu()
    largest, index = r.max(-1)
    single = ((r == largest.unsqueeze(-1)).sum(-1) == 1) & (largest > 0)
    return index.where(single, -1)


def entropy_bits(weights: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch"]:
    """The entropy in bits of rows that sum to 1: 0 for one key alone, log2(m) for m alike, NaN for a row of zeros."""
    entropy = torch.xlogy(weights, weights).sum(-1).abs() / torch.log(torch.tensor(2.0, dtype=weights.dtype))
    return entropy.where(weights.sum(-1) > 0, torch.nan)


def top1_share(weights: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch"]:
    """The weight of the key that gets most, of rows that sum to 1: 1/m for m keys alike, NaN for a row of zeros."""
    return weights.amax(-1).where(weights.sum(-1) > 0, torch.nan)


def magnitude_share(x: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch m"]:
    """Absolute values over their sum, row by row; a row of zeros stays zero.

    Rows of an equivalent map are signed: this makes of them rows that `entropy_bits` and `top1_share` can take.
    """
    magnitude = x.abs()
    total = magnitude.sum(-1, keepdim=True)
    return magnitude / total.where(total > 0, 1.0)


def sign_shares(q: Float[Tensor, "*batch n d"], k: Float[Tensor, "*batch m d"]) -> Float[Tensor, "*batch 4"]:
    """Where the products q_ic k_jc of all pairs and channels have their size: four shares of its sum.

    By the signs of q_ic and k_jc, in this order: + and +, - and -, + and -, - and +. ReLU keeps the first alone. NaN
    where all products are zero.
    """
    q_parts, k_parts = ((x.relu().sum(-2), (-x).relu().sum(-2)) for x in (q, k))
    products = [(q_parts[i] * k_parts[j]).sum(-1) for i, j in [(0, 0), (1, 1), (0, 1), (1, 0)]]
    parts = torch.stack(products, dim=-1)
    return parts / parts.sum(-1, keepdim=True)
