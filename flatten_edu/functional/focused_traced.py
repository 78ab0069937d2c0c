"""Focused linear attention for a compiler: the fewest operations that are plain tensor algebra.

`torch.compile` joins what stands between two matrix products into one pass by itself, and forms the gradient. What it
cannot do is algebra: a query's factor cancels here as in the fused evaluation.
"""

import torch
from torch import Tensor

from flatten_edu.functional.convolution import depthwise_conv
from flatten_edu.functional.fused_map import POWERS_LAST, ROOM, heads_first
from flatten_edu.functional.pieces import FocusedShape
from flatten_edu.functional.precision import widen


def focused_traced(
    qkv: Tensor, position: Tensor, scale: Tensor, kernel: Tensor | None, bias: Tensor | None, shape: FocusedShape
) -> Tensor:
    """The arguments and the result of `focused_attention`."""
    q, k, v = (widen(t) for t in qkv.chunk(3, dim=-1))
    powered_q, ratio_q = _mapped(q, scale, shape)
    powered_k, ratio_k = _mapped(k + position, scale, shape)
    # With heads in the batch, the compiler itself writes them where a product of matrices wants them.
    queries, keys, values = (heads_first(t, shape).flatten(0, 1) for t in (powered_q, powered_k / ratio_k, v))
    rest = shape.eps * v.shape[1] * ratio_q.transpose(1, 2).expand(-1, shape.num_heads, -1, -1).flatten(0, 1)
    out = queries @ (keys.mT @ values) / (queries @ keys.sum(1).unsqueeze(-1) + rest)
    if kernel is not None:
        out = out + depthwise_conv(values, kernel, bias, shape.grid, shape.class_token)
    return out.unflatten(0, (len(v), -1)).transpose(1, 2).flatten(2).to(qkv.dtype)


def _mapped(t: Tensor, scale: Tensor, shape: FocusedShape) -> tuple[Tensor, Tensor]:
    """(s r)^p [B, N, groups, C / groups] for a positive s of each row, and what is left to divide by."""
    r = ((t.relu() + shape.eps) / scale).unflatten(-1, (shape.groups, -1))
    length = torch.linalg.vector_norm(r, dim=-1, keepdim=True)
    size = length if shape.p <= POWERS_LAST else r.amax(-1, keepdim=True)
    powered = (r * (2 ** (ROOM / max(shape.p, 1)) / size).detach()) ** shape.p
    return powered, torch.linalg.vector_norm(powered, dim=-1, keepdim=True) / length
