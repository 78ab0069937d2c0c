"""One case of a run: a variant at a size, built and ready to be called, with what it must compute and move."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from flatten_edu.bench.settings import PATCH, Settings
from flatten_edu.bench.variants import MODELS, VARIANTS
from flatten_edu.models import deit_tiny


@dataclass(frozen=True)
class Case:
    """What one point of a record measures.

    `what` is "module" or "model"; n counts tokens, a model's class token among them; `pixels` is the side of a model's
    image.
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
        return self.variant.endswith("_compiled")

    @cached_property
    def multiply_adds(self) -> int:
        """Of the products and convolutions, as PyTorch counts them; maps, softmax and normalisation are left out."""
        return self._counted[0] * (3 if self.trains else 1)  # a product of two matrices has two in its gradient

    @cached_property
    def bytes_moved(self) -> int:
        """What must be read and written once: inputs, outputs, parameters, and with gradients theirs too.

        For a model, the inputs and outputs of each block's two parts.
        """
        s = self.settings
        read = (24 if self.what == "model" else 1) * s.batch * self.n * s.dim  # and as many are written
        activations = 2 * read
        if self.pixels is not None:
            activations += s.batch * (3 * self.pixels**2 + 1000)
        parameters = self._counted[1]
        numbers = activations + parameters
        if self.trains:  # inputs, parameters and the output's gradient are read; the gradients of the first are written
            numbers += activations + read + 2 * parameters
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
        """What N x N maps take that softmax written out stores whole: what may not fit into memory."""
        s = self.settings
        maps = 0 if self.variant != "softmax_written_out" else 4 if self.trains else 2  # of a head, held at once
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
        return VARIANTS[name][1](s.dim, s.heads, grid_of(self.n))

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
