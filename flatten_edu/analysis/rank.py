"""Rank of a map, what rank hides, and what can be guaranteed of full rank plus low rank."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flatten_edu.functional import linear_weights


def spectrum(matrix: Float[Tensor, "*batch n m"]) -> Float[Tensor, "*batch s"]:
    """Singular values, largest first."""
    return torch.linalg.svdvals(matrix)


def rank_tolerance(matrix: Float[Tensor, "*batch n m"]) -> Float[Tensor, "*batch"]:
    """NumPy's: the largest singular value times the longer side times the dtype's epsilon."""
    return spectrum(matrix)[..., 0] * max(matrix.shape[-2:]) * torch.finfo(matrix.dtype).eps


def numerical_rank(
    matrix: Float[Tensor, "*batch n m"], tolerance: float | Float[Tensor, "*batch"] | None = None
) -> Int[Tensor, "*batch"]:
    """How many singular values exceed the tolerance; by default `rank_tolerance`."""
    values = spectrum(matrix)
    if tolerance is None:
        tolerance = rank_tolerance(matrix)
    return (values > torch.as_tensor(tolerance, dtype=values.dtype, device=values.device)[..., None]).sum(-1)


def effective_rank(matrix: Float[Tensor, "*batch n m"]) -> Float[Tensor, "*batch"]:
    """exp of the entropy of the normalised singular values (Roy & Vetterli 2007): 1 to min(n, m); NaN for zeros."""
    return rank_summary(matrix).effective


def stable_rank(matrix: Float[Tensor, "*batch n m"]) -> Float[Tensor, "*batch"]:
    """Squared Frobenius norm over the squared largest singular value: 1 to the rank; NaN for zeros."""
    return rank_summary(matrix).stable


@dataclass
class RankSummary:
    """What one decomposition says of a map, or of each of a batch of maps."""

    values: Float[Tensor, "*batch s"]  #: singular values, largest first
    rank: Int[Tensor, "*batch"]  #: at `rank_tolerance`
    effective: Float[Tensor, "*batch"]
    stable: Float[Tensor, "*batch"]


def rank_summary(matrix: Float[Tensor, "*batch n m"]) -> RankSummary:
    """`numerical_rank`, `effective_rank` and `stable_rank` from one decomposition."""
    values = spectrum(matrix)
    floor = values[..., :1] * max(matrix.shape[-2:]) * torch.finfo(matrix.dtype).eps
    share = values / values.sum(-1, keepdim=True)
    return RankSummary(
        values,
        rank=(values > floor).sum(-1),
        effective=torch.exp(-torch.xlogy(share, share).sum(-1)),
        stable=values.square().sum(-1) / values[..., 0].square(),
    )


class DeterminantLemma(NamedTuple):
    """The three determinants of det(M + U W^T) = det(M) det(I + W^T M^-1 U): the sign, and log10 of the absolute value.

    A determinant of 196 rows leaves float64's range; its logarithm does not. It is -inf for 0.
    """

    total: tuple[float, float]  #: of M + U W^T, formed from the sum
    dwc: tuple[float, float]  #: of M
    small: tuple[float, float]  #: of I + W^T M^-1 U, as many rows as U has columns


def determinant_lemma(m: Float[Tensor, "n n"], u: Float[Tensor, "n r"], w: Float[Tensor, "n r"]) -> DeterminantLemma:
    """The matrix determinant lemma in float64: M + U W^T is invertible if M is, unless the r x r factor is 0.

    Twin in the labs: `determinantLemma`.

    Raises:
        ValueError: M is singular, to the last digit: the lemma needs its inverse.
    """
    m, u, w = m.double(), u.double(), w.double()
    if torch.linalg.slogdet(m).sign == 0:
        raise ValueError("the determinant lemma needs an invertible M, and det(M) = 0")
    identity = torch.eye(u.shape[1], dtype=u.dtype, device=u.device)
    sides = (m + u @ w.mT, m, identity + w.mT @ torch.linalg.solve(m, u))
    found = [torch.linalg.slogdet(side) for side in sides]
    return DeterminantLemma(*((one.sign.item(), one.logabsdet.item() / math.log(10)) for one in found))


@dataclass
class RankGuarantee:
    """What theorems say, and what is measured, of M_DWC + A with A = phi(Q) phi(K)^T, rows divided by their sums."""

    dwc_rank: int
    linear_rank: int
    sum_rank: int
    # Both bounds hold for exact ranks, by subadditivity; what is reported are numerical ranks, each with a tolerance.
    lower_bound: int  #: the difference of rank(M_DWC) and rank(A), without its sign
    upper_bound: int  #: min(N, rank(M_DWC) + rank(A))
    # By the matrix determinant lemma: det(M + U W^T) = det(M) det(I + W^T M^-1 U). Both None for a singular M_DWC.
    log_det: float | None  #: log of the absolute value of det(M_DWC + A), computed from the sum
    log_det_lemma: float | None  #: the same by the lemma


def rank_guarantee(
    m_dwc: Float[Tensor, "n n"], phi_q: Float[Tensor, "n f"], phi_k: Float[Tensor, "n f"]
) -> RankGuarantee:
    """Bounds, ranks and both sides of the determinant lemma for one head and one channel, computed in float64."""
    m, phi_q, phi_k = m_dwc.double(), phi_q.double(), phi_k.double()
    a = linear_weights(phi_q, phi_k)
    n = len(m)
    dwc_rank, linear_rank, sum_rank = (int(numerical_rank(matrix)) for matrix in (m, a, m + a))
    log_det = log_det_lemma = None
    if dwc_rank == n:
        total = (phi_q @ phi_k.sum(0))[:, None]
        lemma = determinant_lemma(m, phi_q / total.where(total > 0, 1.0), phi_k)
        log_det, log_det_lemma = (math.log(10) * x for x in (lemma.total[1], lemma.dwc[1] + lemma.small[1]))
    bounds = abs(dwc_rank - linear_rank), min(n, dwc_rank + linear_rank)
    return RankGuarantee(dwc_rank, linear_rank, sum_rank, *bounds, log_det, log_det_lemma)
