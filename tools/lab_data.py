"""Fill a lab with what a trained model computes: python tools/lab_data.py rank --model NAME.

The file goes where the lab looks for it; without it the lab has random numbers alone.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from flatten_edu.analysis import capture
from flatten_edu.data import cifar10_samples, photo
from flatten_edu.data.images import standardise
from flatten_edu.models import DeiT, pretrained
from flatten_edu.widgets.rank import SHIPPED

LIMIT = 400_000  # bytes of a lab's data


def as_seen(name: str, size: int) -> Tensor:
    """One of the book's photographs as the small models see images: size x size pixels, by CIFAR-10's means."""
    samples = cifar10_samples(size)
    image = torch.tensor(photo(name, size)).permute(2, 0, 1)[None]
    return standardise(image, samples.mean, samples.deviation)


def rank_data(model: DeiT, x: Tensor) -> dict[str, Tensor]:
    """q and k [blocks, h, n, d] of each block's patch tokens on x's first image, and the kernels [blocks, d, 5, 5].

    Both are divided by softplus(scale), as the module does after ReLU: `focused_map` of them is then the module's
    phi, but for the 1e-6 that it adds.

    Raises:
        ValueError: a block whose attention is not focused linear attention with its convolution.
    """
    parts: dict[str, list[Tensor]] = {"q": [], "k": [], "kernel": []}
    with capture(model, x) as records:
        for record in records:
            module = model.get_submodule(record.name)
            if record.dwc_kernel is None or not hasattr(module, "positional_encoding"):
                raise ValueError(f"{record.name} is not focused linear attention with its convolution")
            scale = module.split(F.softplus(module.scale.detach()))
            for name, tokens in {"q": record.q, "k": record.k}.items():
                parts[name].append((tokens / scale)[0, :, int(record.class_token) :])
            parts["kernel"].append(record.dwc_kernel)
    return {name: torch.stack(tensors) for name, tensors in parts.items()}


def write_rank(model: DeiT, x: Tensor, about: str, path: Path = SHIPPED) -> int:
    """Write the lab `rank`'s file in float16. Returns its size in bytes.

    Raises:
        ValueError: it is larger than a lab's data may be.
    """
    parts = rank_data(model, x)
    layers, heads, _, d = parts["q"].shape
    _, channels, *sides = parts["kernel"].shape
    index = {
        "name": "trained", "about": about, "layers": [f"block {i + 1}" for i in range(layers)],
        "heads": heads, "d": d, "grid": list(model.grid), "channels": channels, "sides": sides,
    }  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, index=json.dumps(index), **{n: p.half().numpy() for n, p in parts.items()})
    size = path.stat().st_size
    if size > LIMIT:
        path.unlink()
        raise ValueError(f"the data would be {size} bytes, more than {LIMIT}: take fewer blocks or heads")
    return size


def rank(given: argparse.Namespace) -> None:
    """Queries, keys and kernels of a trained model on one photograph."""
    model = pretrained(given.model)
    about = (
        f"Trained: queries, keys and kernels of the model {given.model} on the photograph {given.photo}, "
        f"{model.config.image[0]} pixels a side, stored in float16."
    )
    size = write_rank(model, as_seen(given.photo, model.config.image[0]), about)
    print(f"{SHIPPED.name}: {size} bytes")


def main() -> None:
    """One command a lab."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    labs = parser.add_subparsers(required=True)
    one = labs.add_parser("rank", help=rank.__doc__)
    one.add_argument(
        "--model", required=True, help="one of flatten_edu.models.pretrained_names(), with focused attention"
    )
    one.add_argument("--photo", default="chelsea", help="chelsea or coffee")
    one.set_defaults(run=rank)
    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
