"""Focused linear attention between its two projections, in few passes over memory.

What makes it cheap, and exact:

- Tokens are taken a piece at a time, so that what stands between two operations stays in the processor's cache.
- A query's positive factor |r| / |r^p| cancels between numerator and denominator (all but eps, which is divided by
  it), so it is never multiplied. A key's factor goes into its value.
- Rows are brought to a length whose powers are ordinary numbers. Divided by their largest entry, the cubes of what
  ReLU left at eps are denormal, and a processor takes ten times as long over those.
- The convolution runs over all heads at once, on the layout that the projection left.

Book: the chapter "Time it on your own hardware". Twin: `focused_attention` with backend="twin".
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from flatten_edu.functional.convolution import depthwise_conv_rows
from flatten_edu.functional.pieces import FocusedShape, Piece, Workspace, pieces

ROOM = 40  # bits: a mapped row has a length of about 2**40 before its factor
_LENGTH_WILL_DO = 4  # up to this p, powers of a row of length 1 do not vanish, however even it is


@dataclass
class Mapped:
    """Rows of queries or keys, [images, tokens, C], with f_p(r) = factor * powered.

    The others are numbers a row, [images, tokens, 1, 1], or a row and head, [images, tokens, h, 1].
    """

    powered: Tensor  # (scaling * r)**p
    scaling: Tensor
    length: Tensor  # |r|
    powered_length: Tensor
    positive: Tensor | None = None  # what ReLU let pass, where a gradient asks for it

    @property
    def factor(self) -> Tensor:
        """What is left to multiply."""
        return self.length / self.powered_length


class Rows:
    """The rows r = (relu(t + position) + eps) / scale of queries and keys, and the values, of one call; by pieces.

    Args:
        qkv: [B, N, 3 C]; position: [1, N, C], added to the keys; scale: [C], positive.
    """

    def __init__(self, qkv: Tensor, position: Tensor, scale: Tensor, shape: FocusedShape):
        self.q, self.k, self.v = qkv.chunk(3, dim=-1)
        self.shape = shape
        self.inverse = scale.reciprocal()
        self.floor = shape.eps * self.inverse
        self._key_shift = torch.addcmul(self.floor, position, self.inverse)
        self.work = Workspace(scale)
        self.pieces = list(pieces(shape, qkv))

    def queries(self, piece: Piece, unit: Tensor | None = None) -> Mapped:
        """Mapped queries, in a buffer that the next piece overwrites; `unit` as in `powered_rows`."""
        return self._mapped(piece.of(self.q), self.floor, unit)

    def keys(self, piece: Piece, unit: Tensor | None = None) -> Mapped:
        """Mapped keys, in the queries' buffer."""
        return self._mapped(piece.of(self.k), self._key_shift[:, piece.tokens], unit)

    def values(self, piece: Piece) -> Tensor:
        """[images, tokens, C]."""
        return piece.of(self.v)

    def _mapped(self, t: Tensor, shift: Tensor, unit: Tensor | None) -> Mapped:
        # (relu(t) + eps) / scale is the larger of (t + eps) / scale and eps / scale: two passes.
        r = torch.addcmul(shift, t, self.inverse, out=self.work("r", *t.shape))
        torch.maximum(r, self.floor, out=r)
        positive = None if unit is None else r > self.floor
        mapped = powered_rows(r, self.shape, unit)
        mapped.positive = positive
        return mapped


def powered_rows(r: Tensor, shape: FocusedShape, unit: Tensor | None = None) -> Mapped:
    """Map rows [images, tokens, C] with entries > 0, in place; `unit` is filled with scaling * r."""
    unit = r if unit is None else unit
    groups, units = (t.unflatten(-1, (shape.groups, -1)) for t in (r, unit))
    length = _lengths(groups)
    size = length if shape.p <= _LENGTH_WILL_DO else groups.amax(-1, keepdim=True)
    scaling = 2 ** (ROOM / max(shape.p, 1)) / size
    torch.mul(groups, scaling, out=units)
    power(unit, shape.p, shape.p, out=r)
    return Mapped(r, scaling, length, _lengths(groups))


def power(unit: Tensor, p: int | float, exponent: int | float, out: Tensor) -> Tensor:
    """unit**exponent, for exponents p and p - 1. A p-th power below 2**-100 of the largest is raised to that.

    Such an entry counts for nothing, but a denormal one takes time.
    """
    base = unit if p <= _LENGTH_WILL_DO else torch.clamp_min(unit, 2 ** (-60 / p), out=out)
    return torch.pow(base, exponent, out=out)


def _lengths(groups: Tensor) -> Tensor:
    return torch.linalg.vector_norm(groups, dim=-1, keepdim=True)


def heads_first(x: Tensor, shape: FocusedShape) -> Tensor:
    """[B, N, C] seen as [B, h, N, d]."""
    return x.unflatten(-1, (shape.num_heads, -1)).transpose(1, 2)


def sum_keys(rows: Rows) -> tuple[Tensor, Tensor]:
    """phi(K)^T V / N, [B, h, d, d], and the mean mapped key, [B, h, d, 1]."""
    images, tokens, channels = rows.v.shape
    h, d = rows.shape.num_heads, channels // rows.shape.num_heads
    kv, mean = rows.inverse.new_zeros(images, h, d, d), rows.inverse.new_zeros(images, channels)
    for piece in rows.pieces:
        keys = rows.keys(piece)
        values = rows.values(piece).unflatten(-1, (h, d))
        factor = keys.factor
        weighted = torch.mul(values, factor, out=rows.work("weighted", *values.shape))
        kv[piece.images] += heads_first(keys.powered, rows.shape).mT @ weighted.transpose(1, 2)
        mean[piece.images] += sum_over_tokens(factor, keys.powered)
    return kv.div_(tokens), mean.div_(tokens).view(images, h, d, 1)


def sum_over_tokens(factor: Tensor, powered: Tensor) -> Tensor:
    """The sum of factor * powered: [images, C]."""
    if factor.shape[-2] == 1:
        return (factor[..., 0].mT @ powered).squeeze(1)
    return (powered.unflatten(-1, (*factor.shape[2:3], -1)) * factor).sum(1).flatten(1)


def ask_queries(
    rows: Rows, kv: Tensor, mean: Tensor, kernel: Tensor | None, bias: Tensor | None
) -> Iterator[tuple[Piece, Tensor]]:
    """Piece by piece: each query's weighted mean of values, and the values' convolution, [images, tokens, C]."""
    shape = rows.shape
    for piece in rows.pieces:
        queries = rows.queries(piece)
        z = denominators(queries, mean[piece.images], shape).transpose(1, 2)
        sums = (heads_first(queries.powered, shape) @ kv[piece.images]).transpose(1, 2)
        if kernel is None:
            yield piece, (sums * z).flatten(2)
            continue
        local = depthwise_conv_rows(rows.v[piece.images], kernel, bias, shape.grid, shape.class_token, piece.rows)
        local.unflatten(-1, (shape.num_heads, -1)).addcmul_(sums, z)
        yield piece, local


def denominators(queries: Mapped, mean: Tensor, shape: FocusedShape) -> Tensor:
    """1 / (powered . mean key + eps / factor), [images, h, tokens, 1]."""
    similarity = heads_first(queries.powered, shape) @ mean
    return similarity.add_((shape.eps / queries.factor).transpose(1, 2)).reciprocal_()
