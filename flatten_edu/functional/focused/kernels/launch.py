"""Which kernel runs on how many programs, and the memory they write to.

Block sizes, warps and stages follow from shape and dtype. They were chosen from what the compiler reports (registers,
spills, shared memory, instructions a tile), not by timing. They are not tried out at run time: a sum shall not depend
on which choice won a race.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from flatten_edu.functional.focused.kernels.backward import (
    key_gradient_kernel,
    query_gradient_kernel,
    state_gradient_kernel,
)
from flatten_edu.functional.focused.kernels.forward import attend_kernel, norms_kernel, state_kernel

INTERPRETED = not isinstance(norms_kernel, triton.JITFunction)


class Problem(NamedTuple):
    """The inputs. q, k, v are [B, N, C] and read by their strides; the last dimension has stride 1."""

    q: Tensor
    k: Tensor
    v: Tensor
    scale: Tensor  # [C]
    encoding: Tensor  # [1, N, C]
    num_heads: int
    p: float
    eps: float

    @property
    def head_dim(self) -> int:
        return self.q.shape[2] // self.num_heads

    @property
    def padded(self) -> int:
        """A head's columns in a tile: a power of two, and what a matrix unit takes at least."""
        return max(16, triton.next_power_of_2(self.head_dim))

    @property
    def block(self) -> int:
        """Tokens in a tile. float32 tiles are half as long, or their products spill registers."""
        most = (64 if self.padded <= 64 else 32) // (2 if self.q.dtype == torch.float32 else 1)
        return min(most, max(16, triton.next_power_of_2(self.q.shape[1])))

    @property
    def blocks(self) -> int:
        """Tiles an image."""
        return triton.cdiv(self.q.shape[1], self.block)


class Kept(NamedTuple):
    """What the forward pass keeps for the backward pass: sums of each head, and two norms of each row."""

    kv: Tensor  # [B h, d, d]
    mean_k: Tensor  # [B h, d]
    q_norms: Tensor  # [2, B, N]
    k_norms: Tensor  # [2, B, N]


def forward(problem: Problem) -> tuple[Tensor, Kept]:
    """Out [B, N, C] in v's dtype, and what the gradient needs."""
    q, k, v, scale, encoding, num_heads, p, eps = problem
    batch, count, channels = q.shape
    constants, width = _constants(problem), {"WIDTH": min(64, triton.next_power_of_2(channels))}
    q_norms, k_norms = _room(q, 2, 2, batch, count)
    key = (k, *k.stride()[:2], encoding, encoding.stride(1))
    norms_kernel[batch, problem.blocks](
        *(*key, scale, *k_norms, count, eps), CHANNELS=channels, BLOCK=problem.block, **width, **_power(p)
    )
    share, kv, mean_k = _sums(problem)
    state_kernel[batch * num_heads, len(kv)](
        *(*key, v, *v.stride()[:2], scale, *k_norms, kv, mean_k, count, share, eps),
        **(constants | {"num_stages": 2}),  # a long loop over tokens: the next tile is fetched meanwhile
    )
    kept = Kept(_operand(_add(kv), v.dtype), _add(mean_k), q_norms, k_norms)
    out = torch.empty_like(v, memory_format=torch.contiguous_format)
    attend_kernel[batch, problem.blocks](
        *(q, *q.stride()[:2], scale, kept.kv, kept.mean_k, *q_norms, out, count, eps), **width, **constants
    )
    return out, kept


def backward(problem: Problem, saved: Sequence[Tensor], g: Tensor, dq: Tensor, dk: Tensor, dv: Tensor) -> Tensor:
    """Write the gradients of q, k and v; return that of scale, in float32. `saved` is what the forward pass kept."""
    kept = Kept(*saved)
    q, k, v, scale, encoding, num_heads, _, eps = problem
    batch, count, channels = q.shape
    constants, grid = _constants(problem), (batch, problem.blocks)
    share, d_kv, d_mean_k = _sums(problem)
    slack, changes = _room(q, batch * num_heads, count), _room(q, 2, batch * problem.blocks, channels)
    query = (q, *q.stride()[:2], g, *g.stride()[:2], scale, *kept.q_norms, kept.kv, kept.mean_k)
    state_gradient_kernel[batch * num_heads, len(d_kv)](*query, d_kv, d_mean_k, slack, count, share, eps, **constants)
    query_gradient_kernel[grid](*query, slack, dq, *dq.stride()[:2], changes[0], count, eps, **constants)
    key = (k, *k.stride()[:2], encoding, encoding.stride(1), v, *v.stride()[:2], scale, *kept.k_norms)
    sums = (_operand(_add(d_kv), v.dtype), _add(d_mean_k))
    key_gradient_kernel[grid](
        *(*key, *sums, dk, *dk.stride()[:2], dv, *dv.stride()[:2], changes[1], count, eps), **constants
    )
    return -changes.sum((0, 1)) / scale


def _sums(problem: Problem) -> tuple[int, Tensor, Tensor]:
    """The tokens a share has, and room for each share's matrices and vectors, one a head.

    Where B h programs would leave a GPU idle, each head's tokens are shared out, at least two tiles to a program, and
    the shares are added up afterwards.
    """
    q = problem.q
    heads, d = q.shape[0] * problem.num_heads, problem.head_dim
    wanted = 8 if INTERPRETED else 4 * torch.cuda.get_device_properties(q.device).multi_processor_count
    share = problem.block * triton.cdiv(problem.blocks, max(1, min(problem.blocks // 2, wanted // heads)))
    shares = triton.cdiv(q.shape[1], share)
    return share, _room(q, shares, heads, d, d), _room(q, shares, heads, d)


def _room(like: Tensor, *shape: int) -> Tensor:
    return torch.empty(shape, dtype=torch.float32, device=like.device)


def _add(shares: Tensor) -> Tensor:
    return shares[0] if len(shares) == 1 else shares.sum(0)


def _operand(sums: Tensor, dtype: torch.dtype) -> Tensor:
    """The sums of heads as operands of products: rounded once here, and half as many bytes to read."""
    return sums.to(dtype) if dtype == torch.bfloat16 else sums


def _power(p: float) -> dict[str, Any]:
    return {"WHOLE": int(p), "PART": p - int(p), "num_stages": 1}


def _constants(problem: Problem) -> dict[str, Any]:
    """What the kernels that multiply are compiled for.

    bf16 is multiplied as bf16. fp16 is multiplied as TF32, which has fp16's 10 bits and float32's range: phi of fp16
    inputs leaves fp16's. float32 keeps its 23 bits. With one stage no tile is fetched ahead; with more the compiler
    maps each tile twice, once for the matrix unit and once for the sums beside it.
    """
    dtype = problem.q.dtype
    return {
        **_power(problem.p),
        "HEADS": problem.num_heads,
        "HEAD_DIM": problem.head_dim,
        "PADDED": problem.padded,
        "BLOCK": problem.block,
        "OPERAND": tl.bfloat16 if dtype == torch.bfloat16 else tl.float32,
        "PRECISION": "ieee" if dtype == torch.float32 else "tf32",
        "INTERPRETED": INTERPRETED,
        "num_warps": 4 if problem.padded <= 64 else 8,
    }
