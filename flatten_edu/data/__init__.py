"""Level 4: images: photographs that the labs look at, and labelled sets to train on."""

from flatten_edu.data.cifar import cifar10, cifar10_samples
from flatten_edu.data.images import ImageArray, ImageFolder, LabelledImages
from flatten_edu.data.noise import hash_noise
from flatten_edu.data.photos import as_input, patch_features, photo, to_jpeg

__all__ = [
    "ImageArray",
    "ImageFolder",
    "LabelledImages",
    "as_input",
    "cifar10",
    "cifar10_samples",
    "hash_noise",
    "patch_features",
    "photo",
    "to_jpeg",
]
