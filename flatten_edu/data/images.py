"""Labelled images to train on: a set gives batches, and what is random in them follows from one number an image."""

import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image
from torch import Tensor

_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SUFFIXES = {".jpeg", ".jpg", ".png", ".webp", ".bmp", ".ppm"}


@dataclass
class ImageArray:
    """Images in memory. Training sees a random crop, mirrored or not; the test sees the centre.

    Raises:
        ValueError: crops of `size` cannot be cut from the images.
    """

    images: UInt8[Tensor, "n 3 h w"]
    labels: Int[Tensor, " n"]
    classes: Sequence[str]
    size: int
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    deviation: tuple[float, float, float] = _IMAGENET_DEVIATION

    def __post_init__(self) -> None:
        height, width = self.images.shape[2:]
        if not 1 <= self.size <= min(height, width):
            raise ValueError(f"crops of {self.size} x {self.size} cannot be cut from images of {height} x {width}")

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Int[Tensor, " b"], seeds: Int[Tensor, " b"] | None = None) -> tuple[Tensor, Tensor]:
        """Images [b, 3, s, s], standardised, and labels [b]. Augmented by a seed an image; plain without seeds.

        The same index and seed give the same image, whichever batch, process or run asks for it.
        """
        images, size = self.images[indices], self.size
        rows, columns = (side - size + 1 for side in images.shape[2:])  # how many places the crop can have
        if seeds is None:
            top, left = torch.full_like(indices, (rows - 1) // 2), torch.full_like(indices, (columns - 1) // 2)
            mirrored = torch.zeros_like(indices, dtype=torch.bool)
        else:
            top, left, mirrored = seeds % rows, seeds // rows % columns, seeds // (rows * columns) % 2 == 1
        along = torch.arange(size)
        i = top[:, None] + along
        j = left[:, None] + torch.where(mirrored[:, None], along.flip(0), along)
        each, channel = torch.arange(len(images))[:, None, None, None], torch.arange(3)[:, None, None]
        cut = images[each, channel, i[:, None, :, None], j[:, None, None]]
        return standardise(cut, self.mean, self.deviation), self.labels[indices]


@dataclass
class ImageFolder:
    """An ImageNet-style folder: one sub-folder a class. Training sees a random resized crop, mirrored or not.

    The test sees the centre, after the shorter side was brought to size x 256 / 224.

    Args:
        root: the folder.
        size: pixels a side.
        training_view: applied to the uint8 image [3, h, w] after the crop when training, under torch's generator seeded
            for that image (RandAugment, say).

    Raises:
        FileNotFoundError: no such folder, or no images in it.
    """

    root: Path
    size: int = 224
    training_view: Callable[[Tensor], Tensor] | None = None
    classes: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        self.root = Path(self.root).expanduser()
        if not self.root.is_dir():
            raise FileNotFoundError(f"there is no image folder {self.root}")
        folders = sorted(path for path in self.root.iterdir() if path.is_dir() and not path.name.startswith("."))
        self.classes = tuple(folder.name for folder in folders)
        self._files = [
            (path, label)
            for label, folder in enumerate(folders)
            for path in sorted(folder.rglob("*"))
            if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
        ]
        if not self._files:
            raise FileNotFoundError(f"{self.root} has no images in class folders, such as {self.root}/cat/1.jpg")

    def __len__(self) -> int:
        return len(self._files)

    def unreadable(self, first: int = 0, step: int = 1) -> list[str]:
        """What is wrong with each file that cannot be read, of all or of each `step`-th; every image is decoded once.

        Training would meet such a file after hours. All cores read at once.
        """

        def fault(path: Path) -> str | None:
            try:
                _open(path)
            except ValueError as error:
                return str(error)
            return None

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return [found for found in pool.map(fault, (path for path, _ in self._files[first::step])) if found]

    def batch(self, indices: Int[Tensor, " b"], seeds: Int[Tensor, " b"] | None = None) -> tuple[Tensor, Tensor]:
        """See `ImageArray.batch`. Raises ValueError that names the file where one cannot be read."""
        drawn = [None] * len(indices) if seeds is None else seeds.tolist()
        images = [self._image(self._files[i][0], seed) for i, seed in zip(indices.tolist(), drawn, strict=True)]
        labels = torch.tensor([self._files[i][1] for i in indices.tolist()])
        return standardise(torch.stack(images)), labels

    def _image(self, path: Path, seed: int | None) -> UInt8[Tensor, "3 size size"]:
        image, drawn = _open(path), random.Random(seed)
        box = _centre_box(image.size, 224 / 256) if seed is None else _random_box(image.size, drawn)
        cut = image.resize((self.size, self.size), Image.Resampling.BICUBIC, box=box)
        x = torch.from_numpy(np.array(cut)).permute(2, 0, 1)
        if seed is None:
            return x
        x = x.flip(-1) if drawn.random() < 0.5 else x
        if self.training_view is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                x = self.training_view(x)
        return x


def _open(path: Path) -> Image.Image:
    """An image file in RGB. Raises ValueError that names a file which is none."""
    try:
        with Image.open(path) as file:
            if file.mode.startswith("I"):  # 16 bits of grey, which `convert` would cut off at 255
                return Image.fromarray((np.asarray(file) // 256).astype(np.uint8)).convert("RGB")
            return file.convert("RGB")
    except Exception as error:  # a damaged file fails in many ways
        raise ValueError(f"{path} cannot be read as an image: {str(error) or type(error).__name__}") from None


def standardise(
    images: UInt8[Tensor, "b 3 h w"],
    mean: Sequence[float] = _IMAGENET_MEAN,
    deviation: Sequence[float] = _IMAGENET_DEVIATION,
) -> Float[Tensor, "b 3 h w"]:
    """Pixels from 0 to 255 as numbers of mean 0 and deviation 1, by the channels' own."""
    centre, scale = (torch.tensor(values)[:, None, None] * 255 for values in (mean, deviation))
    return (images.float() - centre) / scale


def _centre_box(size: tuple[int, int], share: float) -> tuple[float, float, float, float]:
    width, height = size
    side = min(size) * share
    return (width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2


def _random_box(size: tuple[int, int], drawn: random.Random) -> tuple[float, float, float, float]:
    """8% to 100% of the area, 3:4 to 4:3, as Inception's crop; the centre where ten draws do not fit."""
    width, height = size
    for _ in range(10):
        area, ratio = width * height * drawn.uniform(0.08, 1), np.exp(drawn.uniform(np.log(3 / 4), np.log(4 / 3)))
        w, h = (area * ratio) ** 0.5, (area / ratio) ** 0.5
        if w <= width and h <= height:
            left, top = drawn.uniform(0, width - w), drawn.uniform(0, height - h)
            return left, top, left + w, top + h
    return _centre_box(size, 1.0)
