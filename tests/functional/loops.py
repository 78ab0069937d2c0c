"""Slow twins: the same formulas written with loops over tokens and entries, in the paper's order of operations.

The loops take one head without batch dimensions, in float64, and PyTorch differentiates them. Nothing but tests and the
book calls these. Where one of them and a fast function differ, this one is right, as long as its powers and
exponentials stay in float64's range: it takes them as printed, where the fast functions first divide by the largest.
"""

import itertools
import math

import torch
from torch import Tensor


def focused_map_loop(x: Tensor, p: int | float) -> Tensor:
    """f_p(ReLU(x)) row by row, power first: equations 5 and 6 as they are printed."""
    rows = []
    for row in x:
        r = [entry.relu() for entry in row]
        if all(entry == 0 for entry in r):
            rows.append(torch.zeros_like(row))
            continue
        powered = [entry**p if entry > 0 else entry * 0 for entry in r]
        scale = _length(r) / _length(powered)
        rows.append(torch.stack([scale * entry for entry in powered]))
    return torch.stack(rows)


def _length(entries: list[Tensor]) -> Tensor:
    return sum(entry * entry for entry in entries).sqrt()


def _dot(x: Tensor, y: Tensor) -> Tensor:
    return sum(a * b for a, b in zip(x, y, strict=True))


def _kept(key_mask: Tensor | None, m: int) -> list[int]:
    return [j for j in range(m) if key_mask is None or key_mask[j]]


def _weighted(weights: list[Tensor], values: list[Tensor], like: Tensor) -> Tensor:
    return sum((w * value for w, value in zip(weights, values, strict=True)), torch.zeros_like(like))


def softmax_attention_loop(q: Tensor, k: Tensor, v: Tensor, key_mask: Tensor | None = None) -> Tensor:
    """Equation 1, query by query."""
    kept = _kept(key_mask, len(k))
    rows = []
    for query in q:
        exponentials = [(_dot(query, k[j]) / math.sqrt(q.shape[1])).exp() for j in kept]
        weights = [e / sum(exponentials) for e in exponentials]
        rows.append(_weighted(weights, [v[j] for j in kept], like=v[0]))
    return torch.stack(rows)


def linear_attention_loop(
    phi_q: Tensor,
    phi_k: Tensor,
    v: Tensor,
    key_mask: Tensor | None = None,
    normalised: bool = True,
    eps: float = 0.0,
) -> Tensor:
    """Equation 2's similarity, query by query and key by key; normalised as in equation 1."""
    kept = _kept(key_mask, len(phi_k))
    rows = []
    for query in phi_q:
        similarity = [_dot(query, phi_k[j]) for j in kept]
        row = _weighted(similarity, [v[j] for j in kept], like=v[0])
        total = sum(similarity) + len(kept) * eps if kept else 0.0
        if normalised:
            row = row / total if total != 0 else row * 0
        rows.append(row)
    return torch.stack(rows)


def depthwise_conv_loop(
    v: Tensor, kernel: Tensor, bias: Tensor | None, grid: tuple[int, ...], class_token: bool = False
) -> Tensor:
    """Cell by cell, neighbour by neighbour; a neighbour beyond the edge counts as zero."""
    cells = list(itertools.product(*map(range, grid)))
    at = {cell: i + class_token for i, cell in enumerate(cells)}
    rows = [torch.zeros_like(v[0])] if class_token else []
    for cell in cells:
        total = torch.zeros_like(v[0]) if bias is None else bias
        for offset in itertools.product(*map(range, kernel.shape[1:])):
            neighbour = tuple(c + o - side // 2 for c, o, side in zip(cell, offset, kernel.shape[1:], strict=True))
            if neighbour in at:
                total = total + kernel[(slice(None), *offset)] * v[at[neighbour]]
        rows.append(total)
    return torch.stack(rows)
