"""Checks of what a caller passes in, each with an error in the reader's words."""

import math

import torch
from torch import Tensor


def require_floating(where: str, **tensors: Tensor) -> None:
    """Raise a TypeError that names the first tensor which does not hold real floating-point numbers."""
    for name, t in tensors.items():
        if not t.is_floating_point():
            raise TypeError(f"{where} needs floating-point numbers in {name}, got {t.dtype}: call {name}.float() first")


def require_finite(where: str, **tensors: Tensor) -> None:
    """Raise a ValueError that says where the first NaN or Inf stands.

    Skipped while torch.compile or torch.export traces: there a value cannot decide which way the code goes.
    """
    if torch.compiler.is_compiling():
        return
    for name, t in tensors.items():
        bad = ~t.isfinite()
        if bad.any():
            at = tuple(bad.nonzero()[0].tolist())
            raise ValueError(f"{where} needs finite numbers, got {name}[{', '.join(map(str, at))}] = {t[at].item()}")


def require_focusing_factor(where: str, p: int | float) -> None:
    """Raise unless p is a finite number above 0."""
    if isinstance(p, bool) or not isinstance(p, (int, float)):
        raise TypeError(f"{where} needs a number for the focusing factor p, got {type(p).__name__}")
    if not (p > 0 and math.isfinite(p)):
        raise ValueError(f"{where} needs a finite focusing factor p > 0, got p = {p}")


def require_same_features(where: str, **tensors: Tensor) -> None:
    """Raise unless all tensors are [..., tokens, d] with one d, one dtype and leading dimensions that broadcast."""
    shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors.items())
    values = list(tensors.values())
    if any(t.ndim < 2 for t in values):
        raise ValueError(f"{where} needs tensors of shape [..., tokens, d], got {shapes}")
    if len({t.shape[-1] for t in values}) > 1:
        raise ValueError(f"{where} needs the same feature dimension d in each tensor, got {shapes}")
    if len({t.dtype for t in values}) > 1:
        dtypes = ", ".join(f"{name} {t.dtype}" for name, t in tensors.items())
        raise TypeError(f"{where} needs one dtype, got {dtypes}")
    try:
        torch.broadcast_shapes(*(t.shape[:-2] for t in values))
    except RuntimeError:
        raise ValueError(f"{where} needs leading dimensions that broadcast, got {shapes}") from None
