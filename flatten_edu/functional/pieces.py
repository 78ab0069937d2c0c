"""How the fused attention takes its tokens: a piece at a time, in buffers that are used again."""

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

SIZE = 2048  # tokens of a piece: 1.6 MB of C = 192 channels in float32


@dataclass(frozen=True)
class FocusedShape:
    """Everything about focused attention that is not a tensor."""

    num_heads: int
    grid: tuple[int, ...]
    class_token: bool
    p: int | float
    norm_over: Literal["channels", "head"]
    eps: float

    @property
    def groups(self) -> int:
        """How many norms a token has: one over all channels, or one a head."""
        return self.num_heads if self.norm_over == "head" else 1


@dataclass(frozen=True)
class Piece:
    """Some tokens of some images; `rows` are those of the grid's first side that the tokens fill."""

    images: slice
    tokens: slice
    rows: slice

    def of(self, x: Tensor) -> Tensor:
        """This piece of [B, N, ...]."""
        return x[self.images, self.tokens]


def pieces(shape: FocusedShape, x: Tensor, times: int = 1) -> list[Piece]:
    """Cut x [B, N, ...]: whole rows of an image's grid, or whole images, about `times` SIZE tokens.

    The class token goes with row 0. Only a processor with caches wins by it: elsewhere all is one piece.
    """
    size = times * SIZE
    images, (rows, cells) = len(x), (shape.grid[0], math.prod(shape.grid[1:]))
    if x.device.type != "cpu" or images * rows * cells <= size:
        return [Piece(slice(0, images), slice(0, x.shape[1]), slice(0, rows))]
    together = max(1, size // (rows * cells))
    step = math.ceil(rows / max(1, round(rows * cells / size)))
    return [
        _piece(shape, slice(first, min(first + together, images)), slice(row, min(row + step, rows)), cells)
        for first in range(0, images, together)
        for row in range(0, rows, step)
    ]


def _piece(shape: FocusedShape, images: slice, rows: slice, cells: int) -> Piece:
    start = rows.start * cells + shape.class_token if rows.start else 0
    return Piece(images, slice(start, rows.stop * cells + shape.class_token), rows)


class Workspace:
    """Buffers by name. Fresh memory costs more than the arithmetic on it, so each piece writes into the last one's."""

    def __init__(self, like: Tensor):
        self._like = like
        self._buffers: dict[str, Tensor] = {}

    def __call__(self, name: str, *shape: int) -> Tensor:
        """An uninitialised tensor; the last one of this name is overwritten."""
        size = math.prod(shape)
        if name not in self._buffers or self._buffers[name].numel() < size:
            self._buffers[name] = self._like.new_empty(size)
        return self._buffers[name][:size].view(shape)
