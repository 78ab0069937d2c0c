"""The one table of attentions: a model names a kind, or a kind per block."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flatten_edu.functional.checks import require_known
from flatten_edu.nn.attention import LinearAttention, SoftmaxAttention
from flatten_edu.nn.base import Attention
from flatten_edu.nn.focused import ConvolutionAlone, FocusedLinearAttention, NoAttention, ScaledSoftmaxAttention
from flatten_edu.nn.rivals import HydraAttention, LinearAngularAttention


@dataclass(frozen=True)
class AttentionKind:
    """How an attention is made, which of the model's settings it takes, and what its block's MLP needs with it."""

    make: Callable[..., Attention]
    settings: tuple[str, ...] = ()
    mlp_kernel: int | None = None


_CONVOLUTION = ("kernel_size",)
_FOCUSED = ("p", "norm_over", *_CONVOLUTION)

#: Every kind of attention by name: its map's name, and "_dwc" where the paper's depthwise convolution is added.
#: "focused_dwc" is the paper's module. ``scaled_`` is softmax with that module's key positions and scale. "enhanced" is
#: ReLU attention whose block has a convolution in its MLP. See `make_attention`.
ATTENTIONS: dict[str, AttentionKind] = {
    "softmax": AttentionKind(SoftmaxAttention),
    "relu": AttentionKind(LinearAttention),
    "focused": AttentionKind(partial(FocusedLinearAttention, dwc=False), _FOCUSED),
    "focused_dwc": AttentionKind(FocusedLinearAttention, _FOCUSED),
    "scaled_softmax": AttentionKind(partial(ScaledSoftmaxAttention, dwc=False)),
    "scaled_softmax_dwc": AttentionKind(ScaledSoftmaxAttention, _CONVOLUTION),
    "dwc": AttentionKind(ConvolutionAlone, _CONVOLUTION),
    "none": AttentionKind(NoAttention),
    "hydra": AttentionKind(HydraAttention),
    "efficient": AttentionKind(partial(LinearAttention, feature_map="efficient")),
    "angular": AttentionKind(LinearAngularAttention),
    "enhanced": AttentionKind(LinearAttention, mlp_kernel=3),
}


def make_attention(kind: str, *args: Any, settings: dict[str, Any] | None = None, **kwargs: Any) -> Attention:
    """An attention module by the name of its kind.

    Args:
        kind: a name in `ATTENTIONS`.
        settings: the model's p, kernel_size and norm_over; a kind takes what it knows.
        args, kwargs: as `Attention` takes them.

    Raises:
        ValueError: an unknown kind; the known ones are listed.
    """
    entry = ATTENTIONS[require_known("attention", kind, ATTENTIONS)]
    for name in settings or {}:
        require_known("setting", name, _FOCUSED)
    taken = {name: value for name, value in (settings or {}).items() if name in entry.settings}
    return entry.make(*args, **taken, **kwargs)
