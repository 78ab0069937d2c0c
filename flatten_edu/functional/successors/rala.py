"""RALA: a number per key, from the mean query."""

from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional.attention import linear_attention, linear_weights
from flatten_edu.functional.checks import require_finite, require_floating, require_same_features
from flatten_edu.functional.successors._checks import require_attention
from flatten_edu.functional.widen import widen


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
    require_attention("rala_attention", phi_q, phi_k, v)
    keys = rala_coefficients(phi_q, phi_k)[..., None] * widen(phi_k)
    return linear_attention(widen(phi_q), keys, widen(v)).to(v.dtype)
