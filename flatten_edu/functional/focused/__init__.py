"""Focused linear attention. The formula is `steps`; everything else here is held to it.

`steps` runs by default: in eager PyTorch, under `torch.compile` (which makes it fast), `torch.export`, tracing,
`torch.func`, and when a model is looked into. `published` is the authors' order, the oracle of the tests and the rival
of the bench. `triton` has kernels for NVIDIA GPUs; they run by request alone, since no GPU has timed them.
"""

from flatten_edu.functional.focused.published import published_attention
from flatten_edu.functional.focused.steps import (
    DEFAULT_P,
    EPS,
    FocusedSettings,
    focused_attention,
    focused_heads,
    focused_map,
    sharpen,
)

__all__ = [
    "DEFAULT_P",
    "EPS",
    "FocusedSettings",
    "focused_attention",
    "focused_heads",
    "focused_map",
    "published_attention",
    "sharpen",
]
