"""What trained models do with their parts: knock-outs, and how much of their attention falls on the object."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from flatten_edu.analysis import capture
from flatten_edu.functional.checks import require_known
from flatten_edu.nn import FocusedLinearAttention


def _no_attention(module: FocusedLinearAttention) -> None:
    module.sums = lambda heads, key_mask: torch.zeros_like(heads.v)


def _even_map(module: FocusedLinearAttention) -> None:
    module.sums = lambda heads, key_mask: heads.v.mean(-2, keepdim=True).expand_as(heads.v)


def _no_convolution(module: FocusedLinearAttention) -> None:
    module.dwc = None


def _plain_map(module: FocusedLinearAttention) -> None:
    module.p = 1


#: What can be knocked out of a trained module of the paper, by name.
KNOCK_OUTS: dict[str, Callable[[FocusedLinearAttention], None]] = {
    "attention zeroed": _no_attention,
    "map made even": _even_map,
    "p = 1": _plain_map,
    "DWC zeroed": _no_convolution,
}


def knocked_out(model: nn.Module, part: str) -> nn.Module:
    """A copy of a trained model in which all modules of the paper lack one part. Nothing is trained anew.

    Args:
        part: a name in `KNOCK_OUTS`.

    Raises:
        ValueError: an unknown part, or a model without such modules.
    """
    change = KNOCK_OUTS[require_known("knock-out", part, KNOCK_OUTS)]
    model = copy.deepcopy(model)
    modules = [module for module in model.modules() if isinstance(module, FocusedLinearAttention)]
    if not modules:
        raise ValueError("knocked_out needs a model with FocusedLinearAttention, the paper's module")
    for module in modules:
        change(module)
    return model


@dataclass
class ObjectMass:
    """How much of the attention of patches falls on the object, mean over queries."""

    from_object: Float[Tensor, "b blocks heads"]  #: of queries on the object
    from_ground: Float[Tensor, "b blocks heads"]  #: of all other queries
    even: Float[Tensor, " b"]  #: what an even row gives: the object's share of the patches


def object_mass(model: nn.Module, x: Float[Tensor, "b 3 h w"], mask: Bool[Tensor, "b rows columns"]) -> ObjectMass:
    """The weight on the object's patches, in each block and head; without class token, rows summing to 1 again.

    Args:
        mask: True for the object's patches, as `object_patches` finds them.
    """
    with capture(model, x) as records:
        maps = torch.stack([record.weights[..., 1:, 1:] for record in records], 1)
    maps = maps / maps.sum(-1, keepdim=True)
    mine = mask.flatten(1).to(maps.dtype)
    on_object = torch.einsum("blhnm,bm->blhn", maps, mine)
    return ObjectMass(
        from_object=torch.einsum("blhn,bn->blh", on_object, mine / mine.sum(1, keepdim=True)),
        from_ground=torch.einsum("blhn,bn->blh", on_object, (1 - mine) / (1 - mine).sum(1, keepdim=True)),
        even=mine.mean(1),
    )
