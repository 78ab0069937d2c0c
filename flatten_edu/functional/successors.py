"""The maps of later linear attentions, without the convolutions, gates and rotary positions of their modules.

Shapes are those of `attention`: phi_q [..., n, f], phi_k [..., m, f]. None takes a mask. Book: the chapter "What came
after"; the tests hold each map to a form that has no n x m matrix.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flatten_edu.functional.attention import linear_weights
from flatten_edu.functional.checks import require_finite, require_floating, require_grid, require_same_features
from flatten_edu.functional.widen import widen


def inline_weights(
    phi_q: Float[Tensor, "*#batch n f"], phi_k: Float[Tensor, "*#batch m f"]
) -> Float[Tensor, "... n m"]:
    r"""InLine attention's weights, :math:`s_{ij} - \bar s_i + 1/m`: Han et al. 2024 (arXiv:2412.06590).

    The similarities are :math:`s_{ij} = \phi(q_i) \cdot \phi(k_j) / (m \sqrt f)`, as the authors' code scales them.
    Each row sums to 1, an entry may be negative.
    """
    return (_deviation("inline_weights", phi_q, phi_k) + 1 / phi_k.shape[-2]).to(phi_q.dtype)


def mala_weights(phi_q: Float[Tensor, "*#batch n f"], phi_k: Float[Tensor, "*#batch m f"]) -> Float[Tensor, "... n m"]:
    r"""Magnitude-aware weights, :math:`\beta_i s_{ij} - \gamma_i`: Fan et al. 2025, MALA (arXiv:2507.00698).

    With s as in `inline_weights`, its row's sum :math:`S_i`, :math:`\beta_i = 1 + 1/S_i` and :math:`\gamma_i = S_i/m`.
    That is linear attention's row, plus what InLine adds to equal weights: it sums to 1, an entry may be negative.
    A query whose similarity to every key is zero gets zeros.

    Args:
        phi_q, phi_k: with entries >= 0.
    """
    return linear_weights(phi_q, phi_k) + _deviation("mala_weights", phi_q, phi_k).to(phi_q.dtype)


def rala_coefficients(
    phi_q: Float[Tensor, "*#batch n f"], phi_k: Float[Tensor, "*#batch m f"]
) -> Float[Tensor, "... m"]:
    r"""RALA's number for a key, :math:`\alpha_j = m\,\mathrm{softmax}_j(\bar\phi_q \cdot \phi(k_j) / \sqrt f)`.

    Fan et al. 2025 (arXiv:2411.07635), with the mean of the mapped queries, as the authors' code has it. They are 1 on
    average.
    """
    _check("rala_coefficients", phi_q, phi_k)
    mean = widen(phi_q).mean(-2, keepdim=True)
    logits = (mean @ widen(phi_k).mT).squeeze(-2) / phi_k.shape[-1] ** 0.5
    return phi_k.shape[-2] * logits.softmax(-1)


def rala_weights(phi_q: Float[Tensor, "*#batch n f"], phi_k: Float[Tensor, "*#batch m f"]) -> Float[Tensor, "... n m"]:
    """Linear attention's weights with each key multiplied by its `rala_coefficients`."""
    keys = rala_coefficients(phi_q, phi_k)[..., None] * widen(phi_k)
    return linear_weights(widen(phi_q), keys).to(phi_q.dtype)


def pola_weights(
    q: Float[Tensor, "*#batch n d"], k: Float[Tensor, "*#batch m d"], power: int | float | Float[Tensor, " d"] = 3.0
) -> tuple[Float[Tensor, "... n m"], Float[Tensor, "... n m"]]:
    r"""PolaFormer's two maps, of entries of the same and of the opposite sign: Meng et al. 2025 (arXiv:2501.15061).

    With :math:`q = q^+ - q^-`, entries >= 0, the features are :math:`[q^+, q^-]^p` for the first map and
    :math:`[q^-, q^+]^p` for the second, and :math:`[k^+, k^-]^p` for both. Rows sum to 1. The first half of v's
    channels goes through the first map, the second half through the second.

    Args:
        power: one number, or one per channel; PolaFormer learns 1 + a sigmoid(w), between 1 and 1 + a.
    """
    _check("pola_weights", q, k)
    positive, negative = _signs(widen(q), power)
    keys = torch.cat(_signs(widen(k), power), dim=-1)
    same, opposite = torch.cat([positive, negative], dim=-1), torch.cat([negative, positive], dim=-1)
    return linear_weights(same, keys).to(q.dtype), linear_weights(opposite, keys).to(q.dtype)


