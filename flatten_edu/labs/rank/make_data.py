"""Remake the data of the lab `rank`, a trained model on a picture: python -m flatten_edu.labs.rank.make_data"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from flatten_edu.analysis import capture
from flatten_edu.data import cifar10_samples
from flatten_edu.labs.rank.lab import SHIPPED
from flatten_edu.models import DeiT, pretrained

MODEL, IMAGE = "flatten_deit_cifar10_focused", 14  # the test image on which the lab `maps` opens


def rank_data(model: DeiT, x: Tensor) -> dict[str, Tensor]:
    """q and k [blocks, h, n, d] of each block's patch tokens on x's first image, and the kernels [blocks, d, 5, 5].

    Both are divided by softplus(scale), as the module does after ReLU: `focused_map` of them is then the module's
    phi, but for the 1e-6 that it adds.
    """
    parts: dict[str, list[Tensor]] = {"q": [], "k": [], "kernel": []}
    with capture(model, x) as records:
        for record in records:
            assert record.dwc_kernel is not None and record.scale is not None, record.name
            scale = record.scale.unflatten(0, (record.q.shape[1], 1, -1))  # [h, 1, d]
            for name, tokens in {"q": record.q, "k": record.k}.items():
                parts[name].append((tokens / scale)[0, :, int(record.class_token) :])
            parts["kernel"].append(record.dwc_kernel)
    return {name: torch.stack(tensors) for name, tensors in parts.items()}


def write_rank(model: DeiT, x: Tensor, about: str, path: Path = SHIPPED) -> None:
    """Write the lab `rank`'s file in float16."""
    parts = rank_data(model, x)
    layers, heads, _, d = parts["q"].shape
    _, channels, *sides = parts["kernel"].shape
    index = {
        "name": "trained", "about": about, "layers": [f"block {i + 1}" for i in range(layers)],
        "heads": heads, "d": d, "grid": list(model.grid), "channels": channels, "sides": sides,
    }  # fmt: skip
    save_file({n: p.half().contiguous() for n, p in parts.items()}, path, {"index": json.dumps(index)})


def main() -> None:
    """Queries, keys and kernels of the shipped focused model on one picture."""
    samples = cifar10_samples()
    x, labels = samples.batch(torch.tensor([IMAGE]))
    about = (
        f"Trained: queries, keys and kernels of the model {MODEL} on the test image of CIFAR-10 with which the lab "
        f"maps opens, a {samples.classes[int(labels[0])]}, stored in float16."
    )
    write_rank(pretrained(MODEL), x, about)


if __name__ == "__main__":
    main()
