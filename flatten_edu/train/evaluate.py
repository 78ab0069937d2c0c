"""How often a model is right."""

import torch
from jaxtyping import Int
from torch import Tensor, nn
from tqdm import tqdm

from flatten_edu.train.world import World


@torch.no_grad()
def predictions(
    model: nn.Module, images: object, indices: Int[Tensor, " n"], batch_size: int = 500, show: bool = False
) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """The classes that a model gives to images without augmentation, and their labels. In float32.

    Args:
        images: `flatten_edu.data.LabelledImages`.
        indices: which of them.
        show: whether to draw a progress bar.
    """
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    given, labels = [indices[:0]], [indices[:0]]
    parts = indices.split(batch_size) if len(indices) else ()  # a process may have no share of a small set
    for part in tqdm(parts, "evaluate", disable=None if show else True, leave=False):
        x, y = images.batch(part)
        given.append(model(x.to(device)).argmax(-1).cpu())
        labels.append(y)
    model.train(was_training)
    return torch.cat(given), torch.cat(labels)


def accuracy(model: nn.Module, images: object, world: World | None = None, show: bool = False) -> float:
    """The share of all images whose class comes out first, from 0 to 1; the processes of a world share the work."""
    world = world or World()
    mine = torch.arange(len(images))[world.rank :: world.size]
    given, labels = predictions(model, images, mine, show=show and world.rank == 0)
    right = (given == labels).sum().to(world.device)
    return world.sum(right).item() / len(images)