def nala_features(
    q: Float[Tensor, "*#batch n d"], k: Float[Tensor, "*#batch m d"]
) -> tuple[Float[Tensor, "... n f"], Float[Tensor, "... m f"]]:
    r"""NaLaFormer's features, f = 2d: a power that grows with the query's length. Meng et al. 2026 (arXiv:2506.21137).

    With :math:`\hat q = q/\lVert q\rVert` and :math:`P = 3\,(\frac12 + \tanh\lVert q\rVert)`, between 1.5 and 4.5, they
    are :math:`[(\hat q^+)^P, (\hat q^-)^P]` and :math:`[(k^3)^+, (k^3)^-]`, as the authors' code has it, before its
    rotary positions. That code divides 0 by 0 for a query of zeros; here such a query has the features 0.
    In float32 for half precision.
    """
    _check("nala_features", q, k)
    q, k = widen(q), widen(k)
    length = q.norm(dim=-1, keepdim=True)
    unit = q / length.where(length > 0, 1.0)
    power = 3 * (0.5 + length.tanh())
    return torch.cat(_signs(unit, power), dim=-1), torch.cat(_signs(k, 3), dim=-1)


def mhla_weights(
    phi_q: Float[Tensor, "*#batch n f"],
    phi_k: Float[Tensor, "*#batch n f"],
    blocks: Int[Tensor, " n"],
    mix: Float[Tensor, "b b"],
) -> Float[Tensor, "... n n"]:
    r"""MHLA's weights, those of linear attention with b f features: Zhang et al. 2026 (arXiv:2601.07832).

    A query of block a gets :math:`w_a \otimes \phi(q)`, a key of block b gets :math:`e_b \otimes \phi(k)`. Their
    product is :math:`w_{ab}\,\phi(q)\cdot\phi(k)`. Each row sums to 1.

    Args:
        phi_q, phi_k: with entries >= 0.
        blocks: the block of each token, 0 to b - 1.
        mix: w, with entries >= 0; row a is for queries of block a.
    """
    mix = mix.to(phi_q)

    def by_block(part: Tensor, x: Tensor) -> Tensor:
        return (part[:, :, None] * x[..., None, :]).flatten(-2)

    return linear_weights(by_block(mix[blocks], phi_q), by_block(torch.eye(len(mix)).to(mix)[blocks], phi_k))


def nearest_circulant(weights: Float[Tensor, "*batch n n"], grid: tuple[int, int]) -> Float[Tensor, "*batch n n"]:
    r"""The circulant map nearest to a map, in squared distance: each entry becomes the mean of its offset's entries.

    Offsets are counted round the grid's edges. The softmax of the one nearest to :math:`QK^\top/\sqrt d` is circulant
    attention's map: Han et al. 2026 (arXiv:2512.21542).

    Raises:
        ValueError: a grid with other than n cells.
    """
    n = weights.shape[-1]
    require_grid("nearest_circulant", grid, n, class_token=False)
    cells = torch.cartesian_prod(*(torch.arange(side, device=weights.device) for side in grid))
    rows, columns = (cells[None] - cells[:, None]).unbind(-1)
    offsets = rows % grid[0] * grid[1] + columns % grid[1]
    sums = weights.new_zeros(*weights.shape[:-2], n).index_add(-1, offsets.flatten(), weights.flatten(-2))
    return (sums / n)[..., offsets]


def _check(where: str, q: Tensor, k: Tensor) -> None:
    require_floating(where, q=q, k=k)
    require_same_features(where, q=q, k=k)
    require_finite(where, q=q, k=k)


def _deviation(where: str, phi_q: Tensor, phi_k: Tensor) -> Tensor:
    """Each similarity less its row's mean."""
    _check(where, phi_q, phi_k)
    similarity = widen(phi_q) @ widen(phi_k).mT * (1 / (phi_k.shape[-2] * phi_k.shape[-1] ** 0.5))
    return similarity - similarity.mean(-1, keepdim=True)


def _signs(x: Tensor, power: int | float | Tensor) -> tuple[Tensor, Tensor]:
    """x's positive and negative part, both >= 0, to a power."""
    return x.relu() ** power, (-x).relu() ** power
