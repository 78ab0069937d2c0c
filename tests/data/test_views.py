"""Some images of a set, and images whose patches stand elsewhere."""

import pytest
import torch

from flatten_edu.data import LabelledImages, Part, PermutedPatches, cifar10_samples, permute_patches


def test_a_part_gives_the_images_that_it_keeps():
    whole, every = cifar10_samples(), torch.arange(20)
    part = Part(whole, every[-5:])
    assert isinstance(part, LabelledImages) and len(part) == 5 and part.size == 28 and part.classes == whole.classes
    seeds = torch.tensor([3, 4])
    for got, wanted in zip(
        part.batch(torch.tensor([0, 4]), seeds), whole.batch(torch.tensor([15, 19]), seeds), strict=True
    ):
        assert got.equal(wanted)


def test_patches_move_whole_and_the_same_way_in_all_images():
    whole = cifar10_samples()
    moved = PermutedPatches(whole, 2, seed=0)
    assert isinstance(moved, LabelledImages) and len(moved) == 20
    (x, labels), (y, same) = (images.batch(torch.arange(20)) for images in (whole, moved))
    assert labels.equal(same) and not x.equal(y)
    noise = torch.rand(2, 3, 28, 28)  # no patch is there twice
    before, after = (
        t.unfold(2, 2, 2).unfold(3, 2, 2).flatten(2, 3).transpose(1, 2).flatten(2)
        for t in (noise, permute_patches(noise, 2, seed=0))
    )
    same_patch = (after[:, :, None] == before[:, None]).all(-1)
    assert same_patch.sum(-1).eq(1).all() and same_patch[0].equal(same_patch[1])
    assert permute_patches(x, 2, seed=1).ne(y).any() and permute_patches(x, 2, seed=0).equal(y)


def test_a_patch_that_does_not_divide_the_image_is_told():
    with pytest.raises(ValueError, match="patches of 3 pixels do not divide an image of 28 x 28"):
        permute_patches(torch.zeros(1, 3, 28, 28), 3, seed=0)
