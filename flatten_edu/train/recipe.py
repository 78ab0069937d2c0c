"""What a training run does to a model, apart from the model and the images."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from flatten_edu.models.deit import NOT_DECAYED


@dataclass(frozen=True)
class Recipe:
    """AdamW with a linear warm-up and a cosine to zero. The defaults are the light recipe of the book's small models.

    The paper's recipe for ImageNet at 224 pixels is epochs=300, batch_size=1024, warmup_epochs=20, mixup=0.8,
    cutmix=1.0, erasing=0.25, rand_augment=True, with the same lr and weight_decay.

    Raises:
        ValueError: a number out of its range, or a warm-up longer than the training.
    """

    epochs: int = 20
    batch_size: int = 128  #: images a step, over all processes
    lr: float = 1e-3  #: the highest learning rate, at the end of the warm-up; not scaled by anything
    weight_decay: float = 0.05
    warmup_epochs: float = 1.0
    label_smoothing: float = 0.1
    mixup: float = 0.0  #: alpha of the Beta distribution; 0: none
    cutmix: float = 0.0  #: likewise; with both, a step takes one of them by chance
    erasing: float = 0.0  #: probability that a rectangle of an image is erased
    rand_augment: bool = False  #: two random operations an image, magnitude 9 (image folders only)
    precision: Literal["auto", "fp32", "bf16"] = "auto"  #: auto: bf16 autocast on a GPU that has it, else fp32
    limit: int | None = None  #: only so many training images, drawn by the seed; None: all
    seed: int = 0

    def __post_init__(self) -> None:
        if not -(2**63) <= self.seed < 2**63:
            raise ValueError(f"a recipe needs a seed of at most 63 bits, got {self.seed}")
        for name in ("epochs", "batch_size", "lr"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"a recipe needs {name} > 0, got {getattr(self, name)}")
        for name in ("weight_decay", "warmup_epochs", "mixup", "cutmix"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"a recipe needs {name} >= 0, got {getattr(self, name)}")
        if self.warmup_epochs > self.epochs:
            raise ValueError(f"warmup_epochs={self.warmup_epochs:g} is longer than the training: epochs={self.epochs}")
        for name in ("label_smoothing", "erasing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"a recipe needs {name} from 0 to below 1, got {getattr(self, name)}")
        if self.precision not in ("auto", "fp32", "bf16"):
            raise ValueError(f"precision is auto, fp32 or bf16, got {self.precision!r}")

    def lr_at(self, step: int, steps_per_epoch: int) -> float:
        """The learning rate of a step, counted from 0."""
        warmup, total = self.warmup_epochs * steps_per_epoch, self.epochs * steps_per_epoch
        if step < warmup:
            return self.lr * (step + 1) / (math.floor(warmup) + 1)
        return self.lr * (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2

    def optimizer(self, model: nn.Module) -> torch.optim.AdamW:
        """AdamW in two groups: what is decayed, and what is not."""
        groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
        for name, parameter in model.named_parameters():
            groups[parameter.ndim >= 2 and name.rpartition(".")[2] not in NOT_DECAYED].append(parameter)
        decayed = {"params": groups[True], "weight_decay": self.weight_decay}
        return torch.optim.AdamW([decayed, {"params": groups[False], "weight_decay": 0.0}], lr=self.lr)

    def autocasts(self, device: torch.device) -> bool:
        """Whether forward passes run in bf16."""
        return self.precision == "bf16" or (
            # A T4 and its elders have no bf16, and would emulate it.
            self.precision == "auto" and device.type == "cuda" and torch.cuda.is_bf16_supported(False)
        )
