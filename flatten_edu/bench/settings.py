"""What a run is to measure, checked before anything is built."""

import dataclasses
import os
import shutil
from dataclasses import dataclass, field
from typing import Any

import torch

from flatten_edu.bench.variants import MODELS, VARIANTS, Variant
from flatten_edu.functional.checks import require_known
from flatten_edu.machine import pick_device

WHAT = ("core", "module", "model")
PASSES = ("forward", "forward+backward")
DTYPES = ("float32", "float64", "bfloat16", "float16")
FIRST_RANGE = 784  # tokens from which on slopes are fitted: below, the projections and each call's fixed cost rule


def compiler() -> str | None:
    """The C++ compiler by which `torch.compile` builds for a CPU, if there is one."""
    return next(filter(None, map(shutil.which, (os.environ.get("CXX", "g++"), "g++", "clang++"))), None)


@dataclass(frozen=True)
class Settings:
    """A run's settings; those that are left out are the book's.

    Raises:
        ValueError: an unknown name, a size below 1, a device that is not there.
    """

    what: tuple[str, ...] = ("module", "model")
    passes: tuple[str, ...] = PASSES
    variants: tuple[str, ...] = ()  # () for all that the device serves; compiled ones where there is a compiler
    tokens: tuple[int, ...] = (49, 196, 256, 400, 576, 784, 3136, 12544)
    pixels: tuple[int, ...] = (224, 448, 672, 896)  # of the models' square images, multiples of 16
    batch: int = 1
    heads: int = 3
    head_dim: int = 64
    dtype: str = "float32"
    device: str | None = None  # by default CUDA's where there is one
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)  # of the CPU
    budget: float = 60.0  # seconds that the repeats of one point may take at least; more is an error of that point
    seconds: float = 2.0  # that the repeats of one point are given, where the least number of them takes less
    repeats: int = 5  # at least
    spread: float = 0.02  # of the median, relative, at which a point needs no more repeats
    memory: bool = True  # whether peak memory is measured, in a pass of its own
    smallest: int = FIRST_RANGE  # N, from which on slopes are fitted

    def __post_init__(self):
        for what in self.what:
            require_known("kind of case", what, WHAT)
        for passes in self.passes:
            require_known("kind of pass", passes, PASSES)
        for variant in self.variants:
            require_known("variant", variant, VARIANTS)
        require_known("dtype", self.dtype, DTYPES)
        for name in ("batch", "heads", "head_dim", "threads", "repeats"):
            if getattr(self, name) < 1:
                raise ValueError(f"bench needs {name} of at least 1, got {getattr(self, name)}")
        for name in ("budget", "seconds", "spread"):
            if not getattr(self, name) > 0:
                raise ValueError(f"bench needs {name} above 0, got {getattr(self, name)}")
        if wrong := [n for n in self.tokens if n < 1]:
            raise ValueError(f"N counts tokens from 1, got {wrong[0]}")
        if wrong := [side for side in self.pixels if side < 16 or side % 16]:
            raise ValueError(f"an image's side is a multiple of 16 pixels, the models' patch; got {wrong[0]}")
        if not self.cases_of_models and "model" in self.what and len(self.what) == 1:
            raise ValueError("DeiT-T has 3 heads of 64 features: other sizes are for core and module")
        object.__setattr__(self, "device", self.torch_device.type)

    @property
    def dim(self) -> int:
        """C, features of a token."""
        return self.heads * self.head_dim

    @property
    def torch_device(self) -> torch.device:
        """Where everything runs."""
        return pick_device(self.device)

    @property
    def torch_dtype(self) -> torch.dtype:
        """Of inputs and parameters."""
        return getattr(torch, self.dtype)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The variants of core and module."""
        return self.variants or tuple(name for name, one in VARIANTS.items() if self._serves(one))

    def _serves(self, variant: Variant) -> bool:
        return variant.only_on in (None, self.device) and (self._compiles or not variant.compiled)

    @property
    def _compiles(self) -> bool:
        return self.device == "cuda" or (self.device == "cpu" and compiler() is not None)

    @property
    def cases_of_models(self) -> tuple[str, ...]:
        """The models, where heads and features are theirs."""
        if (self.heads, self.head_dim) != (3, 64):
            return ()
        return tuple(name for name, (_, _, compiled) in MODELS.items() if self._compiles or not compiled)

    def as_json(self) -> dict[str, Any]:
        """As the record has them: lists of words as one string."""
        values = dataclasses.asdict(self) | {"what": ", ".join(self.what), "passes": ", ".join(self.passes)}
        values["variants"] = ", ".join(self.chosen)
        return {**values, "tokens": list(self.tokens), "pixels": list(self.pixels)}
