"""Which images a step sees, and how they are augmented: a function of the seed and the step, of nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from flatten_edu.train.files import leave_signals_to_the_parent
from flatten_edu.train.recipe import Recipe
from flatten_edu.train.world import World


def generator(*key: int) -> torch.Generator:
    """A generator that follows from a few whole numbers (the run's seed, a step)."""
    mixed = 0
    for part in key:  # splitmix64's finaliser, so that neighbouring keys do not give neighbouring streams
        mixed = (mixed + part + 0x9E3779B97F4A7C15) % 2**64
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % 2**64
        mixed ^= mixed >> 31
    return torch.Generator().manual_seed(mixed % 2**63)


@dataclass
class Steps(Dataset):
    """Item `step` is this process's share of the batch of that step.

    The whole batch is drawn first and then shared out, so that one process or several see the same images.
    """

    images: Any  # LabelledImages
    recipe: Recipe
    world: World

    def __post_init__(self) -> None:
        count = len(self.images) if self.recipe.limit is None else min(self.recipe.limit, len(self.images))
        order = torch.randperm(len(self.images), generator=generator(self.recipe.seed, 0))
        self.kept = order[:count]
        self.per_epoch = count // self.recipe.batch_size
        if not self.per_epoch:
            raise ValueError(f"{count} training images do not fill a batch of {self.recipe.batch_size}")
        if self.recipe.batch_size % self.world.size:
            raise ValueError(f"batch_size={self.recipe.batch_size} is not shared evenly by {self.world.size} processes")

    def __len__(self) -> int:
        return self.per_epoch * self.recipe.epochs

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        epoch, within = divmod(step, self.per_epoch)
        size = self.recipe.batch_size
        order = torch.randperm(len(self.kept), generator=generator(self.recipe.seed, 1, epoch))
        indices = self.kept[order[within * size : (within + 1) * size]]
        seeds = torch.randint(2**62, (size,), generator=generator(self.recipe.seed, 2, step))
        share = slice(self.world.rank * size // self.world.size, (self.world.rank + 1) * size // self.world.size)
        return self.images.batch(indices[share], seeds[share])

    def loader(self, start: int, workers: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches from a step on, prepared ahead by `workers` processes."""
        order, start_worker = range(start, len(self)), leave_signals_to_the_parent
        return iter(DataLoader(self, None, sampler=order, num_workers=workers, worker_init_fn=start_worker))
