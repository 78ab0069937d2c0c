"""One case of a run: a variant at a size, built and ready to be called, with what it must compute and move."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from flatten_edu.bench.settings import PATCH, Settings
from flatten_edu.bench.variants import MODELS, VARIANTS
from flatten_edu.models import deit_tiny


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
    def trains(self) -> bool:
        """Whether the gradient is computed too."""
        return self.passes != "forward"

    @property
    def compiled(self) -> bool:
        """Whether torch.compile makes it faster before it is timed."""
        return MODELS[self.variant][2] if self.variant in MODELS else VARIANTS[self.variant].compiled

    @cached_property
    def multiply_adds(self) -> int:
        """Of the products and convolutions, as PyTorch counts them; maps, softmax and normalisation are left out."""
        return self._counted[0] * (3 if self.trains else 1)  # a product of two matrices has two in its gradient

    @cached_property
    def bytes_moved(self) -> int:
        """What must be read and written once: inputs, outputs, parameters, and with gradients theirs too.

        For a model, the inputs and outputs of each block's two parts. The core has its q, k and v for parameters.
        """
        s = self.settings
        tokens = s.batch * self.n * s.dim
        read, written = {"core": (0, 1), "module": (1, 1), "model": (24, 24)}[self.what]
        activations = (read + written) * tokens
        if self.pixels is not None:
            activations += s.batch * (3 * self.pixels**2 + 1000)
        parameters = self._counted[1]
        numbers = activations + parameters
        if self.trains:  # inputs, parameters and the output's gradient are read; the gradients of the first are written
            numbers += activations + read * tokens + 2 * parameters
        return numbers * s.torch_dtype.itemsize

    @cached_property
    def _counted(self) -> tuple[int, int]:
        """Multiply-adds forward, and how many numbers the parameters are; none of a size that cannot be built."""
        try:
            with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
                module = self.module(counted=True).requires_grad_(False)
                module(self._input())
        except ValueError:
            return 0, 0
        return counter.get_total_flops() // 2, sum(p.numel() for p in module.parameters())

    @property
    def map_bytes(self) -> int:
        """What N x N maps take that the variant stores whole: what may not fit into memory."""
        s = self.settings
        maps = VARIANTS[self.variant].maps * (2 if self.trains else 1) if self.variant in VARIANTS else 0
        return s.batch * s.heads * maps * self.n**2 * s.torch_dtype.itemsize

    def module(self, counted: bool = False) -> nn.Module:
        """Freshly initialised. Raises ValueError for a size that the variant cannot take.

        Args:
            counted: whether a kernel that PyTorch does not see into is built of plain operations.
        """
        s = self.settings
        if self.variant in MODELS:
            return deit_tiny(MODELS[self.variant][1], img_size=self.pixels)
        name = "focused_dwc" if counted and self.variant == "triton" else self.variant
        module = VARIANTS[name].make(s.dim, s.heads, grid_of(self.n))
        if self.what == "core":
            attention = cast(nn.Module, getattr(module, "inner", module))
            attention.qkv, attention.proj = _Given(torch.randn(s.batch, self.n, 3 * s.dim)), nn.Identity()
        return module

    def build(self) -> tuple[Callable[[], object], list[Tensor]]:
        """What runs the passes once, on its device, and the tensors that exist before; all variants have one input."""
        s = self.settings
        torch.manual_seed(0)
        x = self._input().to(s.torch_device, s.torch_dtype).requires_grad_(self.trains)
        module = self.module().to(s.torch_device, s.torch_dtype).train(self.trains).requires_grad_(self.trains)
        if self.compiled:
            module = cast(nn.Module, torch.compile(module, dynamic=False))
        owned = [x, *module.parameters()]
        if not self.trains:
            return torch.no_grad()(lambda: module(x)), owned
        cotangent = torch.randn_like(x)  # an attention's output has its input's shape; models only run forward
        return lambda: torch.autograd.grad(module(x), owned, cotangent, allow_unused=True), [*owned, cotangent]

    def _input(self) -> Tensor:
        s = self.settings
        return torch.randn((s.batch, self.n, s.dim) if self.pixels is None else (s.batch, 3, self.pixels, self.pixels))


class _Given(nn.Module):
    """In the place of the projection into queries, keys and values: hands out what it was given."""

    def __init__(self, qkv: Tensor):
        super().__init__()
        self.qkv = nn.Parameter(qkv)

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c3"]:
        """In the tokens' shape, which windows change."""
        return self.qkv.reshape(*x.shape[:2], -1)


def grid_of(n: int) -> tuple[int, int]:
    """The grid of n tokens that is nearest to a square, rows first."""
    rows = next(rows for rows in range(math.isqrt(n), 0, -1) if n % rows == 0)
    return rows, n // rows


def cases(settings: Settings) -> list[Case]:
    """What a run measures, in order: cases of one size stand together, small sizes first. Models run forward only."""
    tokens = [(n, None) for n in sorted(set(settings.tokens))]
    images = [((side // PATCH) ** 2 + 1, side) for side in sorted(set(settings.pixels))]
    return [
        Case(name, what, passes, n, settings, pixels)
        for what in settings.what
        for passes in (("forward",) if what == "model" else settings.passes)
        for n, pixels in (images if what == "model" else tokens)
        for name in (settings.cases_of_models if what == "model" else settings.chosen)
    ]
