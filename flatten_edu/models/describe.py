"""A model as a table of its blocks."""

from itertools import groupby

import torch
from torch import Tensor, nn

from flatten_edu.models.deit import DeiT


def count_parameters(module: nn.Module) -> int:
    """How many numbers the module's parameters are."""
    return sum(parameter.numel() for parameter in module.parameters())


def live_parameters(model: nn.Module, x: Tensor) -> int:
    """How many numbers the model's output for x depends on: those of parameters whose gradient is zero are left out."""
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(model(x).square().sum(), parameters, allow_unused=True)
    return sum(
        one.numel() for one, slope in zip(parameters, gradients, strict=True) if slope is not None and slope.any()
    )


def describe(model: DeiT) -> str:
    """A table of the model as it was configured: a line for each run of equal blocks, with their parameters."""
    config, tokens = model.config, model.pos_embed.shape[1]
    head = f"{'part':18} {'attention':20} {'in attention':>12} {'in the MLP':>11} {'in all':>11}"
    lines = [f"C = {config.dim}, h = {config.num_heads}, N = {tokens} on a grid {model.grid}", head]
    last = -1
    for kind, run in groupby(config.kinds):
        first, last = last + 1, last + len(list(run))
        block = model.blocks[first]
        name = f"block {first}" if first == last else f"blocks {first}-{last}, each"
        attn, mlp = (count_parameters(block.get_submodule(part)) for part in ("attn", "mlp"))
        lines.append(f"{name:18} {kind:20} {attn:12,} {mlp:11,} {count_parameters(block):11,}")
    rest = count_parameters(model) - sum(count_parameters(block) for block in model.blocks)
    lines.append(f"{'the rest':18} {'':20} {'':12} {'':11} {rest:11,}")
    lines.append(f"{'model':18} {'':20} {'':12} {'':11} {count_parameters(model):11,}")
    return "\n".join(line.rstrip() for line in lines)
