"""Measure the accuracy of a model that comes with the library, or of a finished run, on the whole test set."""

import argparse
import json
from pathlib import Path

from flatten_edu.commands.sources import HELP, open_images, viewed
from flatten_edu.models import DeiT, card, config_of, load_weights, pretrained, pretrained_names
from flatten_edu.train import World, accuracy


def add(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", help=f"{', '.join(pretrained_names())}, or the .safetensors of a run beside its card")
    parser.add_argument("--data", help=f"{HELP}; by default what its card names")
    parser.add_argument("--device", choices=["cpu", "cuda", "mps"], help="by default a GPU where there is one")


def run(given: argparse.Namespace) -> None:
    """Print the accuracy, and the card's beside it."""
    model, known = _load(given.name)
    size, patch = known["config"]["img_size"], known["config"]["patch_size"]
    opened = open_images(given.data or known["data"], size)
    _, images = viewed(*opened, patch, known.get("hold_out"), known.get("permute_patches"))
    if len(images.classes) != model.config.num_classes:
        raise ValueError(f"{given.name} knows {model.config.num_classes} classes; the data has {len(images.classes)}")
    world = World.join(given.device)
    try:
        found = accuracy(model.to(world.device), images, world, show=True)
    finally:
        world.leave()
    if world.rank == 0:
        print(f"{known['name']}: accuracy {found:.4f} on {len(images)} images; its card says {known['accuracy']:.4f}")


def _load(name: str) -> tuple[DeiT, dict[str, object]]:
    path = Path(name)
    if path.suffix != ".safetensors":
        return pretrained(name), card(name)
    if not path.with_suffix(".json").is_file():
        raise FileNotFoundError(f"{path} has no card beside it: there is no {path.with_suffix('.json')}")
    known = json.loads(path.with_suffix(".json").read_text())
    model = DeiT(config_of(known)).eval()
    load_weights(model, path)
    return model, known
