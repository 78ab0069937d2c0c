"""What number formats do to the focused attention module, operation by operation.

Every elementary operation is PyTorch's own on a CPU, which rounds its result to the format; sums run term by term.
Each function has a twin in labs/frame/maths/ that rounds float32 numbers, and the two agree bit for bit.
But a plain number beside a tensor counts as float32, where PyTorch may round it to the format first.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional import DEFAULT_P
from flatten_edu.functional.checks import require_known, require_same_features, require_tokens

FORMATS: dict[str, torch.dtype] = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
EPS = 1e-6  # the official code's, twice: added to ReLU's output, and to the denominator
SCALE = math.log(2)  # softplus(0): the learned scale of the official code at its start
LARGEST_ENTRY = 65504.0
LARGEST_WHOLE_P = 16


@dataclass(frozen=True)
class Fixes:
    """What can be changed in the module so that half precision does not break it."""

    row_max: bool = False  #: each row divided by its largest entry before the power
    over_sqrt_n: bool = False  #: K^T V from k / sqrt(N) and v / sqrt(N), the mean key: the authors' change of May 2024
    wide_sums: bool = False  #: products summed in float32, the sum then rounded
    whole: bool = False  #: every operation in float32, the output then rounded: what this library does


def round_to(format: str, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """x in float32, each entry rounded to the nearest number of the format, ties to even.

    Beyond the largest number by half a step or more it is Inf; below half of the smallest subnormal, zero.
    """
    return x.to(FORMATS[require_known("format", format, FORMATS)]).float()


def whole_power(x: Float[Tensor, "*shape"], p: int) -> Float[Tensor, "*shape"]:
    """x**p as p - 1 products, from the left. Rounded to fp16 it is PyTorch's x**p for every fp16 number x."""
    power = x
    for _ in range(p - 1):
        power = power * x
    return power


def focused_steps(
    q: Float[Tensor, "n d"],
    k: Float[Tensor, "m d"],
    v: Float[Tensor, "m e"],
    format: str = "fp16",
    p: int = DEFAULT_P,
    fixes: Fixes = Fixes(),
    exact: bool = False,
) -> dict[str, Tensor]:
    r"""Every tensor of the focused attention module's core, in the official code's order, as a number format has it.

    One head; the positional encoding and the convolution are left out. q, k and v are first rounded to the format.

    Args:
        format: "fp16", "bf16" or "fp32".
        p: focusing factor, a whole number from 1 to 16.
        fixes: what is changed in the official code of before May 2024.
        exact: the same operations on the same rounded inputs in float64: what each tensor ought to be.

    Returns:
        By name, in the order in which they are formed: `input_`, `relu_` (ReLU + 1e-6), `scaled_` (divided by
        softplus(0)), `norm_`, `unit_` (divided by the row's maximum, with that fix), `power_`, `power_norm_` and `phi_`
        of q and k; `small_k` and `small_v` (over sqrt(N), with that fix); `key_sum` (their mean, with that fix),
        `similarity` (q . key_sum + 1e-6), `inverse` (1 / similarity), `kv`, `numerator` (q (K^T V)) and `out`.
        In float32, or float64 where exact.

    Raises:
        ValueError: shapes that do not fit, entries beyond 65504, an unknown format, p that is not such a number.
    """
    require_known("format", format, FORMATS)
    require_same_features("focused_steps", q=q, k=k)
    require_tokens("focused_steps", q=q, k=k, v=v)
    if not (isinstance(p, int) and 1 <= p <= LARGEST_WHOLE_P):
        raise ValueError(f"focused_steps needs a whole number p from 1 to {LARGEST_WHOLE_P}, got {p}")
    for name, x in {"q": q, "k": k, "v": v}.items():
        if not (x.abs() <= LARGEST_ENTRY).all():  # NaN fails too
            raise ValueError(f"focused_steps needs numbers from -65504 to 65504 in {name}, got {x.abs().max().item()}")
    dtype = torch.float64 if exact else torch.float32 if fixes.whole else FORMATS[format]
    steps = {f"input_{name}": round_to(format, x).to(dtype) for name, x in {"q": q, "k": k, "v": v}.items()}
    steps |= _mapped("q", steps["input_q"], p, fixes)
    steps |= _mapped("k", steps["input_k"], p, fixes)
    steps |= _attended(steps["phi_q"], steps["phi_k"], steps["input_v"], fixes)
    if not exact:
        steps["out"] = round_to(format, steps["out"])
    return {name: _wide(x) for name, x in steps.items()}


