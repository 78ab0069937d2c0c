"""Look inside a model while it runs, by forward hooks: no forward is edited to make a picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from flatten_edu.nn import Attention, FocusedLinearAttention, Heads
from flatten_edu.nn.base import full_precision


@dataclass
class Captured:
    """What one attention module computed: tensors [B, h, N, features], detached, on the model's device.

    Hydra attention has a head a channel: there h = C.
    """

    name: str  #: of the module, "blocks.2.attn"
    q: Float[Tensor, "b h n e"]  #: e = d, and 0 where there is no attention
    k: Float[Tensor, "b h n e"]
    v: Float[Tensor, "b h n d"]
    phi_q: Float[Tensor, "b h n f"] | None  #: None for softmax attention
    phi_k: Float[Tensor, "b h n f"] | None
    weights: Float[Tensor, "b h n n"]  #: the explicit map, without a convolution's share
    dwc_kernel: Float[Tensor, "d *sides"] | None  #: of the paper's DWC, shared by all heads; None where there is none
    grid: tuple[int, ...]
    class_token: bool
    # Of the paper's module, None elsewhere: what `refocused` needs to form phi_q and phi_k at another p.
    p: int | float | None = None
    scale: Float[Tensor, " c"] | None = None  #: softplus of the learned scale
    norm_over: Literal["channels", "head"] | None = None


@contextmanager
def capture(model: nn.Module, x: Tensor | None = None) -> Iterator[list[Captured]]:
    """Within this context each run of `model` fills the list, a record per attention module in the order they ran.

    Args:
        model: anything that holds modules of `flatten_edu.nn.Attention`; softmax and linear ones alike.
        x: run the model on it at once, without gradients.

    Raises:
        ValueError: the model has no attention of this library, or it was compiled (hooks are not run then).
    """
    if hasattr(model, "_orig_mod"):
        raise ValueError("capture needs the model itself, not what torch.compile made of it: pass model._orig_mod")
    modules = {module: name for name, module in model.named_modules() if isinstance(module, Attention)}
    if not modules:
        raise ValueError(f"capture found no attention of flatten_edu.nn in {type(model).__name__}")
    records: list[Captured] = []

    def record(module: Attention, inputs: tuple, named: dict[str, Tensor], output: Tensor) -> None:
        given = dict(zip(("x", "key_mask"), inputs, strict=False)) | named
        tokens, key_mask = given["x"], given.get("key_mask")
        with torch.no_grad(), full_precision(tokens):
            mask = None if key_mask is None else key_mask[:, None]
            records.append(_record(modules[module], module, module.heads(tokens, mask), mask))

    hooks = [module.register_forward_hook(record, with_kwargs=True) for module in modules]
    # What `module.compile()` made runs no hooks: within this context the modules run as they are.
    compiled = {m: m._compiled_call_impl for m in model.modules() if m._compiled_call_impl is not None}
    for module in compiled:
        module._compiled_call_impl = None
    try:
        if x is not None:
            with torch.no_grad():
                model(x)
        yield records
    finally:
        for hook in hooks:
            hook.remove()
        for module, call in compiled.items():
            module._compiled_call_impl = call


def _record(name: str, module: Attention, heads: Heads, key_mask: Tensor | None) -> Captured:
    dwc = getattr(module, "dwc", None)
    paper, scale = module if isinstance(module, FocusedLinearAttention) else None, getattr(module, "scale", None)
    return Captured(
        name=name,
        q=heads.q,
        k=heads.k,
        v=heads.v,
        phi_q=heads.phi_q,
        phi_k=heads.phi_k,
        weights=module.weights(heads, key_mask),
        dwc_kernel=None if dwc is None else dwc.weight.detach().squeeze(1).clone(),
        grid=module.grid,
        class_token=module.class_token,
        p=None if paper is None else paper.p,
        scale=None if scale is None else F.softplus(scale.detach().float()).flatten(),
        norm_over=None if paper is None else paper.norm_over,
    )
