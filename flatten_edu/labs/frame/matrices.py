"""Matrices in a lab's traits: rows and columns as uint32, then float32 numbers row by row."""

import struct
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from flatten_edu.labs.frame.lab import Lab, refuse

LARGEST_ENTRY = 1000.0


def matrix_bytes(lab: Lab, trait: str, value: Any, most: tuple[int, int]) -> bytes:
    """What a trait makes of a tensor, an array or lists; bytes stay as they are.

    Raises:
        TraitError: no two dimensions, more rows or columns than `most`, NaN, or entries beyond 1000.
    """
    if isinstance(value, bytes):
        return value
    try:
        matrix = torch.as_tensor(value).detach().to("cpu", torch.float32)
    except (TypeError, ValueError, RuntimeError):
        raise refuse(lab, trait, "a tensor of two dimensions", value) from None
    if matrix.ndim != 2 or not matrix.numel():
        raise refuse(lab, trait, "a tensor of two dimensions, tokens by channels", tuple(matrix.shape))
    if matrix.shape[0] > most[0] or matrix.shape[1] > most[1]:
        raise refuse(lab, trait, f"at most {most[0]} x {most[1]}", tuple(matrix.shape))
    if not (matrix.abs() <= LARGEST_ENTRY).all():  # NaN fails too
        raise refuse(lab, trait, "numbers from -1000 to 1000", matrix.abs().max().item())
    return struct.pack("<2I", *matrix.shape) + matrix.contiguous().numpy().tobytes()


def read_matrix(content: bytes) -> Float[Tensor, "rows columns"]:
    """The matrix that `matrix_bytes` wrote."""
    return torch.frombuffer(bytearray(content[8:]), dtype=torch.float32).reshape(shape_of(content))


def shape_of(matrix: bytes | Any) -> tuple[int, ...]:
    """Rows and columns of a matrix, written or not yet."""
    return struct.unpack("<2I", matrix[:8]) if isinstance(matrix, bytes) else tuple(torch.as_tensor(matrix).shape)
