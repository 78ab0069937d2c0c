"""Level 4: photographs that the labs look at, and labelled images to train on."""

from flatten_edu.data.cifar import as_cifar10, cifar10, cifar10_samples
from flatten_edu.data.images import ImageArray, ImageFolder
from flatten_edu.data.noise import hash_noise
from flatten_edu.data.photos import as_input, centre_square, patch_features, photo, to_jpeg
from flatten_edu.data.six_patches import SixPatches, contrast_and_redness, six_patches
from flatten_edu.data.views import LabelledImages, View

__all__ = [
    "ImageArray",
    "ImageFolder",
    "LabelledImages",
    "SixPatches",
    "View",
    "as_cifar10",
    "as_input",
    "centre_square",
    "cifar10",
    "cifar10_samples",
    "contrast_and_redness",
    "hash_noise",
    "patch_features",
    "photo",
    "six_patches",
    "to_jpeg",
]
