"""One judge an exercise: it takes the answer and returns None, or what is wrong with it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from flatten_edu.analysis import angle_degrees, effective_rank, entropy_bits, largest_coordinate, numerical_rank
from flatten_edu.bench import fit_slope
from flatten_edu.functional import (
    attention_matrix,
    dwc_matrix,
    focused_map,
    inline_weights,
    linear_attention,
    softmax_attention,
)
from flatten_edu.results import results

Fault = str | None
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


def _tokens(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _compare(found: object, wanted: Tensor, case: str, rtol: float = 1e-6, atol: float = 1e-8) -> Fault:
    """None where they agree; a sentence with the case and the first place where they do not."""
    if not isinstance(found, Tensor):
        return f"{case}: a tensor was expected, got {type(found).__name__}"
    if found.shape != wanted.shape:
        return f"{case}: shape {tuple(wanted.shape)} was expected, got {tuple(found.shape)}"
    off = ~torch.isclose(found.double(), wanted, rtol=rtol, atol=atol)
    if not off.any():
        return None
    at = tuple(off.nonzero()[0].tolist())
    return f"{case}: entry {list(at)} should be {wanted[at].item():.4f}, got {found[at].item():.4f}"


def _softmax_attend(attend: Attend) -> Fault:
    for case, scale in {"5 random tokens": 1.0, "keys of length 1000": 1000.0}.items():
        q, k, v = _tokens(0, 4), scale * _tokens(1, 5, 4), _tokens(2, 5, 3)
        if fault := _compare(attend(q, k, v), softmax_attention(q[None], k, v)[0], case):
            return fault
    return None


class _Largest(TorchDispatchMode):
    """Remembers how many numbers the largest tensor had that was computed."""

    size = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> object:
        out = func(*args, **(kwargs or {}))
        for one in out if isinstance(out, tuple) else (out,):
            if isinstance(one, Tensor):
                self.size = max(self.size, one.numel())
        return out


def _inline(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scaled = len(k) * k.shape[1] ** 0.5 * q  # the authors' scale of similarities, which the exercise leaves out
    return inline_weights(scaled, k) @ v


def _without_a_map(wanted: Attend, least: float, attend: Attend) -> Fault:
    q, k, v = _tokens(3, 300, 4).abs() + least, _tokens(4, 300, 4).abs() + least, _tokens(5, 300, 3)
    with _Largest() as largest:
        found = attend(q, k, v)
    if fault := _compare(found, wanted(q, k, v), f"{len(k)} tokens"):
        return fault
    return f"it is right, but formed a tensor of {largest.size:,} numbers" if largest.size >= len(k) ** 2 else None


def _cross_attend(attend: Callable[[Tensor, Tensor, Tensor, int], Tensor]) -> Fault:
    for heads in (1, 3):
        q, k, v = _tokens(6, 5, 12), _tokens(7, 8, 12), _tokens(8, 8, 12)
        split_q, split_k, split_v = (t.unflatten(-1, (heads, -1)).transpose(0, 1) for t in (q, k, v))
        wanted = linear_attention(focused_map(split_q, 3), focused_map(split_k, 3), split_v)
        wanted = wanted.transpose(0, 1).flatten(1)
        if fault := _compare(attend(q, k, v, heads), wanted, f"{heads} heads"):
            return fault
    return None


def _singular_kernel(kernel: Tensor) -> Fault:
    if not isinstance(kernel, Tensor) or kernel.shape != (3, 3) or not kernel.isfinite().all():
        return "a 3 x 3 tensor of finite numbers was expected"
    if not kernel.any():
        return "the kernel is zero: that one is too easy"
    rank = int(numerical_rank(dwc_matrix(kernel.double(), (3, 3))))
    return f"its matrix has rank {rank}: it is invertible" if rank == 9 else None


def _apart_pair(pair: tuple[Tensor, Tensor]) -> Fault:
    x, y = (one.double() for one in pair)
    if x.shape != (2,) or y.shape != (2,) or not (torch.stack([x, y]) > 0).all():
        return "two vectors of two positive entries were expected"
    if largest_coordinate(x) != largest_coordinate(y) or largest_coordinate(x) < 0:
        return "they do not share their largest entry"
    before, after = angle_degrees(x, y).item(), angle_degrees(focused_map(x, 3), focused_map(y, 3)).item()
    if before >= 5:
        return f"they are {before:.1f} degrees apart, and less than 5 were asked for"
    return None if after >= 2 * before > 0 else f"from {before:.1f} to {after:.1f} degrees: not twice as far"


def _f3_in_half(f3: Callable[[Tensor], Tensor]) -> Fault:
    for largest in (1, 40, 1000):
        x = (largest * _tokens(9, 20, 16).abs() / 4).clamp(max=largest).half()
        found = f3(x)
        if isinstance(found, Tensor) and found.dtype != torch.float16:
            return f"it returned {found.dtype}"
        if isinstance(found, Tensor) and not found.isfinite().all():
            return f"entries up to {largest}: the result is not finite"
        if fault := _compare(
            found, focused_map(x.double(), 3), f"entries up to {largest}", rtol=1e-2, atol=1e-2 * largest
        ):
            return fault
    return None


def _softmax_scale(scale: float) -> Fault:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        q, k = torch.randn(2, 196, 64, dtype=torch.float64)  # those that the chapter draws
    wanted = entropy_bits(attention_matrix(q, k, "relu")).mean()
    found = entropy_bits(attention_matrix(float(scale) * q, k)).mean()
    if abs(found - wanted) < 0.01:
        return None
    return f"at s = {float(scale):g} softmax has {found:.2f} bits, linear attention {wanted:.2f}"


def _effective_rank(answer: Callable[[Tensor], Tensor | float]) -> Fault:
    low = _tokens(10, 12, 3) @ _tokens(11, 3, 12)
    for case, matrix in {"a random matrix": _tokens(12, 12, 12), "a matrix of rank 3": low}.items():
        found, wanted = float(answer(matrix)), effective_rank(matrix).item()
        if not abs(found - wanted) < 1e-6:
            return f"{case}: {wanted:.4f} was expected, got {found:.4f}"
    return None


def _ablation_points(points: float) -> Fault:
    accuracies: dict[str, list[float]] = {kind: [] for kind in ("focused_dwc", "relu")}
    for run in results("ablation")["runs"]:
        if run["attention"] in accuracies and run["p"] == 3:
            accuracies[run["attention"]].append(100 * run["accuracy"])
    focused, linear = (sum(found) / len(found) for found in accuracies.values())
    return None if abs(points - (focused - linear)) < 0.05 else f"{points:g} points is not the difference of the means"


def _extra_parameters(count: Callable[[int, int, int, int], float]) -> Fault:
    for dim, heads, depth, tokens in [(192, 3, 12, 197), (64, 1, 3, 197), (384, 6, 12, 785)]:
        d = dim // heads
        wanted, found = depth * (tokens * dim + dim + 25 * d + d), count(dim, heads, depth, tokens)
        if found != wanted:
            return f"C = {dim}, h = {heads}, depth {depth}, N = {tokens}: {wanted:,} was expected, got {found:,}"
    return None


def _attention_distance(distance: Callable[[Tensor, tuple[int, int]], Tensor]) -> Fault:
    for rows, columns in [(1, 4), (3, 4), (14, 14)]:
        weights = _tokens(16, rows * columns, rows * columns).softmax(-1)
        y, x = torch.arange(rows).repeat_interleave(columns), torch.arange(columns).repeat(rows)
        gaps = torch.hypot((y[:, None] - y).double(), (x[:, None] - x).double())
        wanted = (weights * gaps).sum(-1)
        if fault := _compare(distance(weights, (rows, columns)), wanted, f"a grid of {rows} x {columns}"):
            return fault
    return None


def _window_cost(cost: Callable[[int, int, int], float]) -> Fault:
    for side, window, channels in [(14, 7, 192), (8, 4, 32), (56, 7, 96)]:
        wanted, found = 2 * side**2 * window**2 * channels, cost(side, window, channels)
        if found != wanted:
            return f"side {side}, window {window}, C = {channels}: {wanted:,} was expected, got {found:,}"
    return None


def _fitted_exponent(fit: Callable[[list[int], list[float]], float]) -> Fault:
    for power, wobble in [(1.0, 1.0), (2.0, 1.0), (1.9, 1.3)]:
        sizes = [784, 3136, 12544]
        seconds = [2e-9 * n**power for n in sizes]
        seconds[1] *= wobble
        found, wanted = float(fit(sizes, seconds)), fit_slope(dict(zip(sizes, seconds, strict=True))).exponent  # type: ignore[union-attr]
        if not abs(found - wanted) < 1e-6:
            return f"times {', '.join(f'{s:.3g}' for s in seconds)} s: {wanted:.3f} was expected, got {found:.3f}"
    return None


#: By the exercise's name what judges an answer: it returns the fault that it finds, or None.
CHECKS: dict[str, Callable[..., Fault]] = {
    "softmax-attend": _softmax_attend,
    "linear-attend": partial(_without_a_map, linear_attention, 0),
    "inline-attend": partial(_without_a_map, _inline, -1),
    "window-cost": _window_cost,
    "cross-attend": _cross_attend,
    "singular-kernel": _singular_kernel,
    "apart-pair": _apart_pair,
    "f3-half": _f3_in_half,
    "softmax-scale": _softmax_scale,
    "effective-rank": _effective_rank,
    "extra-parameters": _extra_parameters,
    "attention-distance": _attention_distance,
    "ablation-points": _ablation_points,
    "fitted-exponent": _fitted_exponent,
}
