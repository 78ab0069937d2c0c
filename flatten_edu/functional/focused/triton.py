"""Focused attention by Triton kernels: map, K^T V and normalisation fused, forward and backward. By request alone.

UNMEASURED: the tests hold them to the float64 twin under Triton's interpreter and compile them for NVIDIA GPUs, but no
GPU has run or timed them. With a GPU, one command does: `python -m flatten_edu bench --device cuda`. Triton is imported
at the first call.
"""

import os
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from flatten_edu.functional.focused.steps import FocusedSettings, focused_attention
from flatten_edu.functional.widen import widen

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
WIDEST_HEAD = 128
P_RANGE = (2**-3, 2**16)  # below, |r|_2p leaves float32's range: it grows as C^(1 / 2p)
CAPABILITY = (8, 0)


def focused_attention_triton(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    scale: Tensor,
    positional_encoding: Tensor,
    num_heads: int,
    p: int | float,
    eps: float,
) -> Tensor:
    r"""Focused attention as the official code has it, without the convolution: norms over all C, then heads.

    With :math:`r = (\mathrm{ReLU}(t) + \epsilon) / s` of the queries, and of the keys with their positional encoding,
    and :math:`\phi = \lVert r\rVert\,r^p / \lVert r^p\rVert` (equations 5 and 6 of Han et al. 2023), a head's output is
    :math:`\phi(Q)\,(\phi(K)^\top V / N) \,/\, (\phi(Q) \cdot \overline{\phi(K)} + \epsilon)`. Twin: `sharpen`, then
    `linear_attention`.

    Args:
        q, k, v: [B, N, C]; slices of one projection's output are read where they lie.
        scale: [C], positive: the softplus is taken already. positional_encoding: [1, N, C], added to k.
        num_heads: h, which divides C. p: focusing factor. eps: added to relu(t), and to the mean similarity.

    Returns:
        [B, N, C] in v's dtype, with gradients for all five tensors. Sums are formed in float32 and in a fixed order:
        the same input gives the same bits. Under `create_graph=True` the gradients are the twin's, by PyTorch.

    Raises:
        ValueError: what the kernels cannot work on, and why.
    """
    arguments = (q, k, v, scale, positional_encoding, num_heads, p, eps)
    refusal = _refusal(*arguments)
    if refusal is not None:
        raise ValueError(f"focused_attention_triton {refusal}")
    return _FocusedAttention.apply(*arguments)


def _refusal(
    q: Tensor, k: Tensor, v: Tensor, scale: Tensor, encoding: Tensor, num_heads: int, p: int | float, eps: float
) -> str | None:
    """Why the kernels cannot work on these; None where they can. The cheapest questions come first."""
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return "cannot be traced by torch.compile or transformed by torch.func"
    if not (q.is_cuda or os.environ.get("TRITON_INTERPRET") == "1"):
        return f"needs a CUDA device, or TRITON_INTERPRET=1 in the environment; got {q.device}"
    tensors = {"q": q, "k": k, "v": v, "scale": scale, "positional_encoding": encoding}
    if len({t.device for t in tensors.values()}) > 1:
        return f"needs one device, got {', '.join(f'{name} on {t.device}' for name, t in tensors.items())}"
    shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors.items())
    if q.ndim != 3 or not q.shape == k.shape == v.shape or not q.numel():
        return f"needs q, k, v of one shape [B, N, C] that holds something, got {shapes}"
    if scale.shape != q.shape[2:] or encoding.shape != (1, *q.shape[1:]):
        return f"needs scale [C] and positional_encoding [1, N, C], got {shapes}"
    if num_heads < 1 or q.shape[2] % num_heads or q.shape[2] // num_heads > WIDEST_HEAD:
        return f"needs heads of at most {WIDEST_HEAD} channels that divide C, got {num_heads = } for C = {q.shape[2]}"
    if not (P_RANGE[0] <= p < P_RANGE[1] and eps > 0):
        return f"needs {P_RANGE[0]} <= p < {P_RANGE[1]} and eps > 0, got {p = }, {eps = }"
    if q.dtype not in DTYPES or not q.dtype == k.dtype == v.dtype or not scale.dtype.is_floating_point:
        return f"needs q, k, v in one of {', '.join(map(str, DTYPES))}, got {q.dtype}, {k.dtype}, {v.dtype}"
    return _machine_refusal(q.device)


