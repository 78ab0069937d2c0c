"""The data that a command line names: cifar10, cifar10:FOLDER or imagefolder:FOLDER."""

from pathlib import Path

import torch

from flatten_edu.data import ImageArray, ImageFolder, View, cifar10
from flatten_edu.train import World, rand_augment

Images = ImageArray | ImageFolder
HELP = "cifar10 (fetched once), cifar10:FOLDER, or imagefolder:FOLDER with train/CLASS/*.jpg and val/CLASS/*.jpg"


def open_images(source: str, size: int, augmented: bool = False) -> tuple[Images, Images]:
    """Images to learn from, and to test on.

    Raises:
        ValueError: a source that is not known, or a folder whose two parts have other classes.
    """
    kind, _, folder = source.partition(":")
    if kind == "cifar10":
        if augmented:
            raise ValueError("RandAugment is for image folders: CIFAR-10's images are cropped and mirrored only")
        return cifar10(folder or None, size)
    if kind != "imagefolder" or not folder:
        raise ValueError(f"--data is {HELP}; got {source!r}")
    train = ImageFolder(Path(folder) / "train", size, rand_augment() if augmented else None)
    test = ImageFolder(Path(folder) / "val", size)
    if train.classes != test.classes:
        single = sorted(set(train.classes) ^ set(test.classes))
        raise ValueError(f"{folder}/train and {folder}/val have other classes: only one has {', '.join(single[:8])}")
    return train, test


def check_images(*sets: Images, world: World) -> None:
    """Read each image of folders once, shared by the processes.

    Raises:
        ValueError: some cannot be read; all of them are listed.
    """
    folders = [images for images in sets if isinstance(images, ImageFolder)]
    mine = [fault for images in folders for fault in images.unreadable(world.rank, world.size)]
    if faults := world.together(mine):
        raise ValueError(f"{len(faults)} of {sum(map(len, folders))} images are damaged: {'; '.join(faults)}")


def viewed(
    train: Images, test: Images, patch: int, hold_out: int | None, permute_patches: int | None
) -> tuple[View, View]:
    """The two sets as an experiment wants them.

    Args:
        patch: pixels of a patch's side.
        hold_out: test on so many of the training images, the last, and learn from the others; None: as they are.
        permute_patches: the seed of another order of the patches, in all images; None: as they are.

    Raises:
        ValueError: more images held out than there are.
    """
    every = torch.arange(len(train))
    if hold_out is None:
        return View(train, every, patch, permute_patches), View(test, torch.arange(len(test)), patch, permute_patches)
    if not 0 < hold_out < len(train):
        raise ValueError(f"--hold-out takes 1 to {len(train) - 1} of the training images, got {hold_out}")
    return View(train, every[:-hold_out], patch, permute_patches), View(
        train, every[-hold_out:], patch, permute_patches
    )
