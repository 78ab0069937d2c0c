"""Maps made of attention maps: with the convolution's share, and over several blocks."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional import dwc_matrix


def equivalent_map(
    weights: Float[Tensor, "*batch n n"],
    kernel: Float[Tensor, "d *sides"],
    grid: tuple[int, ...],
    class_token: bool = False,
    channels: Sequence[int] | None = None,
) -> Float[Tensor, "*batch channels n n"]:
    """M_eq = phi(Q) phi(K)^T + M_DWC (equation 11): one map per head and per channel, since each channel has a kernel.

    Args:
        weights: the heads' maps. kernel: one kernel a channel.
        channels: the channels wanted; all d of them by default.
    """
    chosen = kernel if channels is None else kernel[list(channels)]
    return weights.unsqueeze(-3) + dwc_matrix(chosen, grid, class_token).to(weights.dtype)


def attention_rollout(maps: Sequence[Float[Tensor, "*batch h n n"]]) -> Float[Tensor, "*batch n n"]:
    """How much each input token reaches each output token through all blocks (Abnar & Zuidema 2020).

    The mean over heads, half of it replaced by the identity for the residual path, rows divided by their sums,
    multiplied from the first block to the last. For maps with entries >= 0.

    Raises:
        ValueError: no map, or a negative entry.
    """
    if not maps:
        raise ValueError("attention_rollout needs the map of at least one block")
    rolled = None
    for one in maps:
        if (one < 0).any():
            raise ValueError(f"attention_rollout needs maps with entries >= 0, got {one.min().item():.4g}")
        step = one.mean(-3) / 2 + torch.eye(one.shape[-1], dtype=one.dtype, device=one.device) / 2
        step = step / step.sum(-1, keepdim=True)
        rolled = step if rolled is None else step @ rolled
    return rolled
