"""Tensors in a lab's traits: a safetensors file as bytes, the format in which the library keeps weights too.

The labs read it by `readSafetensors` in maths/safetensors.ts.
"""

import math
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import load, save
from torch import Tensor

from flatten_edu.labs.frame.settings import refuse

LARGEST_ENTRY = 1000.0
KEPT = (torch.float16, torch.float64, torch.uint8)


def pack(**tensors: Tensor) -> bytes:
    """Tensors by name; float16, float32 and float64 stay what they are, others become float32."""
    stored = {name: x.detach().cpu() if x.dtype in KEPT else x.detach().cpu().float() for name, x in tensors.items()}
    return save({name: x.contiguous().clone() for name, x in stored.items()})


def unpack(content: bytes) -> dict[str, Tensor]:
    """What `pack` packed."""
    return load(bytes(content))


def matrix_bytes(lab: Any, trait: str, value: Any, most: tuple[int, int]) -> bytes:
    """What a trait makes of a tensor, an array or lists: one matrix, packed; bytes stay as they are.

    Raises:
        TraitError: no two dimensions, more rows or columns than `most`, NaN, or entries beyond 1000.
    """
    if isinstance(value, bytes):
        return value
    try:
        matrix = torch.as_tensor(value).detach().to("cpu", torch.float32)
    except (TypeError, ValueError, RuntimeError):
        raise refuse(lab, trait, "a tensor of two dimensions", value) from None
    matrix = matrix[None] if matrix.ndim == 1 and most[0] == 1 else matrix
    if matrix.ndim != 2 or not matrix.numel():
        raise refuse(lab, trait, "a tensor of two dimensions, tokens by channels", tuple(matrix.shape))
    if matrix.shape[0] > most[0] or matrix.shape[1] > most[1]:
        raise refuse(lab, trait, f"at most {most[0]} x {most[1]}", tuple(matrix.shape))
    if not (matrix.abs() <= LARGEST_ENTRY).all():  # NaN fails too
        raise refuse(lab, trait, "numbers from -1000 to 1000", matrix.abs().max().item())
    return pack(matrix=matrix)


def read_matrix(content: bytes) -> Float[Tensor, "rows columns"]:
    """The matrix that `matrix_bytes` wrote."""
    return unpack(content)["matrix"]


def fitting_grid(who: str, grid: tuple[int, int] | None, n: int) -> tuple[int, int]:
    """The rows and columns of n tokens; a square, if none are given."""
    rows, columns = grid or (math.isqrt(n), math.isqrt(n))
    if rows * columns != n:
        cells = f"grid ({rows}, {columns}) has {rows * columns} cells"
        raise ValueError(f"{cells}, but {who} got {n} tokens: pass grid=(rows, columns) of the patches alone")
    return rows, columns


def shape_of(matrix: bytes | Any) -> tuple[int, ...]:
    """Rows and columns of a matrix, packed or not yet."""
    return tuple((read_matrix(matrix) if isinstance(matrix, bytes) else torch.as_tensor(matrix)).shape)
