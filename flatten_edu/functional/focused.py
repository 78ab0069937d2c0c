"""Focused linear attention as a model runs it: the fastest of its evaluations that serves the call."""

import torch
from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional.checks import require_known
from flatten_edu.functional.convolution import depthwise_conv
from flatten_edu.functional.focused_steps import focused_steps, split
from flatten_edu.functional.focused_traced import focused_traced
from flatten_edu.functional.fused import fused_attention
from flatten_edu.functional.fused_gradient import FusedAttention
from flatten_edu.functional.pieces import FocusedShape
from flatten_edu.functional.triton_focused import (
    focused_attention_triton,
    triton_can_be_meant,
    triton_serves,
)

BACKENDS = ["auto", "steps", "fused", "triton"]


def focused_attention(
    qkv: Float[Tensor, "b n c3"],
    position: Float[Tensor, "1 n c"],
    scale: Float[Tensor, " c"],
    kernel: Float[Tensor, "d *sides"] | None,
    bias: Float[Tensor, " d"] | None,
    shape: FocusedShape,
    backend: str = "auto",
) -> Float[Tensor, "b n c"]:
    r"""What the paper's module computes between its projections, :math:`\phi_p(Q)\phi_p(K)^\top V + \mathrm{DWC}(V)`.

    Equation 12 of Han et al. 2023, as the authors' code has it. All evaluations give the same outputs and gradients to
    rounding. Book: the chapters "The module as the code has it" and "Time it on your own hardware".

    Args:
        qkv: queries, keys and values side by side, C channels each.
        position: added to the keys. scale: positive; what ReLU leaves is divided by it.
        kernel, bias: of the depthwise convolution, one a channel of a head, the same for all heads; None for none.
        backend: "steps" is the readable twin, differentiable as often as you like; "fused" takes few passes over
            memory; "triton" is two kernels on an NVIDIA GPU. "auto" takes "triton" where it serves, and otherwise
            "fused"; under `torch.compile` and export the algebra that a compiler joins best, and "steps" where a
            transform of `torch.func` looks on, or there is no image at all.

    Returns:
        In qkv's dtype; half precision is mapped and summed in float32.

    Raises:
        ValueError: an unknown backend; "triton" where the kernels cannot work, and why.
    """
    require_known("backend", backend, BACKENDS)
    if backend == "auto" and torch.compiler.is_compiling():
        return focused_traced(qkv, position, scale, kernel, bias, shape)
    in_steps = torch._C._are_functorch_transforms_active() or not len(qkv)
    if backend == "steps" or (backend == "auto" and in_steps):
        return focused_steps(qkv, position, scale, kernel, bias, shape)
    if backend == "triton" or (backend == "auto" and shape.norm_over == "channels" and triton_can_be_meant(qkv)):
        arguments = (*qkv.chunk(3, dim=-1), scale, position, shape.num_heads, shape.p, shape.eps)
        if backend == "triton" or triton_serves(*arguments):
            return _by_triton(arguments, kernel, bias, shape)
    tensors = (qkv, position, scale, kernel, bias)
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors):
        return FusedAttention.apply(*tensors, shape)
    return fused_attention(*tensors, shape)[0]


def _by_triton(arguments: tuple, kernel: Tensor | None, bias: Tensor | None, shape: FocusedShape) -> Tensor:
    if shape.norm_over != "channels":
        raise ValueError('backend "triton" maps over all channels: it has no norm_over="head"')
    out, v = focused_attention_triton(*arguments), split(arguments[2], shape)
    if kernel is None:
        return out
    kernel, bias = kernel.to(v.dtype), None if bias is None else bias.to(v.dtype)
    return out + depthwise_conv(v, kernel, bias, shape.grid, shape.class_token).transpose(1, 2).flatten(2)
