"""What attention costs in each order of multiplication, counted and not timed.

A multiplication comes with an addition, so one number counts both. Left out are the feature map or softmax's
exponentials, the division by the row sums, and all traffic with memory: a fast kernel for (Q K^T) V never stores the
n x n matrix whole.
"""

from dataclasses import dataclass
from typing import Literal

from flatten_edu.functional.checks import require_known

TwoOrders = Literal["qk_first", "kv_first"]


@dataclass(frozen=True)
class AttentionCost:
    """Multiply-adds of the two products of an order, and how many numbers stand between them."""

    first: int  #: multiply-adds of the product in brackets
    second: int  #: of the other one
    intermediate: int  #: numbers that the product in brackets has

    @property
    def multiply_adds(self) -> int:
        """Of both products."""
        return self.first + self.second


def attention_cost(n: int, d: int, order: TwoOrders, e: int | None = None) -> AttentionCost:
    r"""Count :math:`(QK^\top)V` ("qk_first") or :math:`Q(K^\top V)` ("kv_first"): equations 1 and 4 of Han et al. 2023.

    With q and k of n x d and v of n x e (e = d where left out) the first takes n^2 d + n^2 e multiply-adds and forms
    n^2 numbers on the way, the second 2 n d e and d e. For e = d they are equal where n = d.
    Book: {ref}`lab-reorder`. Twin: `attentionCost` in labs/frame/maths/cost.ts.

    Raises:
        ValueError: a size below 1, an unknown order.
    """
    (first, first_terms), (second, second_terms) = _products(n, d, order, e)
    return AttentionCost(first * first_terms, second * second_terms, first)


def multiply_adds_after(entries: int, n: int, d: int, order: TwoOrders, e: int | None = None) -> int:
    """The multiply-adds of the first `entries` entries, those of the product in brackets first.

    Each entry is a row times a column. At 0 nothing is multiplied; the last entry completes `attention_cost`.
    Twin: `multiplyAddsAfter` in labs/frame/maths/cost.ts.

    Raises:
        ValueError: as `attention_cost`, and for fewer entries than none or more than both products have.
    """
    (first, first_terms), (second, second_terms) = _products(n, d, order, e)
    if not 0 <= entries <= first + second:
        raise ValueError(f"multiply_adds_after needs 0 to {first + second} entries, got {entries}")
    return min(entries, first) * first_terms + max(entries - first, 0) * second_terms


def _products(n: int, d: int, order: TwoOrders, e: int | None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of the product in brackets and of the other one: how many entries, and how many terms each of them sums."""
    e = d if e is None else e
    require_known("order", order, ["qk_first", "kv_first"])
    for name, size in {"n": n, "d": d, "e": e}.items():
        if size < 1:
            raise ValueError(f"attention_cost needs {name} >= 1, got {size}")
    return ((n * n, d), (n * e, n)) if order == "qk_first" else ((d * e, n), (n * e, d))
