"""The fused attention's gradient, written out: it keeps q, k and v alone and forms the maps anew, piece by piece.

With u = c r, w = u^p, ratio = |w| / |r| and phi = w / ratio, equation 6 has, for a cotangent g of phi and e = g . w,
the gradient (for c = 1)

    (p u^(p-1) (g - w e / |w|^2) + u e / |r|^2) / ratio

of r: the direction's across w, and the length's along r. A query meets the rest as w, without its ratio, since that
cancels in the division by similarities; its e holds nothing but eps.
"""

from typing import Any

import torch
from torch import Tensor

from flatten_edu.functional.convolution import depthwise_gradients
from flatten_edu.functional.focused_steps import focused_steps
from flatten_edu.functional.fused import Rows, fused_attention, sums_and_similarities
from flatten_edu.functional.fused_map import Mapped, heads_first, power, ratio_to_sums
from flatten_edu.functional.pieces import FocusedShape, Piece


class FusedAttention(torch.autograd.Function):
    """qkv [B, N, 3 C], position [1, N, C], scale [C], kernel [C, *sides], bias [C] -> [B, N, C] in qkv's dtype."""

    @staticmethod
    def forward(ctx: Any, *inputs: Tensor | FocusedShape | None) -> Tensor:
        qkv, position, scale, kernel, bias, shape = inputs
        out, sums = fused_attention(qkv, position, scale, kernel, bias, shape)
        ctx.save_for_backward(qkv, position, scale, kernel, bias, sums)
        ctx.shape = shape
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, sums = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants this gradient's gradient
            return (*_gradient_of_steps(inputs, ctx.shape, grad), None)
        return (*_Gradient(inputs, ctx.shape, sums, grad).all(), None)


def _gradient_of_steps(inputs: list[Tensor | None], shape: FocusedShape, grad: Tensor) -> list[Tensor | None]:
    wanted = [x for x in inputs if x is not None and x.requires_grad]
    found = iter(torch.autograd.grad(focused_steps(*inputs, shape), wanted, grad, create_graph=True))
    return [next(found) if x is not None and x.requires_grad else None for x in inputs]


class _Gradient:
    def __init__(self, inputs: list[Tensor | None], shape: FocusedShape, sums: Tensor, grad: Tensor):
        qkv, self._position, self._scale, self._kernel, self._bias = inputs
        self._rows = Rows(qkv, self._position, self._scale, shape, keep=True)
        self._shape, self._work, self._sums = shape, self._rows.work, sums
        self._grad = heads_first(grad.to(self._scale.dtype), shape)
        self._for_qkv = torch.empty_like(qkv, memory_format=torch.contiguous_format)
        self._for_position = torch.zeros_like(self._position)
        self._for_scale = torch.zeros_like(self._scale)
        self._times = ratio_to_sums(shape, qkv.shape[1])
        self._factor = shape.p * self._rows.inverse

    def all(self) -> tuple[Tensor | None, ...]:
        """Of qkv, position, scale, kernel and bias."""
        to_q, to_k, to_v = self._for_qkv.chunk(3, dim=-1)
        local, for_kernel, for_bias = self._convolution()
        for_sums = self._rows.total([(piece, self._queries(piece, piece.of(to_q))) for piece in self._rows.pieces])
        for piece in self._rows.pieces:
            self._keys_and_values(piece, for_sums[piece.images], piece.of(to_k), piece.of(to_v))
        if local is not None:
            heads_first(to_v, self._shape)[:, :, self._shape.class_token :] += local
        for_scale = self._for_scale * (-self._shape.p / self._scale)
        return self._for_qkv, self._for_position, for_scale, for_kernel, None if self._bias is None else for_bias

    def _convolution(self) -> tuple[Tensor | None, ...]:
        if self._kernel is None:
            return None, None, None
        v = heads_first(self._rows.v, self._shape).to(self._kernel.dtype)
        return depthwise_gradients(v, self._grad, self._kernel, self._shape.grid, self._shape.class_token)

    def _queries(self, piece: Piece, into: Tensor) -> Tensor:
        """Fill their part of the gradient; return what they ask of `sums`."""
        queries, sums = self._rows.queries(piece), self._sums[piece.images]
        weighted, similarity = sums_and_similarities(self._rows, queries, sums)
        asked = self._work("asked", *weighted.shape[:3], weighted.shape[3] + 1)
        for_weighted, for_similarity = asked.split_with_sizes((weighted.shape[3], 1), -1)
        torch.div(self._grad[piece.images, :, piece.tokens], similarity, out=for_weighted)
        torch.div(weighted.mul_(for_weighted).sum(-1, keepdim=True), similarity, out=for_similarity).neg_()
        for_sums = heads_first(queries.powered, self._shape).mT @ asked
        along = self._per_group(for_similarity).mul(queries.ratio).mul_(-self._times)
        t = self._through_map(queries, asked @ sums.mT, along)
        self._to_input(t, queries, piece.of(self._rows.q), into)
        return for_sums

    def _keys_and_values(self, piece: Piece, for_sums: Tensor, to_k: Tensor, to_v: Tensor) -> None:
        keys, values = self._rows.keys(piece), self._rows.values(piece)
        powered, ratio = heads_first(keys.powered, self._shape), keys.ratio
        for_kv, for_sum = for_sums.split_with_sizes((for_sums.shape[-1] - 1, 1), -1)
        toward = (values @ for_kv.mT).add_(for_sum.mT)
        torch.div(powered @ for_kv, ratio.transpose(1, 2), out=heads_first(to_v, self._shape))
        along = self._per_group((toward * powered).sum(-1, keepdim=True))
        t = self._through_map(keys, toward, along).div_(ratio)
        before_relu = torch.add(piece.of(self._rows.k), self._position[:, piece.tokens])
        self._to_input(t, keys, before_relu, to_k)
        self._for_position[:, piece.tokens] += to_k.sum(0)

    def _through_map(self, rows: Mapped, toward: Tensor, along: Tensor) -> Tensor:
        """1 / p of the gradient of r, by groups, that `toward`, [b, h, n, d], is of w; `rows.unit` becomes r."""
        p, unit = self._shape.p, rows.unit
        t = self._work("t", *unit.shape)
        bent = (along / rows.powered_length.square()).transpose(1, 2)
        torch.addcmul(toward, heads_first(rows.powered, self._shape), bent, value=-1, out=heads_first(t, self._shape))
        t.mul_(power(unit, p, p - 1, out=rows.powered))
        if rows.scaling is not None:
            t.mul_(rows.scaling)
            unit.div_(rows.scaling)
        return t.addcmul_(unit, along / rows.length.square(), value=1 / p)

    def _to_input(self, t: Tensor, rows: Mapped, before_relu: Tensor, into: Tensor) -> None:
        """From the gradient of r to that of the projection's output, and of the scale."""
        self._for_scale += rows.unit.mul_(t).sum((0, 1)).flatten()
        t = t.flatten(2)
        torch.ops.aten.threshold_backward.grad_input(t, before_relu.to(t.dtype), 0, grad_input=t)
        torch.mul(t, self._factor, out=into)

    def _per_group(self, per_head: Tensor) -> Tensor:
        """[b, h, n, 1] as [b, n, groups, 1], summed over the heads where one norm runs over all of them."""
        per_head = per_head.transpose(1, 2)
        return per_head if self._shape.groups > 1 else per_head.sum(-2, keepdim=True)
