"""Softmax attention, linear attention by any feature map, and the paper's module: focused linear attention."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from flatten_edu.functional import (
    FEATURE_MAPS,
    FeatureMap,
    FocusedShape,
    depthwise_conv,
    focused_attention,
    linear_attention,
    linear_weights,
    softmax_attention,
    softmax_weights,
)
from flatten_edu.functional.checks import require_focusing_factor, require_known, require_odd
from flatten_edu.functional.focused import BACKENDS
from flatten_edu.functional.focused_steps import focused_rows
from flatten_edu.functional.precision import widen
from flatten_edu.nn.base import Attention, Heads, full_precision
from flatten_edu.nn.fused_module import focused_module, fused_module_serves

EPS = 1e-6  # of the official code: added after ReLU, and to the mean similarity
_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


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

    def __init__(self, *args: object, feature_map: str = "relu", p: int | float = 3, **kwargs: object):
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
            heads.phi_q, heads.phi_k = self._phi(widen(heads.q), widen(heads.k), key_mask, self.p)
        return heads

    def attend(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n d"]:
        """O(N d^2) a head for N > d."""
        with full_precision(heads.v):
            return linear_attention(heads.phi_q, heads.phi_k, widen(heads.v), key_mask, normalised=self._phi.normalised)

    def weights(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n n"]:
        """phi(Q) phi(K)^T, its rows divided by their sums where the map wants it."""
        return linear_weights(heads.phi_q, heads.phi_k, key_mask, self._phi.normalised)

    def extra_repr(self) -> str:
        """With the feature map."""
        return f"{super().extra_repr()}, feature_map={self.feature_map!r}, p={self.p}"


class FocusedLinearAttention(Attention):
    r"""The paper's module, :math:`O = \phi_p(Q)\phi_p(K)^\top V + \mathrm{DWC}(V)`: equation 12, as the code has it.

    Beyond the equation, after the authors' code: keys get a learned positional encoding; both are divided by
    softplus(scale), a learned number a channel; the norms of f_p run over all C channels, before the split into heads;
    one depthwise convolution, with bias, serves all heads; a class token takes no part in it. Parameters have the
    names and shapes of the authors' FLatten-DeiT.

    Args:
        p: focusing factor, any number above 0.
        kernel_size: of the depthwise convolution, odd.
        dwc: whether there is one.
        norm_over: "channels" as the code has it, or "head" as equation 6 reads.
        attention: False leaves only the depthwise convolution (what does it do alone?).
        backend: of `focused_attention`, which evaluation is to run; "auto" takes the fastest that serves.
        args, kwargs: as `Attention` takes them.

    Raises:
        ValueError: an even kernel, an unknown norm_over or backend, p <= 0, heads that do not divide dim.
    """

    def __init__(
        self,
        *args: object,
        p: int | float = 3,
        kernel_size: int = 5,
        norm_over: Literal["channels", "head"] = "channels",
        dwc: bool = True,
        attention: bool = True,
        backend: str = "auto",
        **kwargs: object,
    ):
        super().__init__(*args, **kwargs)
        require_known("backend", backend, BACKENDS)
        require_focusing_factor(type(self).__name__, p)
        require_odd(type(self).__name__, [kernel_size])
        if norm_over not in ("channels", "head"):
            raise ValueError(f"norm_over is 'channels' or 'head', got {norm_over!r}")
        if not (dwc or attention):
            raise ValueError("FocusedLinearAttention without attention and without dwc computes nothing")
        self.p, self.norm_over, self.attention, self.backend = p, norm_over, attention, backend
        self.positional_encoding = nn.Parameter(torch.zeros(1, self.tokens, self.dim))
        self.scale = nn.Parameter(torch.zeros(1, 1, self.dim))
        convolution = _CONVOLUTIONS[len(self.grid)]
        d = self.head_dim
        self.dwc = convolution(d, d, kernel_size, padding=kernel_size // 2, groups=d) if dwc else None

    def _project(self, x: Tensor, key_mask: Tensor | None) -> Tensor:
        """By `focused_attention`; `heads` and `attend` are the same in steps, for masks and for looking inside."""
        if key_mask is not None or not self.attention:
            return super()._project(x, key_mask)
        weights, shape = self._weights(), self._shape
        if self.backend == "auto" and fused_module_serves(x, self.qkv, self.proj, weights, shape):
            return focused_module(x, self.qkv, self.proj, weights, shape)
        qkv = self.qkv(x)
        with full_precision(x):
            out = focused_attention(qkv, *weights, shape, self.backend)
        return self.proj(out.to(x.dtype))

    @property
    def _shape(self) -> FocusedShape:
        return FocusedShape(self.num_heads, self.grid, self.class_token, self.p, self.norm_over, EPS)

    def _weights(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """Positional encoding, scale, and the convolution that serves all heads."""
        position, scale = widen(self.positional_encoding), F.softplus(widen(self.scale)).flatten()
        if self.dwc is None:
            return position, scale, None, None
        return position, scale, widen(self.dwc.weight).squeeze(1), widen(self.dwc.bias)

    def heads(self, x: Float[Tensor, "b n c"], key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Heads:
        """With phi_p of queries and keys; k carries its positional encoding."""
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        position, scale, *_ = self._weights()
        with full_precision(x):
            phi_q, phi_k = focused_rows(q, k, position, scale, self._shape)
        return Heads(self.split(q), self.split(k + self.positional_encoding), self.split(v), phi_q, phi_k)

    def attend(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n d"]:
        """Focused attention and the depthwise convolution of the values, added."""
        with full_precision(heads.v):
            v = widen(heads.v)
            if key_mask is not None:
                v = v.masked_fill(~key_mask[..., None], 0)
            parts = []
            if self.attention:
                parts.append(linear_attention(heads.phi_q, heads.phi_k, v, key_mask, eps=EPS))
            if self.dwc is not None:
                weight, bias = widen(self.dwc.weight).squeeze(1), widen(self.dwc.bias)
                parts.append(depthwise_conv(v, weight, bias, self.grid, self.class_token))
            return sum(parts[1:], parts[0])

    def weights(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n n"]:
        """phi_p(Q) phi_p(K)^T rows divided by their sums and eps; `equivalent_map` adds the convolution's share."""
        if not self.attention:
            return heads.q.new_zeros(*heads.q.shape[:3], heads.q.shape[2])
        return linear_weights(heads.phi_q, heads.phi_k, key_mask, eps=EPS)

    def extra_repr(self) -> str:
        """With the module's own settings."""
        return f"{super().extra_repr()}, p={self.p}, norm_over={self.norm_over!r}, attention={self.attention}"
