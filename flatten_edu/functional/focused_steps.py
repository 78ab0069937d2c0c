"""Focused linear attention between its two projections, step by step: what the fused one is held to."""

from torch import Tensor

from flatten_edu.functional.attention import linear_attention
from flatten_edu.functional.convolution import depthwise_conv
from flatten_edu.functional.feature_maps import sharpen
from flatten_edu.functional.pieces import FocusedShape
from flatten_edu.functional.precision import widen


def focused_rows(q: Tensor, k: Tensor, position: Tensor, scale: Tensor, shape: FocusedShape) -> tuple[Tensor, Tensor]:
    """phi_p of queries and keys [B, N, C], heads first: [B, h, N, d]."""

    def phi(t: Tensor) -> Tensor:
        r = (widen(t).relu() + shape.eps) / scale
        return sharpen(split(r, shape), shape.p) if shape.norm_over == "head" else split(sharpen(r, shape.p), shape)

    return phi(q), phi(k + position)


def split(x: Tensor, shape: FocusedShape) -> Tensor:
    """[B, N, C] as [B, h, N, d]."""
    return x.unflatten(-1, (shape.num_heads, -1)).transpose(1, 2)


def focused_steps(
    qkv: Tensor, position: Tensor, scale: Tensor, kernel: Tensor | None, bias: Tensor | None, shape: FocusedShape
) -> Tensor:
    """Twin of `FusedAttention`: the same arguments, differentiable as often as you like."""
    q, k, v = qkv.chunk(3, dim=-1)
    phi_q, phi_k = focused_rows(q, k, position, scale, shape)
    out = linear_attention(phi_q, phi_k, widen(split(v, shape)), eps=shape.eps).transpose(1, 2).flatten(2)
    if kernel is not None:
        local = depthwise_conv(widen(split(v, shape)), kernel, bias, shape.grid, shape.class_token)
        out = out + local.transpose(1, 2).flatten(2)
    return out.to(qkv.dtype)
