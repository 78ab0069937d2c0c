"""The lab `reorder`: where does N^2 go when the brackets move?"""

import math

import torch
import traitlets as t

from flatten_edu.labs.frame.lab import Lab, refuse

# Whole numbers, small enough to multiply by hand: six tokens of three numbers.
EXAMPLE = {
    "q": [[1, 0, 2], [2, 1, 0], [0, 1, 1], [1, 2, 0], [0, 0, 2], [1, 1, 1]],
    "k": [[1, 1, 0], [0, 2, 1], [1, 0, 1], [2, 0, 0], [0, 1, 2], [1, 1, 1]],
    "v": [[1, 0, 3], [2, 1, 0], [0, 2, 1], [1, 1, 1], [3, 0, 2], [0, 1, 2]],
}
MOST_TOKENS, MOST_NUMBERS = 8, 4


class ReorderLab(Lab, lab="reorder"):
    """The matrices of (Q K^T) V and of Q (K^T V) drawn to scale, and what each order costs.

    A second view goes through both orders entry by entry on a small example, or on tensors of your own.

    Traits:
        n: tokens, 4 to 16384.
        d: numbers a token has, 1 to 256.
        order: "qk_first" for (Q K^T) V, "kv_first" for Q (K^T V).
        dtype: "float32" or "float16", for the bytes of what stands in between.
        view: "scale" or "steps"; with q, k or v given, "steps".
        q, k, v: the example, 1 to 8 rows of 1 to 4 numbers each, after any feature map. Tensors and arrays will do. All
            three have the same rows, q and k the same columns: set them together, or within `hold_trait_notifications`.
        at: how many entries of the example are computed.
        normalised: whether v gets a column of ones for the row sums.
    """

    n = t.Int(196).tag(sync=True)
    d = t.Int(64).tag(sync=True)
    order = t.Enum(["qk_first", "kv_first"], "qk_first").tag(sync=True)
    dtype = t.Enum(["float32", "float16"], "float32").tag(sync=True)
    view = t.Enum(["scale", "steps"], "scale").tag(sync=True)
    at = t.Int(0).tag(sync=True)
    normalised = t.Bool(False).tag(sync=True)
    q = t.Any().tag(sync=True)
    k = t.Any().tag(sync=True)
    v = t.Any().tag(sync=True)

    def __init__(self, **traits: object) -> None:
        own = {"view": "steps"} if {"q", "k", "v"} & set(traits) else {}
        super().__init__(**(own | traits))

    @t.default("q")
    def _example_q(self) -> list[list[float]]:
        return _floats(EXAMPLE["q"])

    @t.default("k")
    def _example_k(self) -> list[list[float]]:
        return _floats(EXAMPLE["k"])

    @t.default("v")
    def _example_v(self) -> list[list[float]]:
        return _floats(EXAMPLE["v"])

    @t.validate("n")
    def _n_in_range(self, proposal: dict) -> int:
        return self._whole("n", proposal["value"], 4, 16384)

    @t.validate("d")
    def _d_in_range(self, proposal: dict) -> int:
        return self._whole("d", proposal["value"], 1, 256)

    @t.validate("at")
    def _at_in_range(self, proposal: dict) -> int:
        return self._whole("at", proposal["value"], 0, MOST_TOKENS**2 + MOST_TOKENS * (MOST_NUMBERS + 1))

    @t.validate("q", "k", "v")
    def _a_small_matrix_that_fits(self, proposal: dict) -> list[list[float]]:
        trait = proposal["trait"].name
        matrix = self._matrix(trait, proposal["value"])
        shapes = {name: _shape(matrix if name == trait else getattr(self, name)) for name in "qkv"}
        rows = {shape[0] for shape in shapes.values()}
        if len(rows) > 1 or shapes["q"] != shapes["k"]:
            listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise refuse(self, "q, k and v", "of the same rows, q and k of the same columns (set all three)", listed)
        return matrix

    def _matrix(self, trait: str, value: object) -> list[list[float]]:
        wanted = f"1 to {MOST_TOKENS} rows of 1 to {MOST_NUMBERS} finite numbers between -1e6 and 1e6"
        try:
            matrix = torch.as_tensor(value, dtype=torch.float64).detach().tolist()
            rows, columns = _shape(matrix)
        except (TypeError, ValueError, RuntimeError, IndexError):
            raise refuse(self, trait, wanted, value) from None
        small = 1 <= rows <= MOST_TOKENS and 1 <= columns <= MOST_NUMBERS
        if not small or not all(math.isfinite(entry) and abs(entry) <= 1e6 for row in matrix for entry in row):
            raise refuse(self, trait, wanted, value)
        return matrix

    def _whole(self, trait: str, value: int, low: int, high: int) -> int:
        if not low <= value <= high:
            raise refuse(self, trait, f"from {low} to {high}", value)
        return value


def _shape(matrix: object) -> tuple[int, ...]:
    rows, columns = torch.as_tensor(matrix).shape
    return rows, columns


def _floats(matrix: list[list[int]]) -> list[list[float]]:
    return [[float(entry) for entry in row] for row in matrix]
