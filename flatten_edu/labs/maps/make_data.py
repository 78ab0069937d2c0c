"""Remake the data of the lab `maps`, queries and keys on a few pictures: python -m flatten_edu.labs.maps.make_data"""

import json

import numpy as np
import torch
from safetensors.torch import save_file

from flatten_edu.analysis import Captured, capture
from flatten_edu.data import ImageArray, centre_square, cifar10_samples, photo
from flatten_edu.data.images import standardise
from flatten_edu.labs.maps.contents import entry_of, record_tensors
from flatten_edu.labs.maps.lab import DATA, MODELS
from flatten_edu.models import card, pretrained
from flatten_edu.models.pretrained import WEIGHTS

TITLES = {"softmax": "softmax", "relu": "ReLU", "focused": "focused", "focused_dwc": "focused + DWC"}
PHOTOS = {"chelsea": ("cat", "a photograph of Chelsea the cat"), "coffee": ("", "a photograph of a cup of coffee")}
FIRST = [14]  # of the 20 test images that come with the library
SAMPLES = [1, 2, 5, 7, 9, 11, 12, 16, 19]  # after the photographs: with the first, one a class
CACHED = [(0, 1), (1, 1), (2, 1)]  # picture and block: what is seen before the models are fetched


def main() -> None:
    """Queries and keys that the trained models form on a few pictures, and what they take each picture for."""
    samples = cifar10_samples()
    pictures = _pictures(samples)
    pixels = torch.from_numpy(np.stack([picture["pixels"] for picture in pictures]))
    x = standardise(pixels.permute(0, 3, 1, 2), samples.mean, samples.deviation)
    tensors = {f"pictures/{i}": image for i, image in enumerate(pixels)}
    entries = []
    for name in MODELS:
        model = pretrained(name)
        with capture(model) as records, torch.no_grad():
            logits = model(x)
        for picture, block in CACHED:
            tensors |= _tokens(records[block], f"{name}/{block}", picture)
        kind = model.config.kinds[0]  # of all blocks
        entries.append({
            **entry_of(TITLES[kind], records[0]), "name": name, "variant": kind, "accuracy": card(name)["accuracy"],
            "file": name, "file_bytes": (WEIGHTS / f"{name}.safetensors").stat().st_size,
            "logits": [[float(f"{logit:.6g}") for logit in row] for row in logits.tolist()],
        })  # fmt: skip
    save_file(tensors, DATA.with_suffix(".safetensors"))
    state = {
        "models": entries,
        "pictures": [{name: text for name, text in picture.items() if name != "pixels"} for picture in pictures],
        "classes": list(samples.classes),
        "standard": {"mean": list(samples.mean), "deviation": list(samples.deviation), "size": samples.size},
    }
    DATA.with_suffix(".json").write_text(json.dumps(state, indent=1) + "\n")


def _pictures(samples: ImageArray) -> list[dict]:
    photographs = [
        {"name": name, "label": label, "about": about, "pixels": centre_square(photo(name), samples.size)}
        for name, (label, about) in PHOTOS.items()
    ]
    return [_sample(samples, i) for i in FIRST] + photographs + [_sample(samples, i) for i in SAMPLES]


def _sample(samples: ImageArray, i: int) -> dict:
    label = samples.classes[int(samples.labels[i])]
    edge = (samples.images.shape[-1] - samples.size) // 2
    cut = samples.images[i, :, edge : edge + samples.size, edge : edge + samples.size].permute(1, 2, 0)
    about = f"a test image of CIFAR-10, class {label}"
    return {"name": label, "label": label, "about": about, "pixels": cut.numpy()}


def _tokens(record: Captured, prefix: str, picture: int) -> dict[str, torch.Tensor]:
    """In half precision; what ReLU would take away is stored as zeros, which a server's compression packs away."""
    found = record_tensors(record, prefix, picture, values=False)
    for name in [f"{prefix}/{picture}/q", f"{prefix}/{picture}/k"] if record.phi_q is not None else []:
        found[name] = found[name].relu()
    return {name: tensor.half().contiguous() for name, tensor in found.items()}


if __name__ == "__main__":
    main()
