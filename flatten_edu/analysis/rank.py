"""Rank of a map, what rank hides, and what can be guaranteed of full rank plus low rank."""

from dataclasses import dataclass

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

    values: Float[Tensor, "*batch s"]  # singular values, largest first
    rank: Int[Tensor, "*batch"]  # at `rank_tolerance`
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


@dataclass
class RankGuarantee:
    """What theorems say, and what is measured, of M_DWC + A with A = phi(Q) phi(K)^T, rows divided by their sums."""

    dwc_rank: int
    linear_rank: int
    sum_rank: int
    # Both bounds hold for exact ranks, by subadditivity; what is reported are numerical ranks, each with a tolerance.
    lower_bound: int  # |rank(M_DWC) - rank(A)|
    upper_bound: int  # min(N, rank(M_DWC) + rank(A))
    # By the matrix determinant lemma: det(M + U W^T) = det(M) det(I + W^T M^-1 U). Both None for a singular M_DWC.
    log_det: float | None  # log |det(M_DWC + A)|, computed from the sum
    log_det_lemma: float | None  # the same by the lemma


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
        u = phi_q / total.where(total > 0, 1.0)
        small = torch.eye(u.shape[1], dtype=u.dtype, device=u.device) + phi_k.mT @ torch.linalg.solve(m, u)
        log_det = torch.linalg.slogdet(m + a).logabsdet.item()
        log_det_lemma = (torch.linalg.slogdet(m).logabsdet + torch.linalg.slogdet(small).logabsdet).item()
    return RankGuarantee(
        dwc_rank,
        linear_rank,
        sum_rank,
        abs(dwc_rank - linear_rank),
        min(n, dwc_rank + linear_rank),
        log_det,
        log_det_lemma,
    )
