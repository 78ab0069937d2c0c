"""Feature maps phi by name: what a linear attention applies to queries and keys before their product."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from flatten_edu.functional.attention import linear_weights, softmax_weights
from flatten_edu.functional.checks import require_focusing_factor, require_key_mask, require_known
from flatten_edu.functional.focused.steps import DEFAULT_P, sharpen

KeyMask = Bool[Tensor, "*#batch m"]
Mapped = tuple[Float[Tensor, "... n f"], Float[Tensor, "... m f"]]


@dataclass(frozen=True)
class FeatureMap:
    """How queries and keys are mapped, and whether rows of phi(Q) phi(K)^T are then divided by their sums."""

    map: Callable[[Tensor, Tensor, Tensor | None, int | float], tuple[Tensor, Tensor]]
    normalised: bool

    def __call__(
        self,
        q: Float[Tensor, "*#batch n d"],
        k: Float[Tensor, "*#batch m d"],
        key_mask: KeyMask | None = None,
        p: int | float = DEFAULT_P,
    ) -> Mapped:
        """phi(q) and phi(k). `key_mask` is True for keys that count; p matters to the focused map alone."""
        require_focusing_factor("feature map", p)
        return self.map(q, k, key_mask, p)


def unit_rows(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """Each row divided by its length; a zero row stays zero, with a zero gradient."""
    # Dividing by the largest entry first, as in `sharpen`: squares of 1e-30 or 1e30 leave float32's range.
    largest = x.detach().abs().amax(-1, keepdim=True)
    some = largest > 0
    scaled = x / largest.where(some, 1.0)
    return scaled / scaled.square().sum(-1, keepdim=True).where(some, 1.0).sqrt() * some


def _efficient(q: Tensor, k: Tensor, key_mask: Tensor | None, p: int | float) -> tuple[Tensor, Tensor]:
    if key_mask is not None:
        k = k.masked_fill(~key_mask[..., None], torch.finfo(k.dtype).min)
    return q.softmax(-1), k.softmax(-2)


def _both(one: Callable[[Tensor], Tensor]) -> Callable:
    return lambda q, k, key_mask, p: (one(q), one(k))


#: The feature maps by name: relu, elu1, efficient, focused. Rows are divided by their sums; those of "efficient" sum to
#: 1 by themselves.
FEATURE_MAPS: dict[str, FeatureMap] = {
    # Cai et al. 2022 (EfficientViT); the vanilla linear attention of Han et al. 2023, table 4.
    "relu": FeatureMap(_both(torch.relu), normalised=True),
    # Katharopoulos et al. 2020: elu(x) + 1, which cancels where x is negative.
    "elu1": FeatureMap(_both(lambda x: torch.where(x > 0, x + 1, x.clamp(max=0).exp())), normalised=True),
    # Shen et al. 2021 (Efficient attention): softmax of q over its features and of k over the tokens.
    "efficient": FeatureMap(_efficient, normalised=False),
    # Han et al. 2023 (FLatten Transformer): f_p(ReLU(x)), equations 5 and 6.
    "focused": FeatureMap(lambda q, k, key_mask, p: (sharpen(q.relu(), p), sharpen(k.relu(), p)), normalised=True),
}


def feature_map(name: str) -> FeatureMap:
    """The feature map of that name. Raises ValueError with the known names on another."""
    return FEATURE_MAPS[require_known("feature map", name, FEATURE_MAPS)]


def attention_matrix(
    q: Float[Tensor, "*#batch n d"],
    k: Float[Tensor, "*#batch m d"],
    kind: str = "softmax",
    key_mask: Bool[Tensor, "*#batch m"] | None = None,
    p: int | float = DEFAULT_P,
) -> Float[Tensor, "... n m"]:
    """The explicit n x m map of an attention: `kind` is "softmax" or the name of one of `FEATURE_MAPS`.

    Raises:
        ValueError: an unknown kind (the known ones are listed), and what `softmax_weights` and `linear_weights` raise.
    """
    if kind == "softmax":
        return softmax_weights(q, k, key_mask)
    phi = feature_map(kind)
    require_key_mask("attention_matrix", key_mask, k)
    if key_mask is not None:
        k = k.masked_fill(~key_mask[..., None], 0)
    phi_q, phi_k = phi(q, k, key_mask, p)
    return linear_weights(phi_q, phi_k, key_mask, phi.normalised)
