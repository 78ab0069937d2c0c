"""PolaFormer and NaLaFormer: features for both signs of an entry."""

import torch
from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional.attention import linear_attention, linear_weights
from flatten_edu.functional.checks import require_finite, require_floating, require_same_features
from flatten_edu.functional.successors._checks import require_attention
from flatten_edu.functional.widen import widen


def polarise(
    q: Float[Tensor, "*#batch n d"], k: Float[Tensor, "*#batch m d"], power: int | float | Float[Tensor, " d"] = 3.0
) -> tuple[Float[Tensor, "... n f"], Float[Tensor, "... n f"], Float[Tensor, "... m f"]]:
    r"""PolaFormer's features, f = 2d, of q and k before any map: Meng et al. 2025 (arXiv:2501.15061).

    With :math:`q = q^+ - q^-`, entries >= 0, and the power entry by entry: :math:`[q^+, q^-]^p` for the keys' entries
    of the same sign, :math:`[q^-, q^+]^p` for those of the opposite sign, and :math:`[k^+, k^-]^p`. At p = 1 the two
    products differ by q . k itself.

    Args:
        power: one number, or one a channel; PolaFormer learns 1 + a sigmoid(w), between 1 and 1 + a.

    Returns:
        The three, in float32 for half precision, whose range the powers leave.

    Raises:
        ValueError: shapes that do not fit. TypeError: not floating-point, or two dtypes.
    """
    require_floating("polarise", q=q, k=k)
    require_same_features("polarise", q=q, k=k)
    positive, negative = _signs(widen(q), power)
    keys = torch.cat(_signs(widen(k), power), dim=-1)
    return torch.cat([positive, negative], dim=-1), torch.cat([negative, positive], dim=-1), keys


def pola_weights(
    q: Float[Tensor, "*#batch n d"], k: Float[Tensor, "*#batch m d"], power: int | float | Float[Tensor, " d"] = 3.0
) -> tuple[Float[Tensor, "... n m"], Float[Tensor, "... n m"]]:
    """PolaFormer's two maps, of the same and of the opposite sign, each with rows that sum to 1."""
    same, opposite, keys = polarise(q, k, power)
    return linear_weights(same, keys).to(q.dtype), linear_weights(opposite, keys).to(q.dtype)


def pola_attention(
    q: Float[Tensor, "*#batch n d"],
    k: Float[Tensor, "*#batch m d"],
    v: Float[Tensor, "*#batch m e"],
    power: int | float | Float[Tensor, " d"] = 3.0,
) -> Float[Tensor, "... n e"]:
    """The first half of v's channels by the map of the same sign, the second by the other one, in O((n + m) d e).

    PolaFormer multiplies the result by learned coefficients, channel by channel, after its convolution.
    """
    require_attention("pola_attention", q, k, v)
    same, opposite, keys = polarise(q, k, power)
    first, second = widen(v).tensor_split(2, dim=-1)
    halves = [linear_attention(same, keys, first), linear_attention(opposite, keys, second)]
    return torch.cat(halves, dim=-1).to(v.dtype)


def nala_features(
    q: Float[Tensor, "*#batch n d"], k: Float[Tensor, "*#batch m d"]
) -> tuple[Float[Tensor, "... n f"], Float[Tensor, "... m f"]]:
    r"""NaLaFormer's features, f = 2d: a power that grows with the query's length. Meng et al. 2026 (arXiv:2506.21137).

    With :math:`\hat q = q/\lVert q\rVert` and :math:`P = 3\,(\frac12 + \tanh\lVert q\rVert)`, between 1.5 and 4.5, they
    are :math:`[(\hat q^+)^P, (\hat q^-)^P]` and :math:`[(k^3)^+, (k^3)^-]`, as the authors' code has it, before its
    rotary positions. That code divides 0 by 0 for a query of zeros; here such a query has the features 0.

    Returns:
        Both, with entries >= 0, in float32 for half precision.

    Raises:
        ValueError: shapes that do not fit, NaN or Inf. TypeError: not floating-point, or two dtypes.
    """
    require_floating("nala_features", q=q, k=k)
    require_same_features("nala_features", q=q, k=k)
    require_finite("nala_features", q=q, k=k)
    q, k = widen(q), widen(k)
    length = q.norm(dim=-1, keepdim=True)
    unit = q / length.where(length > 0, 1.0)
    power = 3 * (0.5 + length.tanh())
    return torch.cat(_signs(unit, power), dim=-1), torch.cat(_signs(k, 3), dim=-1)


def _signs(x: Tensor, power: int | float | Tensor) -> tuple[Tensor, Tensor]:
    """x's positive and negative part, both >= 0, to a power."""
    return x.relu() ** power, (-x).relu() ** power
