"""Images that a small model learns within seconds, in memory and in a folder, and runs on them."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from flatten_edu.data import ImageArray
from flatten_edu.models import DeiTConfig
from flatten_edu.train import Recipe, Run

COLOURS = {"blue": (40, 60, 200), "green": (60, 190, 70), "grey": (120, 120, 120), "red": (210, 50, 40)}


def pictures(count: int, seed: int, height: int = 32, width: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images [count, height, width, 3] of one colour each, and which: the colours take turns."""
    labels = np.arange(count) % len(COLOURS)
    noise = np.random.default_rng(seed).normal(0, 40, (count, height, width, 3))
    images = np.array(list(COLOURS.values()))[labels][:, None, None] + noise
    return images.clip(0, 255).astype(np.uint8), labels


def coloured(count: int = 24, seed: int = 0) -> ImageArray:
    """Such images in memory, seen as crops of 28 x 28 pixels."""
    images, labels = pictures(count, seed)
    return ImageArray(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels), tuple(COLOURS), 28)


def image_folder(root: Path, train: int = 24, val: int = 7) -> Path:
    """Such images as PNG files 44 pixels wide and 36 high: train/red/3.png."""
    for part, count in (("train", train), ("val", val)):
        for i, (image, label) in enumerate(zip(*pictures(count, len(part), 36, 44), strict=True)):
            folder = root / part / list(COLOURS)[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{i}.png")
    return root


def config(attention: str = "focused_dwc", **settings: object) -> DeiTConfig:
    """A model of 16 patches."""
    small = {"dim": 16, "num_heads": 2, "depth": 1, "img_size": 28, "patch_size": 7, "num_classes": 4, "pool": "mean"}
    return DeiTConfig(attention=attention, **(small | settings))


def toy_run(out: Path, model: DeiTConfig | None = None, images: ImageArray | None = None, **settings: object) -> Run:
    """A run of 4 epochs of 3 steps; settings are those of the recipe, and evaluate_every, workers and world."""
    around = {name: settings.pop(name) for name in ("evaluate_every", "workers", "world") if name in settings}
    recipe = Recipe(**({"epochs": 4, "batch_size": 8} | settings))
    images = coloured() if images is None else images
    return Run(model or config(), recipe, images, coloured(7, seed=1), out, **around)


def words(out: Path, data: Path, *others: object, attention: str = "focused_dwc") -> list[str]:
    """The command line of a small run."""
    given = ["train", "--attention", attention, "--data", f"imagefolder:{data}", "--out", out, "--device", "cpu"]
    sizes = {"image-size": 28, "patch-size": 7, "dim": 16, "heads": 2, "depth": 1, "epochs": 2, "batch-size": 8}
    return [str(word) for word in [*given, *(w for name, n in sizes.items() for w in (f"--{name}", n)), *others]]
