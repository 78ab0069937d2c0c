"""What a recipe does to a batch on its way into the model: labels as shares of classes, mixup, CutMix, erasing."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from flatten_edu.train.recipe import Recipe


def augment(
    x: Float[Tensor, "b 3 h w"], labels: Int[Tensor, " b"], classes: int, recipe: Recipe
) -> tuple[Float[Tensor, "b 3 h w"], Float[Tensor, "b classes"]]:
    """The images as the model sees them, and the class shares that it should give. Draws from torch's generator.

    Mixup and CutMix (Zhang et al. 2018, Yun et al. 2019) mix each image with the one that stands opposite in this
    process's share of the batch.
    """
    if recipe.erasing:
        x = _kornia().RandomErasing(p=recipe.erasing)(x)
    targets = F.one_hot(labels, classes).to(x.dtype)
    kinds = [kind for kind, alpha in ((_mixup, recipe.mixup), (_cutmix, recipe.cutmix)) if alpha]
    if kinds:
        kind = kinds[int(torch.randint(len(kinds), ()))]
        alpha = recipe.mixup if kind is _mixup else recipe.cutmix
        x, kept = kind(x, torch.distributions.Beta(alpha, alpha).sample().item())
        targets = kept * targets + (1 - kept) * targets.flip(0)
    return x, targets


def _mixup(x: Tensor, kept: float) -> tuple[Tensor, float]:
    return kept * x + (1 - kept) * x.flip(0), kept


def _cutmix(x: Tensor, kept: float) -> tuple[Tensor, float]:
    """A rectangle from the other image; the share is that of the pixels that were kept."""
    height, width = x.shape[-2:]
    h, w = round(height * (1 - kept) ** 0.5), round(width * (1 - kept) ** 0.5)
    top, left = torch.randint(height - h + 1, ()).item(), torch.randint(width - w + 1, ()).item()
    x = x.clone()
    x[..., top : top + h, left : left + w] = x.flip(0)[..., top : top + h, left : left + w]
    return x, 1 - h * w / (height * width)


def rand_augment() -> Callable[[UInt8[Tensor, "3 h w"]], UInt8[Tensor, "3 h w"]]:
    """RandAugment (Cubuk et al. 2020) on one image: two random operations, of magnitude 9 out of 30."""
    return functools.partial(_apply, _kornia().auto.RandAugment(n=2, m=9))  # a closure could not go to other processes


def _apply(operations: nn.Module, image: UInt8[Tensor, "3 h w"]) -> UInt8[Tensor, "3 h w"]:
    return (operations(image[None] / 255)[0].clamp(0, 1) * 255).round().to(torch.uint8)


def _kornia() -> Any:
    try:
        from kornia import augmentation
    except ImportError:
        raise ImportError("RandAugment and random erasing need kornia: pip install 'flatten-edu[train]'") from None
    return augmentation
