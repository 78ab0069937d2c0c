"""Level 4: images: photographs that the labs look at, and labelled sets to train on."""

from flatten_edu.data.cifar import cifar10, cifar10_samples
from flatten_edu.data.images import ImageArray, ImageFolder, LabelledImages
from flatten_edu.data.photos import as_input, centre_square, patch_features, photo, to_jpeg

__all__ = [
    "ImageArray",
    "ImageFolder",
    "LabelledImages",
    "as_input",
    "centre_square",
    "cifar10",
    "cifar10_samples",
    "patch_features",
    "photo",
    "to_jpeg",
]
