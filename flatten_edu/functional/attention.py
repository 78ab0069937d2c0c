"""Attention weights: who looks at whom, as an explicit map of queries by keys."""

import torch
from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional.checks import require_finite, require_floating, require_same_features


def _widen(*tensors: Tensor) -> list[Tensor]:
    # A product of two fp16 rows with entries of 1e4 leaves fp16's range, so half precision is summed in float32.
    return [t.float() if t.dtype in (torch.float16, torch.bfloat16) else t for t in tensors]


def softmax_weights(q: Float[Tensor, "*#batch n d"], k: Float[Tensor, "*#batch m d"]) -> Float[Tensor, "... n m"]:
    r"""Softmax attention's weights, :math:`\mathrm{softmax}(QK^\top/\sqrt d)`: equation 1 of Han et al. 2023.

    Args:
        q: n queries of d features. k: m keys of d features.

    Returns:
        n x m weights; each row sums to 1.

    Raises:
        ValueError: shapes that do not fit, NaN or Inf. TypeError: not floating-point, or two dtypes.
    """
    require_floating("softmax_weights", q=q, k=k)
    require_same_features("softmax_weights", q=q, k=k)
    require_finite("softmax_weights", q=q, k=k)
    wide_q, wide_k = _widen(q, k)
    logits = wide_q @ wide_k.mT / q.shape[-1] ** 0.5
    return logits.softmax(-1).to(q.dtype)


def linear_weights(
    phi_q: Float[Tensor, "*#batch n d"], phi_k: Float[Tensor, "*#batch m d"]
) -> Float[Tensor, "... n m"]:
    r"""Linear attention's weights, :math:`\phi(Q)\phi(K)^\top` with each row divided by its sum: equations 1 and 2.

    Nobody who wants speed forms this map; it is here to be looked at.

    Args:
        phi_q, phi_k: queries and keys after a feature map with entries >= 0, n x d and m x d.

    Returns:
        n x m weights; each row sums to 1, or is zero where a query's similarity to every key is zero.

    Raises:
        ValueError: a negative entry (a feature map is missing), shapes that do not fit, NaN or Inf.
        TypeError: not floating-point, or two dtypes.
    """
    require_floating("linear_weights", phi_q=phi_q, phi_k=phi_k)
    require_same_features("linear_weights", phi_q=phi_q, phi_k=phi_k)
    require_finite("linear_weights", phi_q=phi_q, phi_k=phi_k)
    for name, t in {"phi_q": phi_q, "phi_k": phi_k}.items():
        if not torch.compiler.is_compiling() and (t < 0).any():
            raise ValueError(
                f"linear_weights needs entries >= 0, got {t.min().item():.4g} in {name}: apply a feature map first"
            )
    wide_q, wide_k = _widen(phi_q, phi_k)
    similarity = wide_q @ wide_k.mT
    total = similarity.sum(-1, keepdim=True)
    return (similarity / total.where(total > 0, 1.0)).to(phi_q.dtype)
