"""The fused attention of few tokens: queries and keys mapped in the same calls, and each call made once.

Below a thousand tokens a processor takes longer to find its way into an operation than over the arithmetic in it.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from flatten_edu.functional.convolution import depthwise_conv_rows
from flatten_edu.functional.fused_map import for_all_heads, map_rows, ratio_to_sums, stretch
from flatten_edu.functional.pieces import FocusedShape


def attend_at_once(
    qkv: Tensor, position: Tensor, scale: Tensor, kernel: Tensor | None, bias: Tensor | None, shape: FocusedShape
) -> tuple[Tensor, Tensor]:
    """The arguments of `focused_attention`: its output, and phi(K)^T V beside the sum of mapped keys."""
    (b, n, _), h, g = qkv.shape, shape.num_heads, shape.groups
    qk, v = qkv.unflatten(-1, (3, -1)).split_with_sizes((2, 1), 2)
    r = _rows(qk, position, scale, shape)
    mapped = map_rows(r.view(b, n, 2, g, -1), shape.p)
    ratio_q, ratio_k = (mapped.powered_length / mapped.length).unbind(2)
    mapped.powered.select(2, 1).div_(ratio_k)
    queries, keys = r.view(b, n, 2, h, -1).unbind(2)
    values = v.reshape(b, n, h, -1).to(r.dtype)
    kv = keys.permute(0, 2, 3, 1) @ values.transpose(1, 2)
    sums = torch.cat([kv, keys.sum(1).unsqueeze(-1)], -1)
    both = queries.transpose(1, 2) @ sums
    weighted, similarity = both.transpose(1, 2).split_with_sizes((values.shape[-1], 1), -1)
    similarity.add_(ratio_q, alpha=ratio_to_sums(shape, n))
    if kernel is None:
        return (weighted / similarity).flatten(2).to(qkv.dtype), sums
    kernel, bias = for_all_heads(kernel, shape), for_all_heads(bias, shape)
    local = depthwise_conv_rows(values.flatten(2), kernel, bias, shape.grid, shape.class_token)
    local = F.pad(local, (0, 0, 1, 0)) if shape.class_token else local
    local.view(b, n, h, -1).addcdiv_(weighted, similarity)
    return local.to(qkv.dtype), sums


def _rows(qk: Tensor, position: Tensor, scale: Tensor, shape: FocusedShape) -> Tensor:
    """stretch * (relu(t) + eps) / scale of queries and keys, [b, n, 2, C]: the larger of that without relu and of 0."""
    times = stretch(shape.p)
    inverse = scale.reciprocal()
    floor = inverse * (times * shape.eps)
    r = torch.addcmul(floor, qk, inverse, value=times)
    r.select(2, 1).addcmul_(position, inverse, value=times)
    return torch.maximum(r, floor, out=r)
