"""Checks of what a caller passes in, each with an error in the reader's words."""

import math
import numbers
from collections.abc import Iterable

import torch
from torch import Tensor


def require_floating(where: str, **tensors: Tensor) -> None:
    """Raise a TypeError that names the first tensor which does not hold real floating-point numbers."""
    for name, t in tensors.items():
        if not t.is_floating_point():
            raise TypeError(f"{where} needs floating-point numbers in {name}, got {t.dtype}: call {name}.float() first")


def require_finite(where: str, **tensors: Tensor) -> None:
    """Raise a ValueError that says where the first NaN or Inf stands.

    Skipped while torch.compile, torch.export or torch.func look on: there a value cannot decide which way code goes.
    """
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return
    for name, t in tensors.items():
        bad = ~t.isfinite()
        if bad.any():
            at = tuple(bad.nonzero()[0].tolist())
            raise ValueError(f"{where} needs finite numbers, got {name}[{', '.join(map(str, at))}] = {t[at].item()}")


def require_focusing_factor(where: str, p: int | float) -> None:
    """Raise unless p is a finite number above 0."""
    if isinstance(p, bool) or not isinstance(p, numbers.Real):
        raise TypeError(f"{where} needs a number for the focusing factor p, got {type(p).__name__}")
    if not (p > 0 and math.isfinite(p)):
        raise ValueError(f"{where} needs a finite focusing factor p > 0, got p = {p}")


def require_same_features(where: str, **tensors: Tensor) -> None:
    """Raise unless all tensors are [..., tokens, d] with one d, one dtype and leading dimensions that broadcast."""
    values = list(tensors.values())
    if any(t.ndim < 2 for t in values):
        raise ValueError(f"{where} needs tensors of shape [..., tokens, d], got {_shapes(tensors)}")
    if any(t.shape[-1] != values[0].shape[-1] for t in values):
        raise ValueError(f"{where} needs the same feature dimension d in each tensor, got {_shapes(tensors)}")
    if len({t.dtype for t in values}) > 1:
        dtypes = ", ".join(f"{name} {t.dtype}" for name, t in tensors.items())
        raise TypeError(f"{where} needs one dtype, got {dtypes}")
    _broadcast(where, {name: t.shape[:-2] for name, t in tensors.items()})


def require_known(what: str, name: str, table: Iterable[str]) -> str:
    """The name itself, or a ValueError that lists the names there are."""
    if name not in table:
        raise ValueError(f"there is no {what} {name!r}; there are {', '.join(sorted(table))}")
    return name


def require_tokens(where: str, q: Tensor, k: Tensor, v: Tensor) -> None:
    """Raise unless there is one value a key, in the same dtype, with leading dimensions that broadcast."""
    if v.dtype != k.dtype:
        raise TypeError(f"{where} needs one dtype, got k {k.dtype}, v {v.dtype}")
    if v.ndim < 2 or k.shape[-2] != v.shape[-2]:
        raise ValueError(f"{where} needs as many values as keys, got k {tuple(k.shape)} and v {tuple(v.shape)}")
    _broadcast(where, {"q": q.shape[:-2], "k": k.shape[:-2], "v": v.shape[:-2]})


def require_key_mask(where: str, key_mask: Tensor | None, k: Tensor) -> None:
    """Raise unless the mask says True or False of each key."""
    if key_mask is None:
        return
    if key_mask.dtype != torch.bool:
        raise TypeError(f"{where} needs a boolean key_mask, True for keys that count, got {key_mask.dtype}")
    if key_mask.ndim < 1 or key_mask.shape[-1] != k.shape[-2]:
        raise ValueError(
            f"{where} needs a key_mask [..., {k.shape[-2]}] for k {tuple(k.shape)}, got {tuple(key_mask.shape)}"
        )
    if key_mask.ndim not in (1, k.ndim - 1):  # [B, m] beside k [B, h, m, d] could be one per image or one per head
        raise ValueError(
            f"{where} needs a key_mask [m], or one with all leading dimensions of k {tuple(k.shape)}, got "
            f"{tuple(key_mask.shape)}: for a mask per image pass key_mask[:, None], for one per head key_mask[None]"
        )
    _broadcast(where, {"k": k.shape[:-2], "key_mask": key_mask.shape[:-1]})


def _shapes(tensors: dict[str, Tensor]) -> str:
    return ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors.items())


def _broadcast(where: str, shapes: dict) -> None:
    if torch.compiler.is_compiling():  # sizes are symbols there, and the operation itself refuses what does not fit
        return
    if len(set(shapes.values())) == 1:  # nearly always, and a tenth of the time
        return
    try:
        torch.broadcast_shapes(*shapes.values())
    except RuntimeError:
        listed = ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items())
        raise ValueError(f"{where} needs leading dimensions that broadcast, got {listed}") from None


def require_grid(where: str, grid: tuple[int, ...], tokens: int, class_token: bool) -> None:
    """Raise unless the grid's cells, and the class token if there is one, are the tokens."""
    sides = grid if isinstance(grid, tuple) else ()
    if not 1 <= len(sides) <= 3 or any(side < 1 for side in sides):
        raise ValueError(f"{where} needs a grid of one to three sides of at least 1, got {grid}")
    cells = math.prod(grid)
    if cells + class_token == tokens:
        return
    hint = ""
    if cells + 1 == tokens:
        hint = ": pass class_token=True?"
    elif class_token and cells == tokens:
        hint = ": pass class_token=False?"
    extra = " and a class token" if class_token else ""
    raise ValueError(f"grid {grid} has {cells} cells{extra}, but {where} got {tokens} tokens{hint}")


def require_odd(where: str, sizes: Iterable[int]) -> None:
    """Raise unless each kernel size is odd: only then is a kernel centred on its token."""
    sizes = tuple(sizes)
    if any(size < 1 or size % 2 != 1 for size in sizes):
        raise ValueError(f"{where} needs a kernel of odd sides, so that it has a middle, got {sizes}")
