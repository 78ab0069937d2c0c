"""Maps made of captured tensors: at another p, with the convolution's share, with the values' lengths."""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from flatten_edu.functional import EPS, attention_matrix, dwc_matrix, linear_weights, sharpen, softmax_weights
from flatten_edu.functional.checks import require_focusing_factor, require_known


def refocused(
    x: Float[Tensor, "*batch h n d"],
    p: int | float,
    scale: Float[Tensor, " c"] | None = None,
    norm_over: Literal["channels", "head"] | None = "channels",
) -> Float[Tensor, "*batch h n d"]:
    """phi_p of captured queries or keys, as the paper's module forms it, at a p of one's choice.

    With the p of training it is `Captured.phi_q` of `Captured.q`, or `Captured.phi_k` of `Captured.k`. Another p asks
    "what if?" of features that were trained for the first. Twin in the labs: `phi`.

    Args:
        scale: softplus of the module's scale, C = h d numbers.
        norm_over: what the norms run over. See `Captured`.

    Raises:
        ValueError: p is not a finite number above 0.
    """
    require_focusing_factor("refocused", p)
    h, d = x.shape[-3], x.shape[-1]
    r = x.relu() + EPS
    if scale is not None:
        r = r / scale.unflatten(-1, (h, 1, d))
    if norm_over == "head":
        return sharpen(r, p)
    rows = r.transpose(-3, -2).flatten(-2)
    return sharpen(rows, p).unflatten(-1, (h, d)).transpose(-3, -2)


def equivalent_map(
    weights: Float[Tensor, "*batch n n"],
    kernel: Float[Tensor, "d *sides"],
    grid: tuple[int, ...],
    class_token: bool = False,
    channels: Sequence[int] | None = None,
) -> Float[Tensor, "*batch channels n n"]:
    """M_eq = phi(Q) phi(K)^T + M_DWC (equation 11): one map per head and per channel, since each channel has a kernel.

    Args:
        weights: the heads' maps.
        kernel: one kernel a channel.
        channels: the channels wanted; all d of them by default.
    """
    chosen = kernel if channels is None else kernel[list(channels)]
    return weights.unsqueeze(-3) + dwc_matrix(chosen, grid, class_token).to(weights.dtype)


def what_if_map(
    q: Float[Tensor, "*batch h n d"],
    k: Float[Tensor, "*batch h n d"],
    kind: str,
    p: int | float = 1,
    scale: Float[Tensor, " c"] | None = None,
    norm_over: Literal["channels", "head"] | None = "channels",
) -> Float[Tensor, "*batch h n n"]:
    """The map of captured queries and keys at a p of one's choice. Twin in the labs: `AttentionMap`.

    Args:
        kind: "softmax"; "relu", which is f_p(ReLU(x)) head by head, plain ReLU at p = 1; "focused", the paper's
            module, whose own eps, scale and norms count (see `refocused`).

    Raises:
        ValueError: another kind, or a p that is not a finite number above 0.
    """
    require_known("kind of map", kind, ["softmax", "relu", "focused"])
    if kind == "softmax":
        return softmax_weights(q, k)
    if kind == "relu":
        return attention_matrix(q, k, "focused", p=p)
    return linear_weights(refocused(q, p, scale, norm_over), refocused(k, p, scale, norm_over), eps=EPS)


def value_weighted(weights: Float[Tensor, "*batch n m"], v: Float[Tensor, "*batch m d"]) -> Float[Tensor, "*batch n m"]:
    """Each weight times the length of its key's value: how much of the output comes from there, at most.

    A key that gets much weight contributes little where its value is short (Kobayashi et al. 2020). Not normalised.
    Twin in the labs: `valueWeighted`.
    """
    return weights * v.norm(dim=-1).unsqueeze(-2)
