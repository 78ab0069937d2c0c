"""Make anew what the labs show of the shipped models: `python tools/lab_data.py sharpness`, into widgets/data."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch

from flatten_edu.data import cifar10_samples
from flatten_edu.models import pretrained
from flatten_edu.publish.trained_rows import pack_rows, trained_rows

DATA = Path(__file__).parent.parent / "flatten_edu" / "widgets" / "data"
SHARPNESS_MODELS = {"softmax": "deit_cifar10_softmax", "focused": "flatten_deit_cifar10_focused"}
SHARPNESS_IMAGE = 14  # of the test images that come with the library


def sharpness() -> None:
    """One query, that of the middle patch, and all keys: of each block of two trained models, on one test image."""
    x, _ = cifar10_samples().batch(torch.tensor([SHARPNESS_IMAGE]))
    rows = []
    for name, weights in SHARPNESS_MODELS.items():
        model = pretrained(weights)
        rows += trained_rows(model, x, name, range(model.config.depth))
    sets, numbers = pack_rows(rows)
    (DATA / "sharpness.json").write_text(json.dumps(sets, indent=1) + "\n")
    (DATA / "sharpness.bin").write_bytes(numbers)


LABS: dict[str, Callable[[], None]] = {"sharpness": sharpness}


def main() -> None:
    """Make the data of the labs that are named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labs", nargs="*", choices=[*LABS, []], default=[], metavar="|".join(LABS))
    DATA.mkdir(exist_ok=True)
    for lab in parser.parse_args().labs or LABS:
        LABS[lab]()


if __name__ == "__main__":
    main()
