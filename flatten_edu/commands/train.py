"""Train a DeiT or FLatten-DeiT.

Stopped at any time, the same command goes on from the last checkpoint. Under torchrun, the processes share each batch.
"""

import argparse
import typing
from dataclasses import fields
from pathlib import Path

import torch

from flatten_edu.commands.sources import HELP, check_images, open_images, viewed
from flatten_edu.functional import DEFAULT_P
from flatten_edu.models import DeiT, DeiTConfig
from flatten_edu.nn import ATTENTIONS
from flatten_edu.train import Recipe, Run, World, write_card

PRESETS: dict[str, dict[str, typing.Any]] = {
    "small": {  # its head sees the patches' mean: a class token sees no image through a convolution alone
        "image_size": 28,
        "patch_size": 2,
        "dim": 64,
        "heads": 1,
        "depth": 3,
        "p": DEFAULT_P,
        "pool": "mean",
        "drop_path": 0.0,
    },
    "paper": {
        "image_size": 224,
        "patch_size": 16,
        "dim": 192,
        "heads": 3,
        "depth": 12,
        "pool": "class",
        "drop_path": 0.1,
        "epochs": 300,
        "batch_size": 1024,
        "warmup_epochs": 20.0,
        "mixup": 0.8,
        "cutmix": 1.0,
        "erasing": 0.25,
        "rand_augment": True,
    },
}
# Options whose name in `DeiTConfig` is another.
_FIELDS = {"image_size": "img_size", "heads": "num_heads", "drop_path": "drop_path_rate"}


def add(parser: argparse.ArgumentParser) -> None:
    """The command's options; those of the recipe are the fields of `Recipe`."""
    parser.add_argument("--attention", required=True, help="what all blocks have: " + ", ".join(ATTENTIONS))
    parser.add_argument("--out", required=True, help="the run's folder: checkpoint, log, weights and card")
    parser.add_argument("--data", default="cifar10", help=HELP)
    parser.add_argument("--name", help="of the weights and the card; by default made of attention and data")
    parser.add_argument(
        "--preset", choices=PRESETS, default="small", help="paper: DeiT-T's size at 224 pixels, and the paper's recipe"
    )
    parser.add_argument("--device", choices=["cpu", "cuda", "mps"], help="by default a GPU where there is one")
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare batches")
    parser.add_argument(
        "--compile", action="store_true", default=None, help="by torch.compile: a slow start, fast steps"
    )
    parser.add_argument("--evaluate-every", type=int, default=1, help="epochs; the card's accuracy is always measured")
    parser.add_argument("--image-size", type=int, help="pixels (28)")
    parser.add_argument("--patch-size", type=int, help="pixels (2)")
    parser.add_argument("--dim", type=int, help="C, features of a token (64)")
    parser.add_argument("--heads", type=int, help="(1)")
    parser.add_argument("--depth", type=int, help="blocks (3)")
    parser.add_argument("--p", type=number, help="focusing factor (3)")
    parser.add_argument("--pool", choices=["class", "mean"], help="what the head sees (mean)")
    parser.add_argument("--drop-path", type=float, help="rate of the last block (0)")
    parser.add_argument(
        "--hold-out", type=int, help="test on so many of the training images, and learn from the others"
    )
    parser.add_argument("--permute-patches", type=int, help="seed of another order of the patches, one for all images")
    for field in fields(Recipe):
        if field.type is bool:
            parser.add_argument(_flag(field.name), action="store_true", default=None)
        else:
            kind = {"limit": int, "precision": str}.get(field.name, field.type)
            parser.add_argument(_flag(field.name), type=kind, help=f"({field.default})")


def run(given: argparse.Namespace) -> None:
    """Train, and write weights and card."""
    model, recipe = settings(given)
    with torch.device("meta"):  # a model that cannot be is told before data are fetched
        DeiT(DeiTConfig(num_classes=1, **model))
    if not given.out:
        raise ValueError("--out is the run's folder, and needs a name")
    if given.workers < 0:
        raise ValueError(f"--workers counts processes from 0, got {given.workers}")
    if given.name is not None and (Path(given.name).name != given.name or given.name in ("log", "checkpoint")):
        raise ValueError(f"--name is the name of two files in {given.out}: it cannot be {given.name!r}")
    world = World.join(given.device)
    try:
        if world.rank > 0:
            world.wait()  # the first fetches what the others then find
        opened = open_images(given.data, model["img_size"], recipe.rand_augment)
        if world.rank == 0:
            world.wait()
        views = {"hold_out": given.hold_out, "permute_patches": given.permute_patches}
        images, held_out = viewed(*opened, model["patch_size"], **views)
        config = DeiTConfig(num_classes=len(images.classes), **model)
        run = Run(
            config, recipe, images, held_out, given.out, world, given.workers, given.evaluate_every, bool(given.compile)
        )
        if run.step == 0:
            check_images(*opened, world=world)
        run.train(show=True)
        if world.rank == 0:
            name = given.name or default_name(config, given.data, recipe.seed)
            card = write_card(run, name, given.data.partition(":")[0], as_command(given, name), views)
            print(f"{name}: accuracy {card['accuracy']:.4f} on {card['test_images']} images, in {given.out}")
    finally:
        world.leave()


def settings(given: argparse.Namespace) -> tuple[dict[str, typing.Any], Recipe]:
    """A command line's model, by the names of `DeiTConfig`, and its recipe."""
    chosen = {name: value for name, value in vars(given).items() if value is not None}
    every = {**PRESETS["small"], **PRESETS[given.preset], **chosen}
    recipe = Recipe(**{field.name: every[field.name] for field in fields(Recipe) if field.name in every})
    model = {_FIELDS.get(name, name): every[name] for name in ("attention", *PRESETS["small"])}
    return model, recipe


def default_name(config: DeiTConfig, data: str, seed: int) -> str:
    """flatten_deit_cifar10_focused, deit_cifar10_softmax; with p where it is not 3, the seed where it is not 0."""
    focused = "p" in ATTENTIONS[str(config.attention)].settings
    p = f"_p{config.p:g}" if focused and config.p != 3 else ""
    seeded = f"_seed{seed}" if seed else ""
    return f"{'flatten_' if focused else ''}deit_{data.partition(':')[0]}_{config.attention}{p}{seeded}"


def as_command(given: argparse.Namespace, name: str) -> str:
    """The command line that remakes a run, on any machine: without folders of this one."""
    words = ["python -m flatten_edu train"]
    for option, value in vars(given).items():
        if option in ("command", "device", "workers", "evaluate_every") or value is None:
            continue
        value = {"out": f"runs/{name}", "data": given.data.partition(":")[0]}.get(option, value)
        words.append(_flag(option) if value is True else f"{_flag(option)} {value}")
    return " ".join(words)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def number(text: str) -> int | float:
    """A whole number as int, so that names say p3 and not p3.0."""
    value = float(text)
    return int(value) if value.is_integer() else value
