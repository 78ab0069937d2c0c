"""Focused linear attention between its two projections, in few passes over memory and few calls.

What makes it cheap, and exact:

- Tokens are taken a piece at a time, so that what stands between two operations stays in the processor's cache; few
  tokens all at once, in as few calls as may be.
- A query's positive factor |r| / |r^p| cancels between numerator and denominator (all but eps, which is divided by
  it), so it is never multiplied.
- Rows are divided by their length before the power only where that may leave float32's range.
- The sum of mapped keys stands as one more column beside K^T V, so that one product gives numerator and denominator.

Book: the chapter "Time it on your own hardware". Twin: `focused_attention` with backend="steps".
"""

import torch
from torch import Tensor

from flatten_edu.functional.convolution import depthwise_conv_rows
from flatten_edu.functional.fused_at_once import attend_at_once
from flatten_edu.functional.fused_map import Mapped, for_all_heads, heads_first, map_rows, ratio_to_sums, stretch
from flatten_edu.functional.pieces import FocusedShape, Piece, Workspace, pieces


class Rows:
    """The rows r = (relu(t + position) + eps) / scale of queries and keys, and the values, of one call; by pieces.

    Args:
        qkv: [B, N, 3 C]; position: [1, N, C], added to the keys; scale: [C], positive.
        keep: whether `Mapped.unit` is wanted.
    """

    def __init__(self, qkv: Tensor, position: Tensor, scale: Tensor, shape: FocusedShape, keep: bool = False):
        self._start(qkv, scale, shape)
        self.q, self.k, self.v = qkv.chunk(3, dim=-1)
        self._position, self._keep = position, keep

    def _start(self, x: Tensor, scale: Tensor, shape: FocusedShape, times: int = 1) -> None:
        self.shape, self.pieces = shape, pieces(shape, x, times)
        self.work = Workspace(scale)
        self.inverse = scale.reciprocal().mul_(stretch(shape.p))
        self.floor = shape.eps * self.inverse

    def queries(self, piece: Piece) -> Mapped:
        """Mapped queries, in a buffer that the next piece overwrites."""
        return self._mapped(piece.of(self.q), None)

    def keys(self, piece: Piece) -> Mapped:
        """Mapped keys, in the queries' buffer."""
        return self._mapped(piece.of(self.k), self._position[:, piece.tokens])

    def values(self, piece: Piece) -> Tensor:
        """[b, h, n, d]."""
        return heads_first(piece.of(self.v), self.shape).to(self.inverse.dtype)

    def total(self, parts: list[tuple[Piece, Tensor]]) -> Tensor:
        """Sums over each image's tokens [B, ...] from those of pieces [b, ...]."""
        if len(parts) == 1:
            return parts[0][1]
        total = parts[0][1].new_zeros(len(self.v), *parts[0][1].shape[1:])
        for piece, part in parts:
            total[piece.images] += part
        return total

    def _mapped(self, t: Tensor, position: Tensor | None) -> Mapped:
        # (relu(t) + eps) / scale is the larger of (t + eps) / scale and eps / scale: two passes.
        r = torch.addcmul(self.floor, t, self.inverse, out=self.work("rows", *t.shape))
        if position is not None:
            r.addcmul_(position, self.inverse)
        return self.map(torch.maximum(r, self.floor, out=r))

    def map(self, r: Tensor) -> Mapped:
        """Map rows [b, n, C]."""
        r = r.unflatten(-1, (self.shape.groups, -1))
        return map_rows(r, self.shape.p, self.work("powered", *r.shape) if self._keep else None)


def sum_keys(rows: Rows) -> Tensor:
    """phi(K)^T V, and beside it as one more column the sum of mapped keys: [B, h, d, d + 1]."""
    return rows.total([(piece, _sums(rows, piece)) for piece in rows.pieces])


def _sums(rows: Rows, piece: Piece) -> Tensor:
    values, keys = rows.values(piece), rows.keys(piece)
    phi = heads_first(keys.powered.mul_(keys.length / keys.powered_length), rows.shape)
    return torch.cat([phi.mT @ values, phi.sum(2).unsqueeze(-1)], -1)


def sums_and_similarities(rows: Rows, queries: Mapped, sums: Tensor) -> tuple[Tensor, Tensor]:
    """Each query's weighted sum of values [b, h, n, d] and of weights [b, h, n, 1], up to the same factor."""
    powered = heads_first(queries.powered, rows.shape)
    both = torch.matmul(powered, sums, out=rows.work("both", *powered.shape[:3], sums.shape[-1]))
    weighted, similarity = both.split_with_sizes((both.shape[-1] - 1, 1), -1)
    times = ratio_to_sums(rows.shape, rows.v.shape[1])
    return weighted, similarity.add_(queries.ratio.transpose(1, 2), alpha=times)


def attend(rows: Rows, piece: Piece, sums: Tensor, kernel: Tensor | None, bias: Tensor | None, out: Tensor) -> None:
    """Fill out [b, n, C]: each query's weighted mean of values, and their convolution; its kernel is for all heads."""
    shape = rows.shape
    weighted, similarity = sums_and_similarities(rows, rows.queries(piece), sums[piece.images])
    out = heads_first(out, shape)
    if kernel is None:
        torch.div(weighted, similarity, out=out)
        return
    v = rows.v[piece.images].to(kernel.dtype)
    local = heads_first(depthwise_conv_rows(v, kernel, bias, shape.grid, shape.class_token, piece.rows), shape)
    front = out.shape[2] - local.shape[2]  # 1 where the class token stands in front, which takes no part
    if front:
        torch.div(weighted[:, :, :front], similarity[:, :, :front], out=out[:, :, :front])
        weighted, similarity, out = (t[:, :, front:] for t in (weighted, similarity, out))
    torch.addcdiv(local, weighted, similarity, out=out)


def fused_attention(
    qkv: Tensor, position: Tensor, scale: Tensor, kernel: Tensor | None, bias: Tensor | None, shape: FocusedShape
) -> tuple[Tensor, Tensor]:
    """The arguments of `focused_attention`: its output, and what `sum_keys` gives on the way."""
    if len(pieces(shape, qkv)) == 1:
        return attend_at_once(qkv, position, scale, kernel, bias, shape)
    rows = Rows(qkv, position, scale, shape)
    sums, out = sum_keys(rows), qkv.new_empty(rows.v.shape)
    kernel, bias = for_all_heads(kernel, shape), for_all_heads(bias, shape)
    for piece in rows.pieces:
        attend(rows, piece, sums, kernel, bias, piece.of(out))
    return out, sums
