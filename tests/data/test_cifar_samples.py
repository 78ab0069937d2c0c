"""What comes with the library: sample images, a photograph as the small models take it."""

import numpy as np
import torch

from flatten_edu.data import as_cifar10, cifar10_samples, photo


def test_a_photograph_is_brought_to_the_models_size():
    assert as_cifar10(photo("chelsea", 224)).shape == (1, 3, 28, 28)
    wide = np.zeros((40, 90, 3), np.uint8)
    wide[:, 25:65] = 255  # the square at the centre
    seen = as_cifar10(wide)
    assert (seen > 1.5).all()


def test_a_28_pixel_image_is_not_resampled():
    inside = cifar10_samples().images[3].permute(1, 2, 0).numpy()[2:30, 2:30]
    torch.testing.assert_close(as_cifar10(inside), cifar10_samples().batch(torch.tensor([3]))[0])
