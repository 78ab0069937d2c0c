"""Measure the accuracy of a model that comes with the library, or of a finished run, on the whole test set."""

import argparse

from flatten_edu.commands.sources import HELP, open_images, viewed
from flatten_edu.models import card, pretrained, pretrained_names
from flatten_edu.train import World, accuracy


def add(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("name", help=f"{', '.join(pretrained_names())}, or the .safetensors of a run beside its card")
    parser.add_argument("--data", help=f"{HELP}; by default what its card names")
    parser.add_argument("--device", choices=["cpu", "cuda", "mps"], help="by default a GPU where there is one")


def run(given: argparse.Namespace) -> None:
    """Print the accuracy, and the card's beside it."""
    model, known = pretrained(given.name), card(given.name)
    if not given.data and known["data"] == "imagefolder":
        raise ValueError(f"{given.name} learned from images in a folder: give --data imagefolder:FOLDER")
    size, patch = known["config"]["img_size"], known["config"]["patch_size"]
    opened = open_images(given.data or known["data"], size)
    _, images = viewed(*opened, patch, known.get("hold_out"), known.get("permute_patches"))
    classes = known.get("classes", images.classes)  # cards of before the names were kept have none
    if len(classes) != model.config.num_classes:
        raise ValueError(f"{given.name} knows {model.config.num_classes} classes; the data has {len(classes)}")
    world = World.join(given.device)
    try:
        found = accuracy(model.to(world.device), images, world, show=True, classes=classes)
    finally:
        world.leave()
    if world.rank == 0:
        print(f"{known['name']}: accuracy {found:.4f} on {len(images)} images; its card says {known['accuracy']:.4f}")
