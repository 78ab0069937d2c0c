r"""Four later linear attentions, each as an explicit map and evaluated in O(n): what one changed, without the rest.

Their modules have more: InLine a local residual, PolaFormer and RALA a gate and a depthwise convolution, RALA and MALA
rotary positions. Shapes are those of `attention`: phi_q [..., n, f], phi_k [..., m, f], v [..., m, e]. None takes a
mask. Book: the chapter "What came after".
"""

import torch
from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional.attention import linear_attention, linear_weights
from flatten_edu.functional.checks import require_finite, require_floating, require_same_features, require_tokens
from flatten_edu.functional.precision import widen


def inline_weights(
    phi_q: Float[Tensor, "*#batch n f"], phi_k: Float[Tensor, "*#batch m f"], scale: int | float | None = None
) -> Float[Tensor, "... n m"]:
    r"""InLine attention's weights, :math:`s_{ij} - \bar s_i + 1/m`: Han et al. 2024 (arXiv:2412.06590).

    Normalised by subtraction: each row sums to 1, an entry may be negative, and rows of two queries are the same only
    where all their similarities differ by one number.

    Args:
        scale: of the similarities, :math:`s_{ij} = scale\;\phi(q_i) \cdot \phi(k_j)`. By default 1 / (m sqrt f), as the
            authors' code has it; 1 is the formula as printed.

    Raises:
        ValueError: shapes that do not fit, NaN or Inf. TypeError: not floating-point, or two dtypes.
    """
    deviation = _deviation("inline_weights", phi_q, phi_k, scale)
    return (deviation + 1 / phi_k.shape[-2]).to(phi_q.dtype)


def inline_attention(
    phi_q: Float[Tensor, "*#batch n f"],
    phi_k: Float[Tensor, "*#batch m f"],
    v: Float[Tensor, "*#batch m e"],
    scale: int | float | None = None,
) -> Float[Tensor, "... n e"]:
    """`inline_weights` times v in O((n + m) f e), in v's dtype; errors as there."""
    _check("inline_attention", phi_q, phi_k, v)
    return (_deviating_part(phi_q, phi_k, v, scale) + widen(v).mean(-2, keepdim=True)).to(v.dtype)


def mala_weights(
    phi_q: Float[Tensor, "*#batch n f"], phi_k: Float[Tensor, "*#batch m f"], scale: int | float | None = None
) -> Float[Tensor, "... n m"]:
    r"""Magnitude-aware weights, :math:`\beta_i s_{ij} - \gamma_i`: Fan et al. 2025, MALA (arXiv:2507.00698).

    With the row's sum :math:`S_i = \sum_j s_{ij}`, :math:`\beta_i = 1 + 1/S_i` and :math:`\gamma_i = S_i/m`: each row
    sums to 1, an entry may be negative. That is linear attention's row, plus what InLine adds to equal weights.

    Args:
        phi_q, phi_k: with entries >= 0. scale: as in `inline_weights`, and as the authors' code has it.

    Returns:
        n x m weights; a row of zeros where a query's similarity to every key is zero.

    Raises:
        ValueError: a negative similarity, and what `inline_weights` raises. TypeError: as there.
    """
    return linear_weights(phi_q, phi_k) + _deviation("mala_weights", phi_q, phi_k, scale).to(phi_q.dtype)


def mala_attention(
    phi_q: Float[Tensor, "*#batch n f"],
    phi_k: Float[Tensor, "*#batch m f"],
    v: Float[Tensor, "*#batch m e"],
    scale: int | float | None = None,
) -> Float[Tensor, "... n e"]:
    """`mala_weights` times v in O((n + m) f e), in v's dtype."""
    _check("mala_attention", phi_q, phi_k, v)
    out = linear_attention(widen(phi_q), widen(phi_k), widen(v))
    return (out + _deviating_part(phi_q, phi_k, v, scale)).to(v.dtype)


