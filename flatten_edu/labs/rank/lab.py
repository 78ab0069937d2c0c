"""The lab `rank`: why does full rank plus low rank come out full?"""

import json
import math
from pathlib import Path
from typing import Any, ClassVar

import torch
import traitlets as t
from safetensors import safe_open
from torch import Tensor

from flatten_edu.analysis import NAMED_KERNELS, RankMaps, named_kernel, rank_maps
from flatten_edu.data import hash_noise
from flatten_edu.labs.frame.lab import Lab, focusing_factor
from flatten_edu.labs.frame.settings import choice, flag, grid, number, whole
from flatten_edu.labs.frame.tensors import fitting_grid, pack, unpack

# Trained queries, keys and kernels, where they were made: python -m flatten_edu.labs.rank.make_data.
SHIPPED = Path(__file__).parent / "data.safetensors"
MOST_CELLS, LARGEST_D = 256, 256
KERNEL_SIDE = 5
LARGEST_ENTRY = 1e6
NOTHING = {"name": "", "about": "", "layers": [], "heads": 0, "d": 0, "grid": [0, 0], "channels": 0, "sides": [0, 0]}


class RankLab(Lab, lab="rank"):
    """Add the convolution's matrix to linear attention's low-rank map and see what becomes of the rank.

    Patch tokens alone: a class token takes no part in the convolution, and none here.

    Args:
        q, k: your own queries and keys, [n, d], [heads, n, d] or [layers, heads, n, d]; both, or neither.
        kernel: your own kernels, [kh, kw], [channels, kh, kw] or [layers, channels, kh, kw]; sides are odd.
        name, about: what the button says that chooses them, and a sentence on where they come from.

    Traits:
        grid: rows and columns of patches, 2 to 256 cells; with q and k, n = rows x columns. A square if it is left out.
        d: features of a head, 1 to 256, of random queries and keys.
        p: focusing factor, 1 to 256.
        convolution: the kernel: "random", "given", "zero", "minus_impulse" or "right_neighbour".
        channel: which of the kernels.
        wrapped: draw M_DWC as the authors' visualisation does.
        tolerance: a share of the largest singular value, 1e-15 to 0.5; 0 for NumPy's.
        seed: of random numbers.
        source: "random" or "given" queries and keys.
        layer, head: which of those given.

    To change your tensors later, see `give`; for the maps as tensors, `maps`.
    """

    width: ClassVar = 928
    grid = grid((14, 14), MOST_CELLS)
    d = whole(64, 1, LARGEST_D)
    p = focusing_factor()
    convolution = choice("random", "given", *NAMED_KERNELS)
    channel = whole(0, 0, 1023)
    wrapped = flag(False)
    tolerance = number(0.0, 1e-15, 0.5, besides=0)
    seed = whole(0, 0, 2**32 - 1)
    source = choice("random", "given")
    layer = whole(0, 0, 63)
    head = whole(0, 0, 63)
    index = t.Dict().tag(sync=True)
    tokens = t.Bytes().tag(sync=True)

    def __init__(
        self, q: Any = None, k: Any = None, kernel: Any = None, name: str = "yours", about: str = "", **traits: Any
    ) -> None:
        super().__init__(**traits)
        if q is not None or k is not None or kernel is not None:
            self.give(q, k, kernel, traits.get("grid"), name, about)
            if q is not None and "source" not in traits:
                self.source = "given"
            if kernel is not None and "convolution" not in traits:
                self.convolution = "given"

    def give(
        self, q: Any = None, k: Any = None, kernel: Any = None, grid: tuple[int, int] | None = None,
        name: str = "yours", about: str = "",
    ) -> None:  # fmt: skip
        """Other tensors of your own in the place of all that were given: shapes as in the class's Args.

        Raises:
            ValueError: shapes that do not fit one another or the grid, NaN, Inf or entries beyond 1e6.
        """
        if (q is None) != (k is None):
            raise ValueError("RankLab needs both q and k, or neither")
        index = dict(NOTHING, name=name, about=about)
        content: dict[str, Tensor] = {}
        layers = None
        if q is not None:
            q, k = _tensor("q", q), _tensor("k", k)
            if q.shape != k.shape:
                raise ValueError(f"RankLab needs q and k of one shape, got {tuple(q.shape)} and {tuple(k.shape)}")
            layers, heads, n, d = q.shape
            if not 2 <= n <= MOST_CELLS:
                raise ValueError(f"RankLab needs 2 to {MOST_CELLS} tokens, got {n}")
            index |= {"heads": heads, "d": d, "grid": list(fitting_grid("RankLab", grid, n))}
            content |= {"q": q, "k": k}
        if kernel is not None:
            kernel = _tensor("kernel", kernel)
            if kernel.shape[2] % 2 == 0 or kernel.shape[3] % 2 == 0:
                raise ValueError(f"RankLab needs kernels of odd sides, got {tuple(kernel.shape)}")
            if layers not in (None, len(kernel)):
                raise ValueError(f"RankLab needs kernels for each of {layers} layers, got {tuple(kernel.shape)}")
            layers = len(kernel)
            index |= {"channels": kernel.shape[1], "sides": list(kernel.shape[2:])}
            content |= {"kernel": kernel}
        index["layers"] = [f"layer {i + 1}" for i in range(layers or 0)]
        with self.hold_trait_notifications():
            self.set_trait("index", index)
            self.set_trait("tokens", pack(**content))

    def maps(self) -> RankMaps:
        """The maps that the lab shows, as float64 tensors."""
        q, k, grid = self._tokens()
        head = min(self.head, len(q) - 1)
        return rank_maps(q, k, self._kernel(len(q[0, 0])), grid, self.p, head, self.wrapped)

    def _tokens(self) -> tuple[Tensor, Tensor, tuple[int, int]]:
        index = self.index
        if self.source == "random" or not index["heads"]:
            n = math.prod(self.grid)
            q, k = (hash_noise(self.seed, stream, n, self.d)[None] for stream in (0, 1))
            return q, k, self.grid
        given = unpack(self.tokens)
        layer = min(self.layer, len(given["q"]) - 1)
        return given["q"][layer].double(), given["k"][layer].double(), tuple(index["grid"])

    def _kernel(self, d: int) -> Tensor:
        index = self.index
        if self.convolution in NAMED_KERNELS:
            return named_kernel(self.convolution, KERNEL_SIDE)
        if self.convolution == "random" or not index["channels"]:
            channel = min(self.channel, d - 1)
            numbers = hash_noise(self.seed, 2, channel + 1, KERNEL_SIDE**2)[channel]
            return numbers.reshape(KERNEL_SIDE, KERNEL_SIDE) / KERNEL_SIDE
        kernels = unpack(self.tokens)["kernel"]
        return kernels[min(self.layer, len(kernels) - 1), min(self.channel, kernels.shape[1] - 1)].double()

    @t.default("index")
    def _shipped_index(self) -> dict[str, Any]:
        with safe_open(SHIPPED, "pt") as file:
            return json.loads(file.metadata()["index"])

    @t.default("tokens")
    def _shipped_tensors(self) -> bytes:
        return SHIPPED.read_bytes()


def _tensor(name: str, value: Any) -> Tensor:
    try:
        x = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"RankLab needs a tensor of numbers in {name}, got {type(value).__name__}") from None
    if not 2 <= x.ndim <= 4 or not x.numel():
        raise ValueError(f"RankLab needs {name} of 2 to 4 dimensions, got {tuple(x.shape)}")
    if not (x.abs() <= LARGEST_ENTRY).all():  # NaN fails too
        raise ValueError(f"RankLab needs finite numbers up to {LARGEST_ENTRY:g} in size, {name} holds others")
    return x[(None,) * (4 - x.ndim)]
