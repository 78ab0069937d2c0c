"""The paper's module without gradients, on a CPU: its two projections are taken piece by piece as well.

Queries and keys never reach main memory; the values do, since the convolution reads its neighbours.
"""

import torch
from torch import Tensor, nn

from flatten_edu.functional.fused import Mapped, Rows, ask_queries, powered_rows, sum_keys
from flatten_edu.functional.pieces import FocusedShape, Piece, Workspace, pieces

Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]  # position, scale, kernel, bias: of `focused_attention`


def fused_module_serves(x: Tensor, qkv: nn.Module, proj: nn.Module, weights: Weights) -> bool:
    """Whether `focused_module` may stand in: nothing to differentiate, no projection that is replaced or watched."""
    return (
        x.device.type == "cpu"
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
        self.shape, self.pieces = shape, list(pieces(shape, x))
        self._x, self.work = x.contiguous(), Workspace(x)
        self.inverse = scale.reciprocal()
        self.floor = shape.eps * self.inverse
        for_q, for_k, for_v = qkv.weight.chunk(3)
        bias = qkv.weight.new_zeros(3 * x.shape[-1]) if qkv.bias is None else qkv.bias
        bias_q, bias_k, self._bias_v = bias.chunk(3)
        self._q, self._k = (for_q * self.inverse[:, None]).T, (for_k * self.inverse[:, None]).T
        self._v, self._position = for_v.T, position
        self._bias_q = torch.addcmul(self.floor, bias_q, self.inverse)
        self._bias_k = torch.addcmul(self.floor, bias_k, self.inverse)
        self.v = torch.empty_like(self._x)

    def queries(self, piece: Piece) -> Mapped:
        """As `Rows.queries`."""
        x, r = self._buffers(piece)
        torch.mm(x, self._q, out=r.flatten(0, 1)).add_(self._bias_q)
        return self._mapped_rows(r)

    def keys(self, piece: Piece) -> Mapped:
        """As `Rows.keys`."""
        x, r = self._buffers(piece)
        position = self._position[:, piece.tokens].expand_as(r)
        torch.addcmul(self._bias_k, position, self.inverse, out=r)
        torch.addmm(r.flatten(0, 1), x, self._k, out=r.flatten(0, 1))
        return self._mapped_rows(r)

    def values(self, piece: Piece) -> Tensor:
        """As `Rows.values`; kept in `v`."""
        x, _ = self._buffers(piece)
        target = piece.of(self.v)
        torch.mm(x, self._v, out=target.flatten(0, 1)).add_(self._bias_v)
        return target

    def _buffers(self, piece: Piece) -> tuple[Tensor, Tensor]:
        x = piece.of(self._x)
        return x.flatten(0, 1), self.work("r", *x.shape)

    def _mapped_rows(self, r: Tensor) -> Mapped:
        return powered_rows(torch.maximum(r, self.floor, out=r), self.shape)


def focused_module(x: Tensor, qkv: nn.Linear, proj: nn.Linear, weights: Weights, shape: FocusedShape) -> Tensor:
    """What `FocusedLinearAttention` makes of x [B, N, C] without a mask and before dropout."""
    position, scale, kernel, bias = weights
    rows = ProjectedRows(x, qkv, position, scale, shape)
    kv, mean = sum_keys(rows)
    out, into = torch.empty_like(rows.v), proj.weight.T
    for piece, attended in ask_queries(rows, kv, mean, kernel, bias):
        torch.mm(attended.flatten(0, 1), into, out=piece.of(out).flatten(0, 1)).add_(proj.bias)
    return out
