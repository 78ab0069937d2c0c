"""Feature maps phi: what a linear attention applies to queries and keys before their product."""

from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional.checks import require_finite, require_floating, require_focusing_factor


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
    r = x.relu()
    # Any per-row constant cancels in r**p / |r**p|. Dividing by the largest entry keeps the power inside the dtype's
    # range; being a constant, it needs no gradient.
    largest = r.detach().amax(-1, keepdim=True)
    largest = largest.where(largest > 0, 1.0)
    unit = r / largest
    # 0**p has an infinite slope below p = 1, and ReLU makes many zeros: raise a 1 in their place.
    positive = unit > 0
    powered = unit.where(positive, 1.0).pow(p) * positive
    length = unit.norm(dim=-1, keepdim=True)
    powered_length = powered.norm(dim=-1, keepdim=True)
    return powered * (length / powered_length.where(powered_length > 0, 1.0)) * largest
