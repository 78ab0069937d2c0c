"""Softmax attention, and linear attention by any feature map."""

from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor

from flatten_edu.functional import (
    DEFAULT_P,
    FEATURE_MAPS,
    FeatureMap,
    linear_attention,
    linear_weights,
    softmax_attention,
    softmax_weights,
)
from flatten_edu.functional.checks import require_focusing_factor, require_known
from flatten_edu.functional.widen import widen
from flatten_edu.nn.base import Attention, Heads, full_precision, mapped


class SoftmaxAttention(Attention):
    """Multi-head softmax attention (equation 1), as in DeiT; by PyTorch's fused kernel."""

    def attend(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n d"]:
        """O(N^2 d) a head."""
        return softmax_attention(heads.q, heads.k, heads.v, key_mask)

    def weights(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n n"]:
        """softmax(Q K^T / sqrt d)."""
        return softmax_weights(heads.q, heads.k, key_mask)


class LinearAttention(Attention):
    """Linear attention (equations 2 to 4) by one of `FEATURE_MAPS`, head by head. With "relu" the vanilla of table 4.

    Args:
        feature_map: a name in `FEATURE_MAPS`.
        p: focusing factor, for the focused map alone.
        args, kwargs: as `Attention` takes them.
    """

    def __init__(self, *args: Any, feature_map: str = "relu", p: int | float = DEFAULT_P, **kwargs: Any):
        super().__init__(*args, **kwargs)
        require_focusing_factor(type(self).__name__, p)
        self.feature_map, self.p = require_known("feature map", feature_map, FEATURE_MAPS), p

    @property
    def _phi(self) -> FeatureMap:
        return FEATURE_MAPS[self.feature_map]

    def heads(self, x: Float[Tensor, "b n c"], key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Heads:
        """With phi of each head's queries and keys."""
        heads = super().heads(x)
        with full_precision(x):
            phi_q, phi_k = self._phi(widen(heads.q), widen(heads.k), key_mask, self.p)
        return heads._replace(phi_q=phi_q, phi_k=phi_k)

    def attend(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n d"]:
        """O(N d^2) a head for N > d."""
        with full_precision(heads.v):
            return linear_attention(*mapped(heads), widen(heads.v), key_mask, normalised=self._phi.normalised)

    def weights(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n n"]:
        """phi(Q) phi(K)^T, its rows divided by their sums where the map wants it."""
        return linear_weights(*mapped(heads), key_mask, self._phi.normalised)

    def extra_repr(self) -> str:
        """With the feature map."""
        return f"{super().extra_repr()}, feature_map={self.feature_map!r}, p={self.p}"
