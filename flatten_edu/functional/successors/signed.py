"""InLine and MALA: rows that are normalised by subtraction, so that a weight may be negative."""

from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional.attention import linear_attention, linear_weights
from flatten_edu.functional.checks import require_finite, require_floating, require_same_features
from flatten_edu.functional.successors._checks import require_attention
from flatten_edu.functional.widen import widen


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
    require_attention("inline_attention", phi_q, phi_k, v)
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
    require_attention("mala_attention", phi_q, phi_k, v)
    out = linear_attention(widen(phi_q), widen(phi_k), widen(v))
    return (out + _deviating_part(phi_q, phi_k, v, scale)).to(v.dtype)


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
