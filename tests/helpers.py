"""What several test files use to compare a fast function with its slow twin."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

TOLERANCE = {torch.float64: {"rtol": 1e-10, "atol": 1e-10}, torch.float32: {"rtol": 1e-5, "atol": 1e-5}}


def tokens(seed: int, *shapes: tuple[int, ...]) -> list[Tensor]:
    """Normal float64 tensors from a seed."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes]


def assert_twins(fast: Callable, slow: Callable, inputs: Sequence[Tensor], dtype: torch.dtype) -> None:
    """The fast function in `dtype` equals the slow one in float64: outputs, and the gradient of a weighted sum."""
    exact = [t.detach().double().requires_grad_() for t in inputs]
    tried = [t.detach().to(dtype).requires_grad_() for t in inputs]
    wanted, found = slow(*exact), fast(*tried)
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), wanted, **TOLERANCE[dtype])
    if not wanted.requires_grad:
        return
    cotangent = torch.linspace(-1, 1, wanted.numel(), dtype=torch.float64).reshape(wanted.shape)
    wanted_grads = torch.autograd.grad(wanted, exact, cotangent, allow_unused=True, materialize_grads=True)
    found_grads = torch.autograd.grad(found, tried, cotangent.to(dtype), allow_unused=True, materialize_grads=True)
    for one, other in zip(found_grads, wanted_grads, strict=True):
        scale = other.abs().max().clamp(min=1)
        torch.testing.assert_close(one.double() / scale, other / scale, **TOLERANCE[dtype])
