"""Look into the models that the library ships, over CIFAR-10's test images: make inspect.

Writes flatten_edu/results/trained.json: accuracies with one part knocked out, and how much attention falls on the
object. Minutes on one thread; nothing is trained.
"""

import argparse
import json
from pathlib import Path

import torch

from flatten_edu.analysis import bootstrap_interval, mcnemar, object_patches
from flatten_edu.data import ImageArray, cifar10
from flatten_edu.experiments import KNOCK_OUTS, knocked_out, object_mass
from flatten_edu.models import DeiT, pretrained, pretrained_names
from flatten_edu.nn import FocusedLinearAttention
from flatten_edu.train import predictions

RESULTS = Path(__file__).parent.parent / "flatten_edu" / "results" / "trained.json"


def knock_outs(model: DeiT, images: ImageArray) -> list[dict[str, object]]:
    """The accuracy of the model, whole and with one part less."""
    every = torch.arange(len(images))
    has_convolution = any(isinstance(m, FocusedLinearAttention) and m.dwc is not None for m in model.modules())
    whole = torch.eq(*predictions(model, images, every))
    rows = [{"part": "nothing", "accuracy": share(whole)}]
    for part in KNOCK_OUTS:
        if part == "DWC zeroed" and not has_convolution:
            continue
        right = torch.eq(*predictions(knocked_out(model, part), images, every))
        rows.append({"part": part, "accuracy": share(right), "mcnemar_p": float(f"{mcnemar(whole, right):.2g}")})
    return rows


def share(right: torch.Tensor) -> float:
    """Of images that were right."""
    return round(right.double().mean().item(), 4)


def attention_on_objects(model: DeiT, images: ImageArray) -> dict[str, object]:
    """By block and head: means over pictures, and intervals of two differences.

    Do queries on the object give it more than an even row does? More than queries on the ground give it?
    """
    size = model.config.image[0]
    cut = (32 - size) // 2
    pictures = images.images[..., cut : cut + size, cut : cut + size]  # what `batch` shows
    mask, clear = object_patches(pictures, model.config.patch_size)
    chosen = clear.nonzero()[:, 0]
    parts = [object_mass(model, images.batch(some)[0], mask[some]) for some in chosen.split(50)]
    from_object, from_ground, even = (
        torch.cat([getattr(part, name) for part in parts]) for name in ("from_object", "from_ground", "even")
    )
    return {
        "images": len(chosen),
        "even": round(even.mean().item(), 4),
        "from_object": rounded(from_object.mean(0)),
        "from_ground": rounded(from_ground.mean(0)),
        "object_less_even": intervals(from_object - even[:, None, None]),
        "object_less_ground": intervals(from_object - from_ground),
    }


def intervals(differences: torch.Tensor) -> list:
    """[blocks][heads][low, high], from [pictures, blocks, heads]."""
    return [
        [
            [round(end, 4) for end in bootstrap_interval(differences[:, block, head])]
            for head in range(differences.shape[2])
        ]
        for block in range(differences.shape[1])
    ]


def rounded(values: torch.Tensor) -> list:
    """As nested lists of four digits."""
    return [[round(value, 4) for value in row] for row in values.tolist()]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of CIFAR-10's files; by default as `cifar10` finds them")
    given = parser.parse_args()
    _, images = cifar10(given.data)
    found = {}
    for name in pretrained_names():
        model = pretrained(name)
        found[name] = {}
        if any(isinstance(module, FocusedLinearAttention) for module in model.modules()):
            found[name]["knock_outs"] = knock_outs(model, images)
        if model.config.attention != "dwc":
            found[name]["on_object"] = attention_on_objects(model, images)
        print(name, json.dumps(found[name]), flush=True)
    RESULTS.write_text(json.dumps({"test_images": len(images), "models": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
