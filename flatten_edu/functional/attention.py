"""Attention in both orders of multiplication, and its weights as an explicit map of queries by keys.

Shapes: q is [..., n, d], k [..., m, d], v [..., m, e]; leading dimensions (batch, heads) broadcast. A `key_mask` is
[..., m] and True for the keys that count; what masked keys and values hold, NaN too, has no influence. For k of
[B, h, m, d] the mask of a batch is [B, 1, m].
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from flatten_edu.functional.checks import (
    require_finite,
    require_floating,
    require_key_mask,
    require_known,
    require_same_features,
    require_tokens,
)
from flatten_edu.functional.widen import widen

Order = Literal["auto", "qk_first", "kv_first"]


def _hide(x: Tensor, key_mask: Tensor | None) -> Tensor:
    return x if key_mask is None else x.masked_fill(~key_mask[..., None], 0)


def softmax_attention(
    q: Float[Tensor, "*#batch n d"],
    k: Float[Tensor, "*#batch m d"],
    v: Float[Tensor, "*#batch m e"],
    key_mask: Bool[Tensor, "*#batch m"] | None = None,
) -> Float[Tensor, "... n e"]:
    r"""Softmax attention, :math:`\mathrm{softmax}(QK^\top/\sqrt d)\,V`: equation 1 of Han et al. 2023; O(n m d).

    By PyTorch's fused kernel where there is one. A query whose keys are all masked gets zeros.

    Raises:
        ValueError: shapes that do not fit.
        TypeError: not floating-point, two dtypes, a mask that is not boolean.
    """
    _check("softmax_attention", q, k, v, key_mask)
    if key_mask is None:
        return F.scaled_dot_product_attention(q, k, v)
    seen = key_mask.any(-1)[..., None, None]
    out = F.scaled_dot_product_attention(
        q, _hide(k, key_mask), _hide(v, key_mask), attn_mask=key_mask[..., None, :] | ~seen
    )
    return out.where(seen, 0.0)


def linear_attention(
    phi_q: Float[Tensor, "*#batch n f"],
    phi_k: Float[Tensor, "*#batch m f"],
    v: Float[Tensor, "*#batch m e"],
    key_mask: Bool[Tensor, "*#batch m"] | None = None,
    order: Order = "auto",
    normalised: bool = True,
    eps: float = 0.0,
) -> Float[Tensor, "... n e"]:
    r"""Linear attention, :math:`\phi(Q)\phi(K)^\top V` with rows divided by their sums: equations 2 to 4.

    Args:
        phi_q, phi_k: queries and keys after a feature map.
        order: "qk_first" multiplies (Q K^T) V in O(n m (f + e)), "kv_first" Q (K^T V) in O((n + m) f e); "auto" takes
            the one with fewer multiplications. Outputs and gradients are the same to rounding.
        normalised: whether rows are divided by their sums; see `FEATURE_MAPS` for which map wants it.
        eps: added to the mean similarity before the division, as the official code does (1e-6 there). With 0 a query
            whose similarity to every key is zero gets zeros.

    Returns:
        n x e, in v's dtype; half precision is summed in float32. Products of phi_q and phi_k must stay in the dtype's
        range: entries of 1e20 overflow, of 1e-25 vanish.

    Raises:
        ValueError: shapes that do not fit, an unknown order.
        TypeError: dtypes, as in `softmax_attention`.
    """
    _check("linear_attention", phi_q, phi_k, v, key_mask)
    require_known("order", order, ["auto", "qk_first", "kv_first"])
    dtype = v.dtype
    phi_q, phi_k, v = widen(phi_q), widen(_hide(phi_k, key_mask)), widen(_hide(v, key_mask))
    if order == "auto":
        order = cheaper_order(phi_q.shape[-2], phi_k.shape[-2], phi_k.shape[-1], v.shape[-1])
    phi_k_t = phi_k.transpose(-2, -1)  # not .mT, which the older ONNX exporter does not know
    out = (phi_q @ phi_k_t) @ v if order == "qk_first" else phi_q @ (phi_k_t @ v)
    if not normalised:
        return out.to(dtype)
    total = phi_q @ phi_k.sum(-2).unsqueeze(-1)  # of each query's similarities to all keys
    if eps:
        count = phi_k.shape[-2] if key_mask is None else key_mask.sum(-1)[..., None, None].clamp(min=1).to(out.dtype)
        return (out / (total + eps * count)).to(dtype)
    sees = total != 0
    return (out / total.where(sees, 1.0)).where(sees, 0.0).to(dtype)


def cheaper_order(n: int, m: int, f: int, e: int) -> Literal["qk_first", "kv_first"]:
    """The order with fewer multiplications: n m (f + e) for (Q K^T) V against (n + m) f e for Q (K^T V)."""
    return "qk_first" if n * m * (f + e) <= (n + m) * f * e else "kv_first"


def _check(where: str, q: Tensor, k: Tensor, v: Tensor, key_mask: Tensor | None) -> None:
    require_floating(where, q=q, k=k, v=v)
    require_same_features(where, q=q, k=k)
    require_tokens(where, q=q, k=k, v=v)
    require_key_mask(where, key_mask, k)


def softmax_weights(
    q: Float[Tensor, "*#batch n d"], k: Float[Tensor, "*#batch m d"], key_mask: Bool[Tensor, "*#batch m"] | None = None
) -> Float[Tensor, "... n m"]:
    r"""Softmax attention's weights, :math:`\mathrm{softmax}(QK^\top/\sqrt d)`: equation 1 of Han et al. 2023.

    Returns:
        n x m weights; each row sums to 1, or is zero where all its keys are masked. Products must stay in range.

    Raises:
        ValueError: shapes that do not fit, NaN or Inf.
        TypeError: not floating-point, or two dtypes.
    """
    require_floating("softmax_weights", q=q, k=k)
    require_same_features("softmax_weights", q=q, k=k)
    require_key_mask("softmax_weights", key_mask, k)
    k = _hide(k, key_mask)
    require_finite("softmax_weights", q=q, k=k)
    wide_q, wide_k = widen(q), widen(k)
    logits = wide_q @ wide_k.mT / q.shape[-1] ** 0.5
    if key_mask is None:
        return logits.softmax(-1).to(q.dtype)
    weights = logits.masked_fill(~key_mask[..., None, :], torch.finfo(logits.dtype).min).softmax(-1)
    return (weights * key_mask[..., None, :]).to(q.dtype)


def linear_weights(
    phi_q: Float[Tensor, "*#batch n f"],
    phi_k: Float[Tensor, "*#batch m f"],
    key_mask: Bool[Tensor, "*#batch m"] | None = None,
    normalised: bool = True,
    eps: float = 0.0,
) -> Float[Tensor, "... n m"]:
    r"""Linear attention's weights, :math:`\phi(Q)\phi(K)^\top` with each row divided by its sum: equations 1 and 2.

    Nobody who wants speed forms this map; it is here to be looked at.

    Args:
        phi_q, phi_k: queries and keys after a feature map; with entries >= 0 if rows are to be divided by their sums.
        normalised: whether they are.
        eps: added to the mean similarity before the division; see `linear_attention`.

    Returns:
        n x m weights; each row sums to 1 (less with eps), or is zero where a query's similarity to every key is zero,
        by rounding too: an entry below the dtype's smallest number is a zero.

    Raises:
        ValueError: a negative similarity that would be normalised, shapes that do not fit, NaN or Inf.
        TypeError: not floating-point, or two dtypes.
    """
    require_floating("linear_weights", phi_q=phi_q, phi_k=phi_k)
    require_same_features("linear_weights", phi_q=phi_q, phi_k=phi_k)
    require_key_mask("linear_weights", key_mask, phi_k)
    phi_k = _hide(phi_k, key_mask)
    require_finite("linear_weights", phi_q=phi_q, phi_k=phi_k)
    wide_q, wide_k = widen(phi_q), widen(phi_k)
    if not normalised:
        return (wide_q @ wide_k.mT).to(phi_q.dtype)
    # One number a query and one for all keys cancel in the division; without them products of 1e20 would overflow.
    size_q, size_k = _size(wide_q, -1), _size(wide_k, (-2, -1))
    similarity = (wide_q / size_q) @ (wide_k / size_k).mT
    if not torch.compiler.is_compiling() and (similarity < 0).any():
        raise ValueError(
            f"linear_weights divides rows by their sums and needs similarities >= 0, got {similarity.min().item():.4g}"
            ": apply a feature map with entries >= 0 first, or pass normalised=False"
        )
    count = phi_k.shape[-2] if key_mask is None else key_mask.sum(-1)[..., None, None]
    total = similarity.sum(-1, keepdim=True) + eps * count / size_q / size_k
    return (similarity / total.where(total > 0, 1.0)).to(phi_q.dtype)


def _size(x: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """The largest entry's size, as a constant: 1 where all entries are zero."""
    size = x.detach().abs().amax(dim, keepdim=True) if x.numel() else x.new_ones(())
    return size.where(size > 0, 1.0)
