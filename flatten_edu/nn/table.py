"""The one table of attentions: a model names a kind, or a kind per block."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flatten_edu.functional.checks import require_known
from flatten_edu.nn.attention import FocusedLinearAttention, LinearAttention, SoftmaxAttention
from flatten_edu.nn.base import Attention
from flatten_edu.nn.rivals import EfficientAttention, EnhancedLinearAttention, HydraAttention, LinearAngularAttention


@dataclass(frozen=True)
class AttentionKind:
    """How an attention is made, which of the model's settings it takes, and what its block's MLP needs with it."""

    make: Callable[..., Attention]
    settings: tuple[str, ...] = ()
    mlp_kernel: int | None = None


_FOCUSED = ("p", "kernel_size", "norm_over")

#: Every kind of attention by name: the module's class, its settings, and what its model adds. See `make_attention`.
ATTENTIONS: dict[str, AttentionKind] = {
    "softmax": AttentionKind(SoftmaxAttention),
    "linear": AttentionKind(LinearAttention),
    "focused": AttentionKind(FocusedLinearAttention, _FOCUSED),
    "focused_without_dwc": AttentionKind(partial(FocusedLinearAttention, dwc=False), _FOCUSED),
    "dwc_only": AttentionKind(partial(FocusedLinearAttention, attention=False), _FOCUSED),
    "hydra": AttentionKind(HydraAttention),
    "efficient": AttentionKind(EfficientAttention),
    "angular": AttentionKind(LinearAngularAttention),
    "enhanced": AttentionKind(EnhancedLinearAttention, mlp_kernel=3),
}


def make_attention(kind: str, *args: object, settings: dict[str, object] | None = None, **kwargs: object) -> Attention:
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
