"""Of the linear attentions that the paper's table 3 compares with, the two that are more than a feature map."""

import math
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from flatten_edu.functional import linear_attention, linear_weights, unit_rows
from flatten_edu.functional.checks import require_odd
from flatten_edu.functional.widen import widen
from flatten_edu.nn.base import Attention, Heads, full_precision, mapped


class HydraAttention(Attention):
    """Hydra attention (Bolya et al. 2022): as many heads as channels, cosine similarity, O(N C) in all.

    Queries and keys are divided by their length over all C channels before they are split; a head is one channel,
    so `num_heads` changes nothing and is there to be called like the others. Nothing is divided by a row's sum.
    """

    def heads(self, x: Float[Tensor, "b n c"], key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Heads:
        """C heads of one channel."""
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        with full_precision(x):
            phi_q, phi_k = unit_rows(widen(q)), unit_rows(widen(k))
        return Heads(*(t.transpose(-2, -1)[..., None] for t in (q, k, v, phi_q, phi_k)))

    def attend(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n d"]:
        """phi(q) times the sum over the tokens of phi(k) v, channel by channel."""
        with full_precision(heads.v):
            return linear_attention(*mapped(heads), widen(heads.v), key_mask, normalised=False)

    def weights(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n n"]:
        """One map of rank 1 a channel."""
        return linear_weights(*mapped(heads), key_mask, normalised=False)


class LinearAngularAttention(Attention):
    """Linear-angular attention (Castling-ViT, You et al. 2023) at inference: V / 2 + Q (K^T V) / pi + convolution.

    Queries and keys have length 1. The sum is divided by its own length, token by token, and a depthwise convolution
    of the values along the sequence, one kernel a head and no bias, is added. The softmax branch that the paper adds
    in training, and drops after it, is not there.

    Args:
        kernel_size: of the convolution, odd; 9 in the authors' code.
        args, kwargs: as `Attention` takes them.
    """

    def __init__(self, *args: Any, kernel_size: int = 9, **kwargs: Any):
        super().__init__(*args, **kwargs)
        require_odd(type(self).__name__, [kernel_size])
        h = self.num_heads
        self.dconv = nn.Conv2d(h, h, (kernel_size, 1), padding=(kernel_size // 2, 0), groups=h, bias=False)

    def heads(self, x: Float[Tensor, "b n c"], key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Heads:
        """With queries and keys of length 1."""
        heads = super().heads(x)
        with full_precision(x):
            phi_q, phi_k = unit_rows(widen(heads.q)), unit_rows(widen(heads.k))
        return heads._replace(phi_q=phi_q, phi_k=phi_k)

    def attend(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n d"]:
        """The linear part of 1 - angle / pi, as the authors' code sums it."""
        with full_precision(heads.v):
            v = widen(heads.v)
            if key_mask is not None:
                v = v.masked_fill(~key_mask[..., None], 0)
            out = v / 2 + linear_attention(*mapped(heads), v, key_mask, normalised=False) / math.pi
        local = self.dconv(v.to(heads.v.dtype))
        return unit_rows(out) + local

    def weights(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n n"]:
        """I / 2 + Q K^T / pi, before the division by the output's length."""
        phi_q, phi_k = mapped(heads)
        half = torch.eye(phi_q.shape[2], dtype=phi_q.dtype, device=phi_q.device) / 2
        if key_mask is not None:
            half = half * key_mask[..., None, :]
        return half + linear_weights(phi_q, phi_k, key_mask, normalised=False) / math.pi
