"""THE formula: focused linear attention, equations 5, 6 and 12 of Han et al. 2023, step by step."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from flatten_edu.functional.attention import linear_attention
from flatten_edu.functional.checks import require_finite, require_floating, require_focusing_factor
from flatten_edu.functional.widen import widen

DEFAULT_P = 3  #: the paper's focusing factor: table 5 tries 2, 3, 4, 8 and 32
EPS = 1e-6  #: of the authors' code: added after ReLU, and to a query's mean similarity
_ROOM = 40  # bits: powers are near 2**40, or the square of what ReLU leaves at EPS would be denormal, and slow


def focused_map(x: Float[Tensor, "*batch c"], p: int | float = DEFAULT_P) -> Float[Tensor, "*batch c"]:
    r"""Turn each row towards its largest entries and keep its length: :math:`\phi_p(x) = f_p(\mathrm{ReLU}(x))`.

    Equation 5 of Han et al. 2023. Book: the chapter "The focused function". Twin in the labs: `focusedMap`.

    Args:
        x: rows of c features (the paper's Q or K; c is d when called per head, C when called before the split).
        p: focusing factor; 1 is plain ReLU, the paper uses 3, below 1 rows are flattened instead.

    Returns:
        A tensor of x's shape and dtype. A row without a positive entry has no direction and stays zero.
        In half precision a row longer than the dtype's largest number comes out with an Inf, never with a NaN.

    Raises:
        ValueError: p is not a finite number above 0, or x holds NaN or Inf.
        TypeError: x is not floating-point.
    """
    require_focusing_factor("focused_map", p)
    require_floating("focused_map", x=x)
    require_finite("focused_map", x=x)
    # Half precision is mapped in float32: the gradient's sums over 1e4-sized rows leave fp16's range.
    return sharpen(widen(x).relu(), p).to(x.dtype)


def sharpen(r: Float[Tensor, "*batch c"], p: int | float) -> Float[Tensor, "*batch c"]:
    r"""Equation 6, :math:`f_p(r) = \lVert r\rVert\,r^p / \lVert r^p\rVert`, on rows with entries >= 0.

    Unchecked: `focused_map` is the one to call.
    """
    least = torch.finfo(r.dtype).tiny  # a row of zeros is divided by it, and stays zero
    # The size of a row cancels below; divided by its largest entry, its power stays in range.
    size = (r.detach().amax(-1, keepdim=True) * 2 ** (-_ROOM / max(p, 1))).clamp_min(least)
    unit = r / size
    powered = _power(unit, p)
    return powered * (size * _length(unit) / _length(powered).clamp_min(least))


def _length(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x, dim=-1, keepdim=True)


def _power(x: Tensor, p: int | float) -> Tensor:
    """x**p; below p = 1 a zero entry gets a zero gradient, where the power's own is infinite."""
    if p >= 1:
        return x**p
    positive = x > 0
    return x.where(positive, 1.0) ** p * positive


class FocusedSettings(NamedTuple):
    """Everything about focused attention that is not a tensor."""

    num_heads: int  #: h, which divides C
    p: int | float = DEFAULT_P  #: focusing factor
    norm_over: Literal["channels", "head"] = "channels"  #: of f_p: all C, as the code has it, or d, as equation 6 reads
    eps: float = EPS


def focused_heads(
    t: Float[Tensor, "b n c"], scale: Float[Tensor, "*_ c"], settings: FocusedSettings
) -> Float[Tensor, "b h n d"]:
    r"""Queries or keys, mapped and split into heads: :math:`\phi_p((\mathrm{ReLU}(t) + \epsilon) / s)`.

    Args:
        t: queries, or keys that carry their positions already.
        scale: s, one positive number per channel.

    Returns:
        In float32 where t is of half precision.
    """
    r = (widen(t).relu() + settings.eps) / widen(scale)
    if settings.norm_over == "head":
        return sharpen(split_heads(r, settings.num_heads), settings.p)
    return split_heads(sharpen(r, settings.p), settings.num_heads)


def split_heads(t: Float[Tensor, "b n c"], num_heads: int) -> Float[Tensor, "b h n d"]:
    """C channels as h heads of d."""
    return t.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def focused_attention(
    q: Float[Tensor, "b n c"],
    k: Float[Tensor, "b m c"],
    v: Float[Tensor, "b m c"],
    scale: Float[Tensor, "*_ c"],
    settings: FocusedSettings,
    key_mask: Bool[Tensor, "b m"] | None = None,
) -> Float[Tensor, "b n c"]:
    r"""The attention of equation 12, :math:`\phi_p(Q)\phi_p(K)^\top V`; the module adds DWC(V). O(N C d).

    Book: the chapter "The module as the code has it". Twins: `published_attention`, and the float64 loops of the tests.

    Args:
        q, k, v: as a projection gives them, before heads; k carries its positions.
        scale: one positive number per channel.
        key_mask: True for the keys that count.

    Returns:
        In v's dtype; half precision is mapped and summed in float32.
    """
    phi_q, phi_k = focused_heads(q, scale, settings), focused_heads(k, scale, settings)
    values = split_heads(widen(v), settings.num_heads)
    mask = None if key_mask is None else key_mask[:, None]
    out = linear_attention(phi_q, phi_k, values, mask, eps=settings.eps)  # [B, h, N, d]
    return out.transpose(1, 2).flatten(2).to(v.dtype)
