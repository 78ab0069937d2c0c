"""Some images of a set, and images whose patches stand elsewhere."""

import torch

from flatten_edu.data import LabelledImages, View, cifar10_samples
from flatten_edu.data.views import permute_patches

EVERY = torch.arange(20)


def test_a_part_gives_the_images_that_it_keeps():
    whole = cifar10_samples()
    part = View(whole, EVERY[-5:])
    assert isinstance(part, LabelledImages) and len(part) == 5 and part.classes == whole.classes
    seeds = torch.tensor([3, 4])
    for got, wanted in zip(
        part.batch(torch.tensor([0, 4]), seeds), whole.batch(torch.tensor([15, 19]), seeds), strict=True
    ):
        assert got.equal(wanted)


def test_patches_move_whole_and_the_same_way_in_all_images():
    whole = cifar10_samples()
    (x, labels), (y, same) = (images.batch(EVERY) for images in (whole, View(whole, EVERY, patch=2, seed=0)))
    assert labels.equal(same) and not x.equal(y)
    noise = torch.rand(2, 3, 28, 28)  # no patch is there twice
    before, after = (
        t.unfold(2, 2, 2).unfold(3, 2, 2).flatten(2, 3).transpose(1, 2).flatten(2)
        for t in (noise, permute_patches(noise, 2, seed=0))
    )
    same_patch = (after[:, :, None] == before[:, None]).all(-1)
    assert same_patch.sum(-1).eq(1).all() and same_patch[0].equal(same_patch[1])
    assert permute_patches(x, 2, seed=1).ne(y).any() and permute_patches(x, 2, seed=0).equal(y)
