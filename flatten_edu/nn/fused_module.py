"""The paper's module without gradients, on a CPU: its two projections are taken piece by piece as well.

Queries and keys never reach main memory; the values do, since the convolution reads its neighbours.
"""

import torch
from torch import Tensor, nn

from flatten_edu.functional.fused import Rows, attend, sum_keys
from flatten_edu.functional.fused_map import Mapped, for_all_heads, heads_first
from flatten_edu.functional.pieces import FocusedShape, Piece, pieces

_LARGER = 2  # than a gradient's pieces: there are fewer buffers to be held in the cache

Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]  # position, scale, kernel, bias: of `focused_attention`


def fused_module_serves(x: Tensor, qkv: nn.Module, proj: nn.Module, weights: Weights, shape: FocusedShape) -> bool:
    """Whether `focused_module` may stand in, and pays: with one piece of tokens, one projection is the faster.

    Not where there is anything to differentiate, or a projection is replaced or watched.
    """
    return (
        x.device.type == "cpu"
        and len(pieces(shape, x)) > 1
        and x.dtype in (torch.float32, torch.float64)
        and _is_plain(qkv, x.dtype)
        and _is_plain(proj, x.dtype)
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and not torch._C._are_functorch_transforms_active()
        and not (torch.is_grad_enabled() and _any_requires_grad(x, *weights, *qkv.parameters(), *proj.parameters()))
    )


def _is_plain(linear: nn.Module, dtype: torch.dtype) -> bool:
    watched = linear._forward_hooks or linear._forward_pre_hooks
    return type(linear) is nn.Linear and not watched and linear.weight.dtype == dtype


def _any_requires_grad(*tensors: Tensor | None) -> bool:
    return any(t is not None and t.requires_grad for t in tensors)


class ProjectedRows(Rows):
    """`Rows` straight from the tokens x [B, N, C]; the positive scale commutes with ReLU, into the projection."""

    def __init__(self, x: Tensor, qkv: nn.Linear, position: Tensor, scale: Tensor, shape: FocusedShape):
        self._start(x, scale, shape, _LARGER)
        self._x, self.v = x.contiguous(), torch.empty_like(x, memory_format=torch.contiguous_format)
        for_q, for_k, for_v = qkv.weight.chunk(3)
        bias = qkv.weight.new_zeros(3 * x.shape[-1]) if qkv.bias is None else qkv.bias
        bias_q, bias_k, self._bias_v = bias.chunk(3)
        self._q, self._k = (for_q * self.inverse[:, None]).T, (for_k * self.inverse[:, None]).T
        self._v, self._position, self._keep = for_v.T, position, False
        self._bias_q = torch.addcmul(self.floor, bias_q, self.inverse)
        self._bias_k = torch.addcmul(self.floor, bias_k, self.inverse)

    def queries(self, piece: Piece) -> Mapped:
        """As `Rows.queries`."""
        x, r = self._buffers(piece)
        torch.addmm(self._bias_q, x, self._q, out=r.flatten(0, 1))
        return self.map(torch.maximum(r, self.floor, out=r))

    def keys(self, piece: Piece) -> Mapped:
        """As `Rows.keys`."""
        x, r = self._buffers(piece)
        position = self._position[:, piece.tokens].expand_as(r)
        torch.addcmul(self._bias_k, position, self.inverse, out=r)
        torch.addmm(r.flatten(0, 1), x, self._k, out=r.flatten(0, 1))
        return self.map(torch.maximum(r, self.floor, out=r))

    def values(self, piece: Piece) -> Tensor:
        """As `Rows.values`; kept in `v`."""
        x, _ = self._buffers(piece)
        target = piece.of(self.v)
        torch.addmm(self._bias_v, x, self._v, out=target.flatten(0, 1))
        return heads_first(target, self.shape)

    def _buffers(self, piece: Piece) -> tuple[Tensor, Tensor]:
        x = piece.of(self._x)
        return x.flatten(0, 1), self.work("rows", *x.shape)


def focused_module(x: Tensor, qkv: nn.Linear, proj: nn.Linear, weights: Weights, shape: FocusedShape) -> Tensor:
    """What `FocusedLinearAttention` makes of x [B, N, C] without a mask and before dropout."""
    position, scale, kernel, bias = weights
    rows = ProjectedRows(x, qkv, position, scale, shape)
    sums, out, into = sum_keys(rows), torch.empty_like(rows.v), proj.weight.T
    kernel, bias = for_all_heads(kernel, shape), for_all_heads(bias, shape)
    for piece in rows.pieces:
        target = piece.of(out)
        attended = rows.work("attended", *target.shape)
        attend(rows, piece, sums, kernel, bias, attended)
        torch.addmm(proj.bias, attended.flatten(0, 1), into, out=target.flatten(0, 1))
    return out
