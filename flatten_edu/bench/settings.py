"""What a run is to measure, checked before anything is built."""

import dataclasses
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from flatten_edu.bench.variants import MODELS, VARIANTS
from flatten_edu.functional.checks import require_known
from flatten_edu.machine import pick_device

WHAT = ("module", "model")
PASSES = ("forward", "forward+backward")
DTYPES = ("float32", "float64", "bfloat16", "float16")
PATCH = 16  # pixels, of the models


def compiler() -> str | None:
    """The C++ compiler by which `torch.compile` builds for a CPU, if there is one."""
    return next(filter(None, map(shutil.which, (os.environ.get("CXX", "g++"), "g++", "clang++"))), None)


def _told(default: Any, told: str) -> Any:
    """A setting with its default, and what the command's help says of it."""
    return field(default=default, metadata={"help": told})


@dataclass(frozen=True)
class Settings:
    """A run's settings, which are the command's options; those that are left out are the book's.

    Raises:
        ValueError: an unknown name, a size below 1, a device that is not there.
    """

    what: tuple[str, ...] = _told(("module", "model"), f"of {', '.join(WHAT)}")
    passes: tuple[str, ...] = _told(PASSES, f"of {', '.join(PASSES)}; models run forward")
    variants: tuple[str, ...] = _told((), f"of {', '.join(VARIANTS)} (all that can run)")
    tokens: tuple[int, ...] = _told((49, 196, 256, 400, 576, 784, 3136, 12544), "numbers of tokens N")
    pixels: tuple[int, ...] = _told((224, 448, 672, 896), "sides of models' images")
    batch: int = _told(1, "images in a call")
    heads: int = _told(3, "of the attention")
    head_dim: int = _told(64, "d, features of a head")
    dtype: str = _told("float32", f"of {', '.join(DTYPES)}")
    device: str | None = _told(None, "cpu, cuda or mps; by default a GPU where there is one")
    threads: int = field(default_factory=lambda: os.cpu_count() or 1, metadata={"help": "of the CPU (all)"})
    budget: float = _told(60.0, "seconds that the repeats of a point may take; beyond, it is an error")
    seconds: float = _told(2.0, "that short points are repeated for")
    repeats: int = _told(5, "of a point, at least")
    spread: float = _told(0.02, "of a median, relative, that will do")
    # Below, the projections and each call's fixed cost rule.
    smallest: int = _told(784, "N from which on exponents are fitted")

    def __post_init__(self):
        for what in self.what:
            require_known("kind of case", what, WHAT)
        for passes in self.passes:
            require_known("kind of pass", passes, PASSES)
        for variant in self.variants:
            require_known("variant", variant, VARIANTS)
        require_known("dtype", self.dtype, DTYPES)
        for name in ("batch", "heads", "head_dim", "threads", "repeats", "budget", "seconds", "spread"):
            if not getattr(self, name) > 0:
                raise ValueError(f"bench needs {name} above 0, got {getattr(self, name)}")
        if wrong := [n for n in self.tokens if n < 1]:
            raise ValueError(f"N counts tokens from 1, got {wrong[0]}")
        if wrong := [side for side in self.pixels if side < PATCH or side % PATCH]:
            raise ValueError(f"an image's side is a multiple of {PATCH} pixels, the models' patch; got {wrong[0]}")
        if self.what == ("model",) and not self.cases_of_models:
            raise ValueError("DeiT-T has 3 heads of 64 features: other sizes are for modules")
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
        """The variants of modules: by default all that the device can run."""
        return self.variants or self._served(VARIANTS)

    @property
    def cases_of_models(self) -> tuple[str, ...]:
        """The models, where heads and features are theirs."""
        return self._served(MODELS) if (self.heads, self.head_dim) == (3, 64) else ()

    def _served(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those that the device can run: Triton's kernels need a GPU, compiled ones a compiler."""
        compiles = self.device == "cuda" or (self.device == "cpu" and compiler() is not None)
        possible = [name for name in names if name != "triton" or self.device == "cuda"]
        return tuple(name for name in possible if compiles or not name.endswith("_compiled"))

    def as_json(self) -> dict[str, Any]:
        """As the record has them: lists of words as one string."""
        words = {"what": self.what, "passes": self.passes, "variants": self.chosen}
        values = dataclasses.asdict(self) | {name: ", ".join(of) for name, of in words.items()}
        return values | {"tokens": list(self.tokens), "pixels": list(self.pixels)}
