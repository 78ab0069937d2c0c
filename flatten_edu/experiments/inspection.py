"""What trained models do: with a part knocked out, with another p, and where their attention falls."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from flatten_edu.analysis import capture
from flatten_edu.experiments.recall import RecallModel, far_pairs, recall_batch
from flatten_edu.functional.checks import require_known
from flatten_edu.nn import FocusedLinearAttention


def _no_attention(module: FocusedLinearAttention) -> None:
    vars(module)["sums"] = lambda heads, key_mask: torch.zeros_like(heads.v)  # in the method's place


def _even_map(module: FocusedLinearAttention) -> None:
    vars(module)["sums"] = lambda heads, key_mask: heads.v.mean(-2, keepdim=True).expand_as(heads.v)


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


@torch.no_grad()
def inside_recall(model: RecallModel, count: int = 64, sequences: int = 32) -> dict[str, Any]:
    """What a trained model of recall made of its features, on sequences that no training has seen.

    Returns:
        By name: "own_share", [blocks], how much of the heads' output is an asking cell's own, not common to all: the
        squared length of its distance from their mean, over its squared length. For focused attention also
        "key_channels", [blocks][heads], over how many of its d features a stored key is spread before the power: the
        participation ratio (sum r^2)^2 / sum r^4, from 1 on an axis to d for a flat key; and "accuracy_at_p", the
        accuracy with another p in place of that of the training.
    """
    generator = torch.Generator().manual_seed(2 * 10**6 + count)
    batch = recall_batch(far_pairs(sequences, generator), count, generator)
    row = torch.arange(sequences)[:, None]
    with capture(model, batch.x) as records:
        pass
    outputs = [(record.weights @ record.v).transpose(1, 2).flatten(2)[row, batch.asking] for record in records]
    own = [(out - out.mean(1, keepdim=True)).square().sum() / out.square().sum() for out in outputs]
    found: dict[str, Any] = {"own_share": torch.stack(own).tolist()}
    modules = [module for module in model.modules() if isinstance(module, FocusedLinearAttention)]
    if modules:
        focused = [(record.phi_k, record.p) for record in records if record.phi_k is not None and record.p is not None]
        keys = [phi_k.transpose(1, 2)[row, batch.stored] ** (2 / p) for phi_k, p in focused]  # r^2
        found["key_channels"] = [(r.sum(-1) ** 2 / r.square().sum(-1)).mean((0, 1)).tolist() for r in keys]
        trained, found["accuracy_at_p"] = modules[0].p, {}
        for p in (1, 2, 3, 4, 8):
            for module in modules:
                module.p = p
            right = model(batch.x).argmax(-1)[row, batch.asking] == batch.answers[row, batch.asking]
            found["accuracy_at_p"][p] = right.float().mean().item()
        for module in modules:
            module.p = trained
    return found
