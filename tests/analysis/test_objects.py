"""The object is found on a plain ground, and only where it can be told."""

import pytest
import torch

from flatten_edu.analysis import object_patches


def pictures():
    """Grey: a red square in the middle; nothing; a square at the edge; stripes."""
    images = torch.full((4, 3, 28, 28), 120, dtype=torch.uint8)
    images[0, 0, 8:20, 8:18] = 255
    images[2, 0, :12, :28] = 255
    images[3, :, ::2] = 0
    return images


def test_the_object_is_where_the_colour_is_another():
    mask, clear = object_patches(pictures(), 2)
    wanted = torch.zeros(14, 14, dtype=torch.bool)
    wanted[4:10, 4:9] = True
    assert mask[0].equal(wanted)
    assert clear.tolist() == [True, False, False, False]


def test_a_patch_that_does_not_divide_the_picture_is_told():
    with pytest.raises(ValueError, match="patches of 3 pixels do not divide a picture of 28 x 28"):
        object_patches(pictures(), 3)
