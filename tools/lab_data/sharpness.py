"""Rows of trained attention, for the lab `sharpness`."""

import json

import torch

from flatten_edu.data import cifar10_samples
from flatten_edu.models import pretrained
from flatten_edu.publish.trained_rows import pack_rows, trained_rows
from flatten_edu.widgets.sharpness import TRAINED

MODELS = {"softmax": "deit_cifar10_softmax", "focused": "flatten_deit_cifar10_focused"}
IMAGE = 14  # of the test images that come with the library


def sharpness() -> None:
    """One query, that of the middle patch, and all keys: of each block of two trained models, on one test image."""
    x, _ = cifar10_samples().batch(torch.tensor([IMAGE]))
    rows = []
    for name, weights in MODELS.items():
        model = pretrained(weights)
        rows += trained_rows(model, x, name, range(model.config.depth))
    sets, numbers = pack_rows(rows)
    TRAINED.with_suffix(".json").write_text(json.dumps(sets, indent=1) + "\n")
    TRAINED.with_suffix(".bin").write_bytes(numbers)
