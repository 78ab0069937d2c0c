"""Sets of images made of others: some of them, or all with their patches in another order."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flatten_edu.data.images import LabelledImages


@dataclass
class _View:
    """A set that is made of another, with its classes and its size."""

    images: LabelledImages

    @property
    def classes(self) -> Sequence[str]:
        """All classes of the whole set."""
        return self.images.classes

    @property
    def size(self) -> int:
        """Pixels: a side."""
        return self.images.size


@dataclass
class Part(_View):
    """Some images of a set, as a set of their own."""

    kept: Int[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.kept)

    def batch(self, indices: Int[Tensor, " b"], seeds: Int[Tensor, " b"] | None = None) -> tuple[Tensor, Tensor]:
        """See `LabelledImages`."""
        return self.images.batch(self.kept[indices], seeds)


@dataclass
class PermutedPatches(_View):
    """A set whose patches stand in one other order, the same in all images: what were neighbours are none any more.

    Args:
        patch: pixels of a patch's side, which divides the images'.
        seed: which order.
    """

    patch: int
    seed: int

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, indices: Int[Tensor, " b"], seeds: Int[Tensor, " b"] | None = None) -> tuple[Tensor, Tensor]:
        """See `LabelledImages`; images are cropped and mirrored before their patches are permuted."""
        x, labels = self.images.batch(indices, seeds)
        return permute_patches(x, self.patch, self.seed), labels


def permute_patches(x: Float[Tensor, "b k h w"], patch: int, seed: int) -> Float[Tensor, "b k h w"]:
    """Images cut into patches and put together in an order that follows from the seed.

    Raises:
        ValueError: a patch that does not divide the image's sides.
    """
    rows, columns = x.shape[2] // patch, x.shape[3] // patch
    if (rows * patch, columns * patch) != x.shape[2:]:
        raise ValueError(f"patches of {patch} pixels do not divide an image of {x.shape[2]} x {x.shape[3]}")
    order = torch.randperm(rows * columns, generator=torch.Generator().manual_seed(seed))
    patches = (
        x.unflatten(3, (columns, patch)).unflatten(2, (rows, patch)).transpose(3, 4)
    )  # [b, k, rows, columns, p, p]
    moved = patches.flatten(2, 3)[:, :, order].unflatten(2, (rows, columns))
    return moved.transpose(3, 4).flatten(4, 5).flatten(2, 3)
