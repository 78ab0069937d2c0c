"""The fused attention's gradient, written out: it keeps q, k and v alone and forms the maps anew, piece by piece.

With u = c r, w = u^p and phi = |r| w / |w|, equation 6 has, for a cotangent g of phi and s = g . w, the gradient

    u s / (c |r| |w|)  +  u^(p-1) (p c |r| / |w|) (g - w s / |w|^2):

the length's share along r, and the direction's across w; c is any number of a row. A query's s holds nothing but eps,
since its length cancels in the division.
"""

from typing import Any

import torch
from torch import Tensor

from flatten_edu.functional.convolution import depthwise_conv_rows, depthwise_kernel_gradient
from flatten_edu.functional.focused_steps import focused_steps
from flatten_edu.functional.fused import (
    Mapped,
    Rows,
    ask_queries,
    denominators,
    heads_first,
    power,
    sum_keys,
    sum_over_tokens,
)
from flatten_edu.functional.pieces import FocusedShape, Piece


class FusedAttention(torch.autograd.Function):
    """qkv [B, N, 3 C], position [1, N, C], scale [C], kernel [C, *sides], bias [C] -> [B, N, C] in qkv's dtype."""

    @staticmethod
    def forward(ctx: Any, *inputs: Tensor | FocusedShape | None) -> Tensor:
        qkv, position, scale, kernel, bias, shape = inputs
        rows = Rows(qkv, position, scale, shape)
        kv, mean = sum_keys(rows)
        out = qkv.new_empty(rows.v.shape)
        for piece, attended in ask_queries(rows, kv, mean, kernel, bias):
            piece.of(out).copy_(attended)
        ctx.save_for_backward(qkv, position, scale, kernel, bias, kv, mean)
        ctx.shape = shape
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, kv, mean = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants this gradient's gradient
            return (*_gradient_of_steps(inputs, ctx.shape, grad), None)
        return (*_Gradient(inputs, ctx.shape, kv, mean, grad).all(), None)


def _gradient_of_steps(inputs: list[Tensor | None], shape: FocusedShape, grad: Tensor) -> list[Tensor | None]:
    wanted = [x for x in inputs if x is not None and x.requires_grad]
    found = iter(torch.autograd.grad(focused_steps(*inputs, shape), wanted, grad, create_graph=True))
    return [next(found) if x is not None and x.requires_grad else None for x in inputs]