def _mapped(name: str, x: Tensor, p: int, fixes: Fixes) -> dict[str, Tensor]:
    """phi_p as the official code forms it: the norm, the power, the power's norm."""

    def norm(x: Tensor) -> Tensor:
        squares = _sum([c * c for c in _for_sums(x, fixes).unbind(1)])
        return squares[:, None].double().sqrt().to(x.dtype)

    steps = {"relu": _plus_eps(x.relu())}
    steps["scaled"] = r = steps["relu"] / torch.tensor(SCALE, dtype=x.dtype)
    steps["norm"] = norm(r)
    if fixes.row_max:
        steps["unit"] = r = r / r.amax(1, keepdim=True)
    steps["power"] = whole_power(_wide(r), p).to(x.dtype)
    steps["power_norm"] = norm(steps["power"])
    steps["phi"] = steps["power"] / steps["power_norm"] * steps["norm"]
    return {f"{step}_{name}": tensor for step, tensor in steps.items()}


def _attended(q: Tensor, k: Tensor, v: Tensor, fixes: Fixes) -> dict[str, Tensor]:
    """The denominator from the sum of the keys, K^T V, and their quotient for each query."""
    steps, dtype = {}, q.dtype

    def product(x: Tensor, y: Tensor) -> Tensor:
        x, y = _for_sums(x, fixes), _for_sums(y, fixes)
        return _sum([column[:, None] * row for column, row in zip(x.unbind(1), y, strict=True)]).to(dtype)

    total = _sum(list(_for_sums(k, fixes)))
    steps["key_sum"] = (_wide(total) / len(k) if fixes.over_sqrt_n else total).to(dtype)
    if fixes.over_sqrt_n:
        root = 1 / math.sqrt(len(k))
        k, v = ((_wide(x) * root).to(dtype) for x in (k, v))
        steps |= {"small_k": k, "small_v": v}
    steps["similarity"] = _plus_eps(product(q, steps["key_sum"][:, None])[:, 0])
    steps["inverse"] = 1 / steps["similarity"]
    steps["kv"] = product(k.mT, v)
    steps["numerator"] = product(q, steps["kv"])
    steps["out"] = steps["numerator"] * steps["inverse"][:, None]
    return steps


def _wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _plus_eps(x: Tensor) -> Tensor:
    return (_wide(x) + EPS).to(x.dtype)


def _for_sums(x: Tensor, fixes: Fixes) -> Tensor:
    return _wide(x) if fixes.wide_sums else x


def _sum(terms: list[Tensor]) -> Tensor:
    """From the first to the last, each partial sum stored."""
    total = torch.zeros_like(terms[0])
    for term in terms:
        total = total + term
    return total


@dataclass(frozen=True)
class StoredRange:
    """What became of a tensor's entries."""

    smallest: float  #: of the finite entries that are not zero, by size; NaN where there is none
    largest: float
    overflowed: float  #: share of entries that are Inf
    flushed: float  #: share that are zero and ought not to be
    nan: float  #: share that are NaN


def stored_range(stored: Float[Tensor, "*shape"], exact: Float[Tensor, "*shape"]) -> StoredRange:
    """The range of a tensor of `focused_steps`, and the shares of its entries that the format could not hold."""
    size = stored.abs()
    held = size[size.isfinite() & (size > 0)].double()
    return StoredRange(
        smallest=held.min().item() if len(held) else math.nan,
        largest=held.max().item() if len(held) else math.nan,
        overflowed=_share(stored.isinf()),
        flushed=_share((stored == 0) & (exact != 0)),
        nan=_share(stored.isnan()),
    )


def _share(marked: Tensor) -> float:
    return marked.sum().item() / marked.numel()


def output_error(stored: Float[Tensor, "n e"], exact: Float[Tensor, "n e"]) -> float:
    """The largest error of the output, as a share of the largest entry that it ought to have; NaN with NaN or Inf."""
    if not stored.isfinite().all():
        return math.nan
    return ((stored.double() - exact).abs().max() / exact.abs().max()).item()