@cache
def _machine_refusal(device: torch.device) -> str | None:
    """Why Triton cannot run on this device. Asked once, by running one small problem."""
    if device.type == "cuda" and (torch.version.hip or torch.cuda.get_device_capability(device) < CAPABILITY):
        return f"needs an NVIDIA GPU of capability {CAPABILITY} or later"
    try:
        tokens = torch.ones(1, 1, 1, dtype=torch.float32, device=device)
        _attend(tokens, tokens, tokens, tokens[0, 0], tokens, 1, 1.0, 1.0)
    except ImportError as error:
        return f"needs Triton ({error})"
    except Exception as error:  # a C compiler, a driver, a library: Triton has no error in common for what it misses
        return f"needs a Triton that runs on {device} ({error})"
    return None


def _kernels() -> ModuleType:
    """The kernels' module; importing it imports Triton."""
    from flatten_edu.functional.focused.kernels import launch

    return launch


def _attend(*arguments: Any) -> tuple[Tensor, Sequence[Tensor]]:
    with torch.cuda.device_of(arguments[0]):
        return _kernels().forward(_problem(*arguments))


def _problem(*arguments: Any) -> Any:
    """The arguments as the kernels want them: the last dimension of q, k, v and the encoding has stride 1."""
    q, k, v, scale, encoding, num_heads, p, eps = arguments
    rows = (_rows(t) for t in (q, k, v))
    return _kernels().Problem(*rows, scale.contiguous(), _rows(encoding), num_heads, float(p), eps)


def _rows(t: Tensor) -> Tensor:
    return t if t.stride(-1) == 1 else t.contiguous()


class _FocusedAttention(torch.autograd.Function):
    """The gradient is derived in `kernels.backward`."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Tensor:
        out, kept = _attend(*arguments)
        ctx.settings = arguments[5:]
        ctx.save_for_backward(*arguments[:5], *kept)
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        inputs, kept = ctx.saved_tensors[:5], ctx.saved_tensors[5:]
        if torch.is_grad_enabled():  # create_graph=True: a gradient that has a gradient
            return *_twin_gradients(inputs, ctx.settings, g, ctx.needs_input_grad), None, None, None
        dq, dk, dv = (torch.empty_like(t, memory_format=torch.contiguous_format) for t in inputs[:3])
        with torch.cuda.device_of(g):
            d_scale = _kernels().backward(_problem(*inputs, *ctx.settings), kept, _rows(g), dq, dk, dv)
        d_encoding = dk.sum(0, keepdim=True, dtype=torch.float32)
        return dq, dk, dv, d_scale.to(inputs[3].dtype), d_encoding.to(inputs[4].dtype), None, None, None


def _twin_gradients(
    inputs: Sequence[Tensor], settings: tuple[Any, ...], g: Tensor, wanted: Sequence[bool]
) -> list[Tensor | None]:
    num_heads, p, eps = settings
    q, k, v, scale, encoding = inputs
    settings = FocusedSettings(num_heads, p, eps=eps)
    with torch.autocast(g.device.type, enabled=False):
        out = focused_attention(q, k + widen(encoding), v, scale, settings)
        asked = [t for t, is_wanted in zip(inputs, wanted, strict=False) if is_wanted]
        found = iter(torch.autograd.grad(out, asked, g, create_graph=True))
    return [next(found) if is_wanted else None for is_wanted in wanted[: len(inputs)]]
