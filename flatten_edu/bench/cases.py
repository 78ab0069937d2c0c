"""One case of a run: a variant at a size, built and ready to be called, with what it must compute and move."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flatten_edu.bench.settings import Settings
from flatten_edu.bench.variants import MODELS, VARIANTS
from flatten_edu.models import deit_tiny

PATCH = 16  # pixels, of the models
_TRAINING = 3  # a product of two matrices has two in its gradient


@dataclass(frozen=True)
class Case:
    """What one point of a record measures.

    `what` is "core" (between the projections, which only hand out what was computed before), "module" or "model";
    n counts tokens, a model's class token among them; `pixels` is the side of a model's image.
    """

    variant: str
    what: str
    passes: str
    n: int
    settings: Settings
    pixels: int | None = None

    @property
    def group(self) -> tuple[str, str, int]:
        """What cases must share to be measured side by side."""
        return self.what, self.passes, self.n

    @cached_property
    def multiply_adds(self) -> int:
        """Of the products and convolutions that the variant needs; maps, softmax and normalisation are left out."""
        s = self.settings
        total = self._layer() if self.what != "model" else self._model()
        return s.batch * total * (_TRAINING if self.trains else 1)

    @property
    def trains(self) -> bool:
        """Whether the gradient is computed too."""
        return self.passes != "forward"

    @property
    def compiled(self) -> bool:
        """Whether torch.compile makes it faster before it is timed."""
        return MODELS[self.variant][2] if self.variant in MODELS else VARIANTS[self.variant].compiled

    def _layer(self) -> int:
        s = self.settings
        name = MODELS[self.variant][1] if self.variant in MODELS else self.variant
        core = s.heads * VARIANTS[name].multiply_adds(self.n, s.head_dim)
        return core + (0 if self.what == "core" else 4 * self.n * s.dim**2)

    def _model(self) -> int:
        c, n = self.settings.dim, self.n
        return (n - 1) * 3 * PATCH**2 * c + 12 * (self._layer() + 8 * n * c**2) + 1000 * c

    @cached_property
    def bytes_moved(self) -> int:
        """What must be read and written once: inputs, outputs, parameters, and with gradients theirs too.

        For a model, the inputs and outputs of each block's two parts.
        """
        s = self.settings
        tokens = s.batch * self.n * s.dim
        read, written = {"core": (3, 1), "module": (1, 1), "model": (24, 24)}[self.what]
        activations = (read + written) * tokens
        if self.pixels is not None:
            activations += s.batch * (3 * self.pixels**2 + 1000)
        numbers = activations + self.parameters
        if self.trains:  # inputs, parameters and the output's gradient are read; the gradients of the first are written
            numbers += activations + read * tokens + 2 * self.parameters
        return numbers * s.torch_dtype.itemsize

    @cached_property
    def parameters(self) -> int:
        """How many numbers the weights are; the core has no projections."""
        try:
            with torch.device("meta"):
                module = self.module()
        except ValueError:  # this size cannot be built, which its point says
            return 0
        if self.what == "core":
            _without_projections(module, torch.empty(0))
        return sum(p.numel() for p in module.parameters())

    @property
    def map_bytes(self) -> int:
        """What N x N maps take that the variant stores whole: what may not fit into memory."""
        s = self.settings
        maps = VARIANTS[self.variant].maps * (2 if self.trains else 1) if self.variant in VARIANTS else 0
        return s.batch * s.heads * maps * self.n**2 * s.torch_dtype.itemsize

    def module(self) -> nn.Module:
        """Freshly initialised. Raises ValueError for a size that the variant cannot take."""
        s = self.settings
        if self.variant in MODELS:
            return deit_tiny(MODELS[self.variant][1], img_size=self.pixels)
        return VARIANTS[self.variant].make(s.dim, s.heads, grid_of(self.n))

    def build(self) -> "Ready":
        """The module on its device with its input: the same input for all variants."""
        s = self.settings
        torch.manual_seed(0)
        shape = (s.batch, self.n, s.dim) if self.pixels is None else (s.batch, 3, self.pixels, self.pixels)
        x = torch.randn(shape).to(s.torch_device, s.torch_dtype)
        module = self.module()
        if self.what == "core":
            _without_projections(module, torch.randn(s.batch, self.n, 3 * s.dim))
        module = module.to(s.torch_device, s.torch_dtype).train(self.trains).requires_grad_(self.trains)
        if self.compiled:
            module = cast(nn.Module, torch.compile(module, dynamic=False))
        return Ready(module, x, self.trains)


class Ready:
    """A module and its input. `call` runs the passes once; `owned` is what exists before."""

    def __init__(self, module: nn.Module, x: Tensor, trains: bool):
        self.module, self.x = module, x.requires_grad_(trains)
        self.owned = [x, *module.parameters()]
        self.call: Callable[[], None] = self._forward
        if trains:
            self.cotangent = torch.randn_like(x)  # an attention's output has its input's shape; models only run forward
            self.owned.append(self.cotangent)
            self.call = self._forward_and_backward

    def _forward(self) -> None:
        with torch.no_grad():
            self.module(self.x)

    def _forward_and_backward(self) -> None:
        wanted = [self.x, *self.module.parameters()]
        torch.autograd.grad(self.module(self.x), wanted, self.cotangent, allow_unused=True)


class _Given(nn.Module):
    """In the place of the projection into queries, keys and values: hands out what it was given."""

    def __init__(self, qkv: Tensor):
        super().__init__()
        self.qkv = nn.Parameter(qkv)

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c3"]:
        """In the tokens' shape, which windows change."""
        return self.qkv.reshape(*x.shape[:2], -1)


def _without_projections(module: nn.Module, qkv: Tensor) -> None:
    attention = getattr(module, "inner", module)
    attention.qkv, attention.proj = _Given(qkv), nn.Identity()


def grid_of(n: int) -> tuple[int, int]:
    """The grid of n tokens that is nearest to a square, rows first."""
    rows = next(rows for rows in range(math.isqrt(n), 0, -1) if n % rows == 0)
    return rows, n // rows