class _Gradient:
    def __init__(self, inputs: list[Tensor | None], shape: FocusedShape, kv: Tensor, mean: Tensor, grad: Tensor):
        qkv, self._position, scale, self._kernel, self._bias = inputs
        self._rows = Rows(qkv, self._position, scale, shape)
        self._shape, self._work, self._scale = shape, self._rows.work, scale
        self._kv, self._mean, self._grad = kv, mean, grad.to(scale.dtype)
        self._for_kv = torch.zeros_like(kv)
        self._for_mean = torch.zeros_like(mean)
        self._for_qkv = torch.empty_like(qkv, memory_format=torch.contiguous_format)
        self._for_position = torch.zeros_like(self._position)
        self._for_scale = torch.zeros_like(scale)
        self._for_kernel = None

    def all(self) -> tuple[Tensor | None, ...]:
        """Of qkv, position, scale, kernel and bias."""
        to_q, to_k, to_v = self._for_qkv.chunk(3, dim=-1)
        tokens = self._grad.shape[1]
        for piece in self._rows.pieces:
            self._queries(piece, to_q)
        self._for_kv /= tokens
        self._for_mean /= tokens
        for piece in self._rows.pieces:
            self._keys_and_values(piece, to_k, to_v)
        if self._kernel is not None:
            cells = self._cells(self._rows.v), self._cells(self._grad)
            self._for_kernel = depthwise_kernel_gradient(*cells, self._shape.grid, self._kernel.shape[1:])
        for_bias = None if self._bias is None else self._cells(self._grad).sum((0, 1))
        return self._for_qkv, self._for_position, self._for_scale / -self._scale, self._for_kernel, for_bias

    def _queries(self, piece: Piece, into: Tensor) -> None:
        shape, images = self._shape, piece.images
        unit = self._buffer("unit", piece)
        queries = self._rows.queries(piece, unit)
        z = denominators(queries, self._mean[images], shape)
        grad = piece.of(self._grad).unflatten(-1, (shape.num_heads, -1))
        divided = torch.mul(grad, z.transpose(1, 2), out=self._work("divided", *grad.shape)).transpose(1, 2)
        powered = heads_first(queries.powered, shape)
        toward = divided @ self._kv[images].mT
        weight = z * self._products(powered, toward)
        self._for_kv[images] += powered.mT @ divided
        self._for_mean[images] -= powered.mT @ weight
        toward.addcmul_(weight, self._mean[images].mT, value=-1)  # the factor times the cotangent of phi
        factor = queries.factor
        along = shape.eps * self._per_group(weight.transpose(1, 2)) / factor.square()
        across = shape.p * queries.scaling
        t = self._through_map(queries, unit, toward.transpose(1, 2), across, along)
        self._to_input(piece, t, queries, into)

    def _keys_and_values(self, piece: Piece, to_k: Tensor, to_v: Tensor) -> None:
        shape, images = self._shape, piece.images
        unit = self._buffer("unit", piece)
        keys = self._rows.keys(piece, unit)
        powered = heads_first(keys.powered, shape)
        values = heads_first(self._rows.values(piece), shape).to(self._grad.dtype)
        toward = values @ self._for_kv[images].mT + self._for_mean[images].mT
        along = self._per_group(self._products(powered, toward).transpose(1, 2))
        across = shape.p * keys.scaling * keys.factor
        self._values(piece, powered @ self._for_kv[images], keys.factor, to_v)
        t = self._through_map(keys, unit, toward.transpose(1, 2), across, along)
        self._to_input(piece, t, keys, to_k)
        self._for_position[:, piece.tokens] += piece.of(to_k).sum(0)

    def _values(self, piece: Piece, summed: Tensor, factor: Tensor, into: Tensor) -> None:
        """The share of K^T V, and that of the convolution: the one by the mirrored kernel."""
        shape = self._shape
        target = piece.of(into).unflatten(-1, (shape.num_heads, -1))
        if self._kernel is None:
            target.copy_(summed.transpose(1, 2) * factor)
            return
        mirrored = self._kernel.flip(list(range(1, self._kernel.ndim)))
        local = depthwise_conv_rows(self._grad[piece.images], mirrored, None, shape.grid, shape.class_token, piece.rows)
        local = local.unflatten(-1, (shape.num_heads, -1))
        target.copy_(local.addcmul_(summed.transpose(1, 2), factor))

    def _through_map(self, rows: Mapped, unit: Tensor, toward: Tensor, across: Tensor, along: Tensor) -> Tensor:
        """The gradient of r, [images, tokens, C], from `toward`; `across` and `along` are numbers a row and group."""
        p, work = self._shape.p, self._work
        per_group = self._per_group_view
        t = torch.mul(toward, across, out=work("t", *toward.shape)).flatten(2)
        inner = along / (rows.powered_length * rows.length)
        straight = inner / rows.scaling
        bent = -p * rows.scaling * inner * rows.length.square() / rows.powered_length.square()
        per_group(t).addcmul_(per_group(rows.powered), bent)
        t *= power(unit, p, p - 1, out=rows.powered)
        per_group(t).addcmul_(per_group(unit), straight)
        self._for_scale += sum_over_tokens(rows.scaling.reciprocal(), unit.mul_(t)).sum(0)
        return t

    def _to_input(self, piece: Piece, t: Tensor, rows: Mapped, into: Tensor) -> None:
        torch.mul(t.mul_(rows.positive), self._rows.inverse, out=piece.of(into))

    def _buffer(self, name: str, piece: Piece) -> Tensor:
        return self._work(name, *piece.of(self._grad).shape)

    def _products(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.mul(x, y, out=self._work("products", *y.shape)).sum(-1, keepdim=True)

    def _per_group_view(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self._shape.groups, -1))

    def _per_group(self, per_head: Tensor) -> Tensor:
        """[images, tokens, h, 1], summed over the heads where one norm runs over all of them."""
        return per_head if self._shape.groups > 1 else per_head.sum(-2, keepdim=True)

    def _cells(self, x: Tensor) -> Tensor:
        return x[:, 1:] if self._shape.class_token else x
