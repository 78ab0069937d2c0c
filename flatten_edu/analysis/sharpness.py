"""How sharp a row of softmax attention is at a given size of q and k, and where it passes another row."""

import math

from jaxtyping import Float
from torch import Tensor

from flatten_edu.analysis.metrics import entropy_bits
from flatten_edu.functional.checks import require_finite, require_same_features

_DOUBLINGS = 60  # scales from 2**-60 to 2**60 are looked at


def scaled_softmax_weights(
    q: Float[Tensor, " d"], k: Float[Tensor, "n d"], scale: float = 1.0, divide: bool = True
) -> Float[Tensor, " n"]:
    r"""Softmax's weights of one query when q and every key are multiplied by `scale`: softmax(scale^2 q.k / sqrt d).

    Args:
        divide: by the square root of d, as attention does; False takes the raw products.

    Raises:
        ValueError: shapes that do not fit, NaN or Inf.
    """
    return (_logits(q, k, divide) * scale**2).softmax(-1)


def crossing_scale(q: Float[Tensor, " d"], k: Float[Tensor, "n d"], entropy: float, divide: bool = True) -> float:
    r"""The scale of q and k above which softmax's row has less than so many bits of entropy.

    Its entropy falls as the scale grows, since its derivative by t = scale^2 is -t Var(logits) / ln 2, with the
    variance under the weights themselves: so there is one such scale.

    Returns:
        The scale; 0 where softmax has less entropy at every scale (`entropy` is log2 n or more), infinity where at
        none (keys that tie for the largest product keep log2 of their number), NaN for a NaN. To 1e-9 of itself,
        unless `entropy` is within rounding of one of those two ends.

    Raises:
        ValueError: shapes that do not fit, NaN or Inf.
    """
    logits = _logits(q, k, divide)
    ties = int((logits == logits.max()).sum())
    if math.isnan(entropy):
        return math.nan
    if entropy <= math.log2(ties):
        return math.inf
    if entropy >= math.log2(len(logits)):
        return 0.0
    low, high = -float(_DOUBLINGS), float(_DOUBLINGS)
    for _ in range(80):
        middle = (low + high) / 2
        if entropy_bits((logits * 4**middle).softmax(-1)).item() > entropy:
            low = middle
        else:
            high = middle
    return 2 ** ((low + high) / 2)


def _logits(q: Tensor, k: Tensor, divide: bool) -> Tensor:
    """Less their largest, which softmax does not see: huge ones then stay in range."""
    require_same_features("sharpness", q=q[None], k=k)
    require_finite("sharpness", q=q[None], k=k)
    logits = k.double() @ q.double()
    return (logits - logits.max()) / (math.sqrt(len(q)) if divide else 1.0)