def rala_coefficients(
    phi_q: Float[Tensor, "*#batch n f"], phi_k: Float[Tensor, "*#batch m f"]
) -> Float[Tensor, "... m"]:
    r"""RALA's number a key, :math:`\alpha_j = m\,\mathrm{softmax}_j(\bar\phi_q \cdot \phi(k_j) / \sqrt f)`.

    Fan et al. 2025 (arXiv:2411.07635), with the mean of the mapped queries, as the authors' code has it.

    Returns:
        m numbers, 1 on average, in float32 for half precision.

    Raises:
        ValueError: shapes that do not fit, NaN or Inf. TypeError: not floating-point, or two dtypes.
    """
    require_floating("rala_coefficients", phi_q=phi_q, phi_k=phi_k)
    require_same_features("rala_coefficients", phi_q=phi_q, phi_k=phi_k)
    require_finite("rala_coefficients", phi_q=phi_q, phi_k=phi_k)
    mean = widen(phi_q).mean(-2, keepdim=True)
    logits = (mean @ widen(phi_k).mT).squeeze(-2) / phi_k.shape[-1] ** 0.5
    return phi_k.shape[-2] * logits.softmax(-1)


def rala_weights(phi_q: Float[Tensor, "*#batch n f"], phi_k: Float[Tensor, "*#batch m f"]) -> Float[Tensor, "... n m"]:
    """Linear attention's weights with each key multiplied by its `rala_coefficients`. Errors as in `linear_weights`."""
    keys = rala_coefficients(phi_q, phi_k)[..., None] * widen(phi_k)
    return linear_weights(widen(phi_q), keys).to(phi_q.dtype)


def rala_attention(
    phi_q: Float[Tensor, "*#batch n f"], phi_k: Float[Tensor, "*#batch m f"], v: Float[Tensor, "*#batch m e"]
) -> Float[Tensor, "... n e"]:
    """`rala_weights` times v in O((n + m) f e), in v's dtype, before the module's gate multiplies it."""
    _check("rala_attention", phi_q, phi_k, v)
    keys = rala_coefficients(phi_q, phi_k)[..., None] * widen(phi_k)
    return linear_attention(widen(phi_q), keys, widen(v)).to(v.dtype)


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
    positive, negative = ((sign * widen(q)).relu() ** power for sign in (1, -1))
    keys = torch.cat([(sign * widen(k)).relu() ** power for sign in (1, -1)], dim=-1)
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
    _check("pola_attention", q, k, v)
    same, opposite, keys = polarise(q, k, power)
    first, second = widen(v).tensor_split(2, dim=-1)
    halves = [linear_attention(same, keys, first), linear_attention(opposite, keys, second)]
    return torch.cat(halves, dim=-1).to(v.dtype)


def _check(where: str, phi_q: Tensor, phi_k: Tensor, v: Tensor) -> None:
    require_floating(where, phi_q=phi_q, phi_k=phi_k, v=v)
    require_same_features(where, phi_q=phi_q, phi_k=phi_k)
    require_tokens(where, phi_q, phi_k, v)


def _scale(phi_k: Tensor, scale: int | float | None) -> int | float:
    return 1 / (phi_k.shape[-2] * phi_k.shape[-1] ** 0.5) if scale is None else scale


def _deviation(where: str, phi_q: Tensor, phi_k: Tensor, scale: int | float | None) -> Tensor:
    """Each similarity less its row's mean: the product with the keys less their mean."""
    require_floating(where, phi_q=phi_q, phi_k=phi_k)
    require_same_features(where, phi_q=phi_q, phi_k=phi_k)
    require_finite(where, phi_q=phi_q, phi_k=phi_k)
    similarity = widen(phi_q) @ widen(phi_k).mT * _scale(phi_k, scale)
    return similarity - similarity.mean(-1, keepdim=True)


def _deviating_part(phi_q: Tensor, phi_k: Tensor, v: Tensor, scale: int | float | None) -> Tensor:
    keys = widen(phi_k)
    centred = keys - keys.mean(-2, keepdim=True)
    return widen(phi_q) @ (centred.mT @ widen(v) * _scale(phi_k, scale))
