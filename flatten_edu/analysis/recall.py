"""What attention gives back of values that were stored under keys, measured."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional import DEFAULT_P, attention_matrix


@dataclass
class Recall:
    """The answers to n queries, of which query i asks for value i; twin in the labs: `recall`."""

    out: Float[Tensor, "n e"]  #: one row an answer
    weight: float  #: mean weight of a query on the key it asks for, 0 to 1: attention's alone
    contrast: float  #: how far the answers differ from their own mean, as a share of how far the values do from theirs
    correlation: float  #: of all entries of the answers with those of the values, each less its mean over the n rows
    right: float  #: share of the answers to which no value is nearer than the one that was asked for


def recall(
    q: Float[Tensor, "n d"],
    k: Float[Tensor, "n d"],
    v: Float[Tensor, "n e"],
    kind: str = "softmax",
    p: int | float = DEFAULT_P,
    beside: Float[Tensor, "n e"] | None = None,
    removed: bool = False,
) -> Recall:
    """Read n values by n queries, and compare each answer with the value that was asked for.

    Args:
        q: query i asks for value i.
        kind: "softmax", or a name in `FEATURE_MAPS`. p: focusing factor, for the focused map.
        beside: what is added to the answers, a convolution's share.
        removed: take away what all answers have in common, their mean, put the values' mean in its place, and stretch
            what is left until it differs as much as the values do. `weight` and `correlation` do not depend on it.

    Book: {ref}`problem-rank`.
    """
    weights = attention_matrix(q, k, kind, p=p)
    out = weights @ v if beside is None else weights @ v + beside
    found, wanted = out - out.mean(0), v - v.mean(0)
    contrast = found.norm() / wanted.norm()
    if removed:
        out = v.mean(0) + (found / contrast if contrast > 0 else found)
    correlation = (found * wanted).sum() / (found.norm() * wanted.norm())
    return Recall(out, weights.diagonal().mean().item(), contrast.item(), correlation.item(), _right(out, v))


def _right(out: Tensor, v: Tensor) -> float:
    """Of two values at the same distance, but for rounding, neither is the nearer one."""
    closeness = out @ v.mT - v.square().sum(-1) / 2  # minus half the squared distance, but for what a row shares
    best = closeness.amax(-1)
    return (closeness.diagonal() >= best - 1e-9 * best.abs()).double().mean().item()
