"""Feature maps phi: what a linear attention applies to queries and keys before their product."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from flatten_edu.functional.checks import require_finite, require_floating, require_focusing_factor, require_known
from flatten_edu.functional.precision import widen


def focused_map(x: Float[Tensor, "*batch c"], p: int | float = 3.0) -> Float[Tensor, "*batch c"]:
    r"""Turn each row towards its largest entries and keep its length: :math:`\phi_p(x) = f_p(\mathrm{ReLU}(x))`.

    Equations 5 and 6 of Han et al. 2023, where :math:`f_p(r) = \lVert r\rVert\,r^p / \lVert r^p\rVert` with the power
    taken entry by entry. Book: the chapter "The focused function". Twin in the labs: `focusedMap`.

    Args:
        x: rows of c features (the paper's Q or K; c is d when called per head, C when called before the split).
        p: focusing factor; 1 is plain ReLU, the paper uses 3, below 1 rows are flattened instead.

    Returns:
        A tensor of x's shape and dtype. A row without a positive entry has no direction and stays zero.
        In half precision a row longer than the dtype's largest number comes out with an Inf, never with a NaN.

    Raises:
        ValueError: p is not a finite number above 0, or x holds NaN or Inf.
        TypeError: x is not floating-point.
    """
    require_focusing_factor("focused_map", p)
    require_floating("focused_map", x=x)
    require_finite("focused_map", x=x)
    # Half precision is mapped in float32: the gradient's sums over 1e4-sized rows leave fp16's range.
    return sharpen(widen(x).relu(), p).to(x.dtype)


def sharpen(r: Float[Tensor, "*batch c"], p: int | float) -> Float[Tensor, "*batch c"]:
    r"""Equation 6, :math:`f_p`, on rows with entries >= 0. Unchecked: `focused_map` is the one to call."""
    return _Sharpen.apply(r, p)


class _Sharpen(torch.autograd.Function):
    """With a gradient written out, which takes a quarter of the time of the one that autograd puts together."""

    generate_vmap_rule = True

    @staticmethod
    def forward(r: Tensor, p: int | float) -> Tensor:
        unit, largest = _by_largest(r)
        powered = unit * _power(unit, p - 1)
        return powered * (_length(unit) / _length(powered) * largest)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int | float], output: Tensor) -> None:
        r, ctx.p = inputs
        ctx.save_for_backward(r)  # all else is formed anew: less memory, and this gradient has a gradient itself

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        """y = |r| w / |w| with w = r^p: the length's share along r, and the direction's across w."""
        (r,) = ctx.saved_tensors
        unit, _ = _by_largest(r)
        slope = _power(unit, ctx.p - 1)
        powered = unit * slope
        length, powered_length = _length(unit), _length(powered)
        along = (g * powered).sum(-1, keepdim=True) / powered_length
        across = g - powered * (along / powered_length)
        return unit * (along / length) + slope * across * (ctx.p * length / powered_length), None


def _by_largest(r: Tensor) -> tuple[Tensor, Tensor]:
    """Rows divided by their largest entry, and that: a row's scale cancels in r**p / |r**p|, and r**p stays in range.

    A row of zeros is divided by 1.
    """
    largest = r.detach().amax(-1, keepdim=True)
    largest = largest.where(largest > 0, 1.0)
    return r / largest, largest


def _power(unit: Tensor, exponent: int | float) -> Tensor:
    """unit**exponent; squares as products, and 0 for 0**negative, where a power would be infinite."""
    if exponent == 2:
        return unit * unit
    if exponent >= 0:
        return unit**exponent
    positive = unit > 0
    return unit.where(positive, 1.0) ** exponent * positive


def _length(x: Tensor) -> Tensor:
    """The rows' norms; 1 for a row of zeros."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return length.where(length > 0, 1.0)


KeyMask = Bool[Tensor, "*#batch m"]
Mapped = tuple[Float[Tensor, "... n f"], Float[Tensor, "... m f"]]


@dataclass(frozen=True)
class FeatureMap:
    """How queries and keys are mapped, and whether rows of phi(Q) phi(K)^T are then divided by their sums."""

    map: Callable[[Tensor, Tensor, Tensor | None, int | float], tuple[Tensor, Tensor]]
    normalised: bool
    paper: str
    note: str

    def __call__(
        self,
        q: Float[Tensor, "*#batch n d"],
        k: Float[Tensor, "*#batch m d"],
        key_mask: KeyMask | None = None,
        p: int | float = 3.0,
    ) -> Mapped:
        """phi(q) and phi(k). `key_mask` is True for keys that count; p matters to the focused map alone."""
        require_focusing_factor("feature map", p)
        return self.map(q, k, key_mask, p)


def unit_rows(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """Each row divided by its length; a zero row stays zero, with a zero gradient."""
    # Dividing by the largest entry first, as in `sharpen`: squares of 1e-30 or 1e30 leave float32's range.
    largest = x.detach().abs().amax(-1, keepdim=True)
    some = largest > 0
    scaled = x / largest.where(some, 1.0)
    return scaled / scaled.square().sum(-1, keepdim=True).where(some, 1.0).sqrt() * some


def _efficient(q: Tensor, k: Tensor, key_mask: Tensor | None, p: int | float) -> tuple[Tensor, Tensor]:
    if key_mask is not None:
        k = k.masked_fill(~key_mask[..., None], torch.finfo(k.dtype).min)
    return q.softmax(-1), k.softmax(-2)


def _angular(x: Tensor) -> Tensor:
    constant = x.new_full((*x.shape[:-1], 1), math.sqrt(0.5))
    return torch.cat([constant, unit_rows(x) / math.sqrt(math.pi)], dim=-1)


def _both(one: Callable[[Tensor], Tensor]) -> Callable:
    return lambda q, k, key_mask, p: (one(q), one(k))


#: The feature maps by name: relu, elu1, efficient, cosine, angular, focused.
FEATURE_MAPS: dict[str, FeatureMap] = {
    "relu": FeatureMap(
        _both(torch.relu),
        normalised=True,
        paper="Cai et al. 2022 (EfficientViT); the vanilla linear attention of Han et al. 2023, table 4",
        note="phi(x) = ReLU(x); rows divided by their sums.",
    ),
    "elu1": FeatureMap(
        _both(lambda x: torch.where(x > 0, x + 1, x.clamp(max=0).exp())),  # elu(x) + 1 cancels where x is negative
        normalised=True,
        paper="Katharopoulos et al. 2020",
        note="phi(x) = elu(x) + 1, positive; rows divided by their sums.",
    ),
    "efficient": FeatureMap(
        _efficient,
        normalised=False,
        paper="Shen et al. 2021 (Efficient attention)",
        note="Softmax of q over its features and of k over the tokens. Rows sum to 1 by themselves.",
    ),
    "cosine": FeatureMap(
        _both(unit_rows),
        normalised=False,
        paper="Bolya et al. 2022 (Hydra attention)",
        note="phi(x) = x / |x|. Weights may be negative, so a row's sum may be 0: nothing is divided.",
    ),
    "angular": FeatureMap(
        _both(_angular),
        normalised=True,
        paper="You et al. 2023 (Castling-ViT)",
        note="phi(x) = (sqrt(1/2), x / (|x| sqrt(pi))): 1/2 + cos / pi is the linear part of 1 - angle / pi.",
    ),
    "focused": FeatureMap(
        lambda q, k, key_mask, p: (sharpen(q.relu(), p), sharpen(k.relu(), p)),
        normalised=True,
        paper="Han et al. 2023 (FLatten Transformer)",
        note="phi_p(x) = f_p(ReLU(x)), equations 5 and 6; rows divided by their sums.",
    ),
}


def feature_map(name: str) -> FeatureMap:
    """The feature map of that name. Raises ValueError with the known names on another."""
    return FEATURE_MAPS[require_known("feature map", name, FEATURE_MAPS)]
