"""A set of images made of another: some of them, or all with their patches in another order."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flatten_edu.data.images import ImageArray, ImageFolder


@dataclass
class View:
    """Some images of a set, whose patches may stand in one other order: what were neighbours are none any more.

    Args:
        kept: which images.
        patch: pixels of a patch's side, which divides the images'.
        seed: of the order, the same in all images; None: as they are.
    """

    images: ImageArray | ImageFolder
    kept: Int[Tensor, " n"]
    patch: int = 1
    seed: int | None = None

    @property
    def classes(self) -> Sequence[str]:
        """All classes of the whole set."""
        return self.images.classes

    def __len__(self) -> int:
        return len(self.kept)

    def batch(self, indices: Int[Tensor, " b"], seeds: Int[Tensor, " b"] | None = None) -> tuple[Tensor, Tensor]:
        """See `ImageArray.batch`; images are cropped and mirrored before their patches are permuted."""
        x, labels = self.images.batch(self.kept[indices], seeds)
        return (x if self.seed is None else permute_patches(x, self.patch, self.seed)), labels


#: What the training loop takes: a set with `classes`, a length, and `batch`.
LabelledImages = ImageArray | ImageFolder | View


def permute_patches(x: Float[Tensor, "b k h w"], patch: int, seed: int) -> Float[Tensor, "b k h w"]:
    """Images cut into patches, which divide them, and put together in an order that follows from the seed."""
    rows, columns = x.shape[2] // patch, x.shape[3] // patch
    order = torch.randperm(rows * columns, generator=torch.Generator().manual_seed(seed))
    patches = x.unflatten(3, (columns, patch)).unflatten(2, (rows, patch)).transpose(3, 4)
    moved = patches.flatten(2, 3)[:, :, order].unflatten(2, (rows, columns))  # [b, k, rows, columns, p, p]
    return moved.transpose(3, 4).flatten(4, 5).flatten(2, 3)
