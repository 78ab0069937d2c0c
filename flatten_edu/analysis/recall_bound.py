"""How much weight queries can give to what each of them asks for: proved, and looked for."""

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
