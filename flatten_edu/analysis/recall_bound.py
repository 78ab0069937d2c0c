"""How much weight queries can give to what each of them asks for: proved, and looked for."""

import math

import torch

from flatten_edu.functional import attention_matrix


def recall_bound(features: int, targets: int) -> float:
    """The largest mean weight of D queries on D different targets, for any non-negative feature map: d / D, at most 1.

    Whatever the map and whatever was learned. Softmax has no such bound. Book: {ref}`problem-rank`.

    Args:
        features: d, of the map.
        targets: D.
    """
    if features < 1 or targets < 1:
        raise ValueError(f"recall_bound needs at least one feature and one target, got {features} and {targets}")
    return min(1.0, features / targets)


def correlation_bound(features: int, n: int) -> float:
    """The largest correlation of n answers with n values of noise, for weights of rank d: sqrt(d / (n - 1)), at most 1.

    Both less their mean. It holds in the mean over values that are independent, of mean 0 and of one variance, for
    weights that do not depend on them. Proof: with J for the matrix that takes the mean away, the correlation is
    tr(J A) / (norm(J A) sqrt(n - 1)), and the trace of a matrix of rank d is at most sqrt(d) times its Frobenius norm.

    Args:
        features: d, of the map. n: values.
    """
    if features < 1 or n < 2:
        raise ValueError(f"correlation_bound needs at least one feature and two values, got {features} and {n}")
    return min(1.0, math.sqrt(features / (n - 1)))


def free_codes(kind: str, features: int, targets: int, p: int | float = 1, steps: int = 300, seed: int = 0) -> float:
    """The mean weight on the target where queries and keys are free numbers, and an optimiser moves them to raise it.

    Args:
        kind: "softmax", or a name in `FEATURE_MAPS`.
        features: d, numbers of a query and of a key.
        targets: D; query i asks for key i.
        p: focusing factor, for the focused map.
    """
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randn(2, targets, features, generator=generator, dtype=torch.float64).requires_grad_()
    optimizer = torch.optim.Adam([codes], lr=0.1)
    for _ in range(steps):
        on_target = attention_matrix(codes[0], codes[1], kind, p=p).diagonal().mean()
        optimizer.zero_grad()
        (-on_target).backward()
        optimizer.step()
    return attention_matrix(codes[0].detach(), codes[1].detach(), kind, p=p).diagonal().mean().item()
