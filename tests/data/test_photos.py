"""Photographs and the features of their patches."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from flatten_edu.data import centre_square, patch_features, photo, to_jpeg


@pytest.mark.parametrize("name", ["chelsea", "coffee"])
def test_photographs_are_square(name):
    assert photo(name, 56).shape == (56, 56, 3)


def test_an_unknown_photograph():
    with pytest.raises(ValueError, match="no photograph 'lena'; there are chelsea, coffee"):
        photo("lena")


def test_jpeg_shows_the_same_picture():
    image = photo("chelsea")
    shown = np.asarray(Image.open(io.BytesIO(to_jpeg(image))))
    assert np.abs(shown.astype(float) - image).mean() < 4


def test_features_do_not_change_and_have_logits_of_variance_1():
    features = patch_features(photo("chelsea"))
    assert features.shape == (196, 64)
    torch.testing.assert_close(features, patch_features(photo("chelsea")), rtol=0, atol=0)
    logits = features @ features.T / 8
    assert logits.std().item() == pytest.approx(1, abs=1e-4)
    torch.testing.assert_close(features.mean(0), torch.zeros(64), rtol=0, atol=1e-5)


def test_a_patch_is_a_square_of_the_photograph():
    image = np.zeros((32, 48, 3), dtype=np.uint8)
    image[16:, 32:] = 255  # the last of 2 x 3 patches
    features = patch_features(image, patch=16, dim=8)
    torch.testing.assert_close(features[:5], features[:1].expand(5, 8))
    assert (features[5] - features[0]).abs().max() > 1


def test_patches_have_to_fit():
    with pytest.raises(ValueError, match=r"sides that patch=16 divides, got an image of 20 x 32"):
        patch_features(np.zeros((20, 32, 3), dtype=np.uint8))


def test_a_picture_s_centre_square_is_the_mean_of_what_it_covers():
    image = np.zeros((4, 8, 3), dtype=np.uint8)
    image[:, 2:4], image[:, 4:6], image[:, :2] = 100, 200, 255  # the first two columns lie outside the square
    assert centre_square(image, 2)[..., 0].tolist() == [[100, 200], [100, 200]]
    assert centre_square(photo("chelsea")).shape == (28, 28, 3)
