"""The maps whose ranks the book compares: A = phi(Q) phi(K)^T, M_DWC, their sum, and softmax's."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional import (
    DEFAULT_P,
    dwc_matrix,
    focused_map,
    linear_weights,
    softmax_weights,
    wrapped_dwc_matrix,
)
from flatten_edu.functional.checks import require_known

# Where the number is, from the middle (rows down, columns to the right), and the number.
_ONE_NUMBER = {"zero": (0, 0, 0.0), "minus_impulse": (0, 0, -1.0), "right_neighbour": (0, 1, 1.0)}
#: Kernels in which at most one number is not zero: see `named_kernel`.
NAMED_KERNELS = tuple(_ONE_NUMBER)


@dataclass
class RankMaps:
    """The maps of one head and one channel, in float64: N x N, patch tokens only."""

    linear: Float[Tensor, "n n"]  #: A = U W^T: rows sum to 1, or are zero where a query has no positive entry
    dwc: Float[Tensor, "n n"]  #: M_DWC
    equivalent: Float[Tensor, "n n"]  #: M_eq = A + M_DWC
    softmax: Float[Tensor, "n n"]  #: of the same queries and keys, for comparison
    u: Float[Tensor, "n d"]  #: phi(Q), its rows divided by A's row sums
    w: Float[Tensor, "n d"]  #: phi(K)


def rank_maps(
    q: Float[Tensor, "h n d"],
    k: Float[Tensor, "h n d"],
    kernel: Float[Tensor, "kh kw"],
    grid: tuple[int, int],
    p: int | float = DEFAULT_P,
    head: int = 0,
    wrapped: bool = False,
) -> RankMaps:
    """Equation 11's maps, formed in float64: in float32 rounding alone gives A a full numerical rank.

    Args:
        q, k: all heads, since the norms of f_p run over all h d channels, as in the official code.
        wrapped: take `wrapped_dwc_matrix` for M_DWC, as the authors' visualisation does.
    """
    heads, _, d = q.shape
    rows = [focused_map(x.double().transpose(0, 1).flatten(1), p) for x in (q, k)]
    phi_q, phi_k = (x.unflatten(1, (heads, d))[:, head] for x in rows)
    linear = linear_weights(phi_q, phi_k)
    total = (phi_q @ phi_k.sum(0))[:, None]
    dwc = (wrapped_dwc_matrix if wrapped else dwc_matrix)(kernel.double(), grid)
    softmax = softmax_weights(q[head].double(), k[head].double())
    return RankMaps(linear, dwc, linear + dwc, softmax, phi_q / total.where(total > 0, 1.0), phi_k)


def named_kernel(name: str, side: int = 5) -> Float[Tensor, "side side"]:
    """A kernel in which full rank plus low rank can fail.

    "zero": no convolution. "minus_impulse": M_DWC = -I; rows of A sum to 1, so (A - I) 1 = 0. "right_neighbour": each
    cell gets its right neighbour's value; the last of each row gets nothing, and rank(M_DWC) = N - rows.

    Raises:
        ValueError: another name; the names are listed.
    """
    down, right, value = _ONE_NUMBER[require_known("kernel", name, NAMED_KERNELS)]
    kernel = torch.zeros(side, side, dtype=torch.float64)
    kernel[side // 2 + down, side // 2 + right] = value
    return kernel
