"""The lab `recall`: what can attention remember?"""

import math
from typing import Any, ClassVar

import torch
import traitlets as t
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from flatten_edu.analysis import Recall, named_kernel, recall
from flatten_edu.data import centre_square, hash_noise, photo
from flatten_edu.functional import dwc_matrix
from flatten_edu.labs.frame.lab import Lab, focusing_factor
from flatten_edu.labs.frame.settings import choice, flag, number, whole
from flatten_edu.labs.frame.tensors import fitting_grid, matrix_bytes, pack, read_matrix, unpack

PIXELS = 140  # of the stored picture's sides: 7, 10 and 14 divide it
MOST_TOKENS, MOST_CHANNELS = 256, 1024
NOISE_NUMBERS = 64  # of a value of noise
KERNEL_SIDE = 5
KEYS, ERRORS, KERNEL, VALUES, ORDER = range(5)  # streams of the random numbers


class RecallLab(Lab, lab="recall"):
    """Store a photograph's patches as values under random keys, and read them back by noisy keys.

    Args:
        q, k, v: your own queries and keys [n, d] and values [n, e] of one head, n at most 256, all three or none; query
            i asks for value i.
        grid: rows and columns of your n tokens, for the convolution; a square if it is left out.
        image: your own photograph to store, bytes [height, width, 3].

    Traits:
        p: focusing factor, 1 to 256.
        side: N = side x side patches; 14, 10 or 7.
        d: numbers of a key, 16 to 128.
        noise: a query is its key plus so many times other random numbers, 0 to 2.
        length: every key is multiplied by it, 1/8 to 8: the inverse of softmax's temperature.
        values: "photo" or "noise"; on a page "own" too, a reader's file, which never leaves the browser.
        removed: take away what all answers have in common, and stretch what is left.
        kernel: the convolution's: "none", "own place" (the unit impulse), "mean" (of 5 x 5) or "random".
        asked: "in place", so that place i asks for its own value, or "in another order".
        curve: what the charts show: "weight", "correlation" or "right".
        seed: of the random numbers.

    For the numbers that the lab shows, see `recall`; for its tensors, `memory`.
    """

    width: ClassVar = 928
    p = focusing_factor()
    side = choice(14, 10, 7)
    d = whole(64, 16, 128)
    noise = number(0.3, 0.01, 2, besides=0)
    length = number(1.0, 1 / 8, 8)
    values = choice("photo", "noise", "own")
    removed = flag(False)
    kernel = choice("none", "own place", "mean", "random")
    asked = choice("in place", "in another order")
    curve = choice("weight", "correlation", "right")
    seed = whole(0, 0, 99)
    grid = t.Tuple(t.Int(), t.Int(), default_value=(14, 14)).tag(sync=True)
    picture = t.Bytes().tag(sync=True)
    tokens = t.Any(None, allow_none=True).tag(sync=True)

    def __init__(
        self, q: Any = None, k: Any = None, v: Any = None, *, grid: tuple[int, int] | None = None,
        image: UInt8[ndarray, "h w 3"] | None = None, **traits: object,
    ) -> None:  # fmt: skip
        given = {name: x for name, x in zip("qkv", (q, k, v), strict=True) if x is not None}
        if given and len(given) < 3:
            raise TypeError(f"RecallLab needs q, k and v together, got {' and '.join(given)} alone")
        super().__init__(**traits)
        if image is not None:
            self.picture = pack(picture=torch.tensor(centre_square(image, PIXELS)))
        if given:
            rows = {n: read_matrix(matrix_bytes(self, n, x, (MOST_TOKENS, MOST_CHANNELS))) for n, x in given.items()}
            shapes = {name: tuple(x.shape) for name, x in rows.items()}
            n = shapes["k"][0]
            if shapes["q"] != shapes["k"] or shapes["v"][0] != n or n < 2:
                raise ValueError(
                    f"RecallLab needs q and k of one shape and v of as many rows, two or more, got {shapes}"
                )
            self.grid = fitting_grid("RecallLab", grid, n)
            self.tokens = pack(**rows)

    def memory(self) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"], Float[Tensor, "n e"]]:
        """Queries, keys and values as the lab has them, in float64; query i asks for value i."""
        if self.tokens is not None:
            q, k, v = (unpack(self.tokens)[name].double() for name in "qkv")
            return q, self.length * k, v
        n = self.side**2
        k = hash_noise(self.seed, KEYS, n, self.d)
        q = k + self.noise * hash_noise(self.seed, ERRORS, n, self.d)
        v = hash_noise(self.seed, VALUES, n, NOISE_NUMBERS) if self.values == "noise" else self._patches()
        return q, self.length * k, v

    def recall(self, kind: str = "softmax", p: int | float | None = None) -> Recall:
        """What comes back by a kind of attention, "softmax" or "focused"; p is the lab's unless it is given."""
        q, k, v = self.memory()
        return recall(q, k, v, kind, self.p if p is None else p, self._beside(v), self.removed)

    def as_picture(self, rows: Float[Tensor, "n e"]) -> Float[Tensor, "height width 3"]:
        """A photograph's patches, or answers in their place, put together as one picture."""
        pixels = math.isqrt(rows.shape[1] // 3)
        return rows.reshape(self.side, self.side, pixels, pixels, 3).transpose(1, 2).flatten(2, 3).flatten(0, 1)

    def _patches(self) -> Tensor:
        """The picture's patches, each as one row: its numbers from 0 to 1, pixel by pixel."""
        picture = unpack(self.picture)["picture"].double() / 255
        pixels = len(picture) // self.side
        cut = picture[: self.side * pixels, : self.side * pixels].unflatten(1, (self.side, pixels))
        return cut.unflatten(0, (self.side, pixels)).transpose(1, 2).flatten(0, 1).flatten(1)

    def _beside(self, v: Tensor) -> Tensor | None:
        """The convolution of the values, each row where the value is that its place asks for."""
        if self.kernel == "none":
            return None
        grid = (self.side, self.side) if self.tokens is None else self.grid
        local = dwc_matrix(self._kernel(), grid) @ v
        if self.asked == "in place":
            return local
        asked = hash_noise(self.seed, ORDER, len(v), 1)[:, 0].argsort()  # place i asks for value asked[i]
        return torch.empty_like(local).index_copy_(0, asked, local)

    def _kernel(self) -> Tensor:
        if self.kernel == "random":
            return hash_noise(self.seed, KERNEL, 1, KERNEL_SIDE**2).reshape(KERNEL_SIDE, -1) / KERNEL_SIDE
        if self.kernel == "mean":
            return torch.full((KERNEL_SIDE, KERNEL_SIDE), 1 / KERNEL_SIDE**2, dtype=torch.float64)
        return -named_kernel("minus_impulse", KERNEL_SIDE)

    @t.default("picture")
    def _chelsea(self) -> bytes:
        return pack(picture=torch.tensor(photo("chelsea", PIXELS)))
