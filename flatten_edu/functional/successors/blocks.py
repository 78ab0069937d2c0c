"""MHLA: a state for each block of keys, mixed anew for each block of queries."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flatten_edu.functional.attention import linear_weights
from flatten_edu.functional.checks import require_floating, require_same_features
from flatten_edu.functional.successors._checks import require_attention
from flatten_edu.functional.widen import widen


def mhla_features(
    phi_q: Float[Tensor, "*#batch n f"],
    phi_k: Float[Tensor, "*#batch n f"],
    blocks: Int[Tensor, " n"],
    mix: Float[Tensor, "b b"],
) -> tuple[Float[Tensor, "... n bf"], Float[Tensor, "... n bf"]]:
    r"""MHLA as linear attention with b f features: Zhang et al. 2026 (arXiv:2601.07832).

    A query of block a gets :math:`w_a \otimes \phi(q)`, a key of block b gets :math:`e_b \otimes \phi(k)`. Their
    product is :math:`w_{ab}\,\phi(q)\cdot\phi(k)`. The map's rank is at most :math:`\sum_b \min(n_b, f)`, with n_b
    tokens in block b, and at most rank(mix) f.

    Args:
        phi_q, phi_k: with entries >= 0. blocks: the block of each token, 0 to b - 1.
        mix: w, with entries >= 0; row a is for queries of block a.

    Raises:
        ValueError: shapes that do not fit, a block without a row of `mix`, a negative entry of `mix`.
        TypeError: not floating-point, or two dtypes.
    """
    _check_blocks("mhla_features", phi_q, phi_k, blocks, mix)
    mix = mix.to(phi_q)

    def by_block(part: Tensor, x: Tensor) -> Tensor:
        return (part[:, :, None] * x[..., None, :]).flatten(-2)

    return by_block(mix[blocks], phi_q), by_block(torch.eye(len(mix)).to(mix)[blocks], phi_k)


def mhla_weights(
    phi_q: Float[Tensor, "*#batch n f"],
    phi_k: Float[Tensor, "*#batch n f"],
    blocks: Int[Tensor, " n"],
    mix: Float[Tensor, "b b"],
) -> Float[Tensor, "... n n"]:
    """Linear attention's weights of `mhla_features`: each row sums to 1. Arguments and errors as there."""
    return linear_weights(*mhla_features(phi_q, phi_k, blocks, mix))


def mhla_attention(
    phi_q: Float[Tensor, "*#batch n f"],
    phi_k: Float[Tensor, "*#batch n f"],
    v: Float[Tensor, "*#batch n e"],
    blocks: Int[Tensor, " n"],
    mix: Float[Tensor, "b b"],
) -> Float[Tensor, "... n e"]:
    r"""`mhla_weights` times v in O(n f e + b^2 f e), by a state per block.

    With :math:`S_b = \sum_{j \in b} \phi(k_j) v_j^\top` a query of block a gets
    :math:`\phi(q)^\top \sum_b w_{ab} S_b`, divided by the same with 1 for v. In v's dtype; a query whose similarity to
    every key is zero gets zeros. Errors as in `mhla_features`.
    """
    require_attention("mhla_attention", phi_q, phi_k, v)
    _check_blocks("mhla_attention", phi_q, phi_k, blocks, mix)
    wide = widen(v)
    beside = torch.cat([wide, torch.ones_like(wide[..., :1])], dim=-1)  # the last column counts the rows' sums
    members = [blocks == b for b in range(len(mix))]
    states = torch.stack([widen(phi_k)[..., at, :].mT @ beside[..., at, :] for at in members], dim=-3)
    mixed = torch.einsum("ab,...bfe->...afe", mix.to(states), states)
    out = torch.cat([widen(phi_q)[..., at, :] @ mixed[..., a, :, :] for a, at in enumerate(members)], dim=-2)
    out = out[..., torch.argsort(torch.argsort(blocks, stable=True)), :]  # from block by block to the tokens' order
    total = out[..., -1:]
    return (out[..., :-1] / total.where(total > 0, 1.0)).to(v.dtype)


def _check_blocks(where: str, phi_q: Tensor, phi_k: Tensor, blocks: Tensor, mix: Tensor) -> None:
    require_floating(where, phi_q=phi_q, phi_k=phi_k)
    require_same_features(where, phi_q=phi_q, phi_k=phi_k)
    if not phi_q.shape[-2] == phi_k.shape[-2] == len(blocks):
        raise ValueError(
            f"{where} needs one block per token, got {len(blocks)} for phi_q {tuple(phi_q.shape)}"
            f" and phi_k {tuple(phi_k.shape)}"
        )
    if blocks.min() < 0 or blocks.max() >= len(mix):
        raise ValueError(
            f"{where} needs blocks from 0 to {len(mix) - 1}, the rows of mix, got {blocks.unique().tolist()}"
        )
    if (mix < 0).any():
        raise ValueError(f"{where} needs entries >= 0 in mix, got {mix.min().item():.4g}")
