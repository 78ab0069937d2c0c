"""The lab `reorder`: where does N^2 go when the brackets move?"""

import traitlets as t

from flatten_edu.labs.frame.lab import Lab
from flatten_edu.labs.frame.settings import choice, flag, refuse, rows, whole

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

    n = whole(196, 4, 16384)
    d = whole(64, 1, 256)
    order = choice("qk_first", "kv_first")
    dtype = choice("float32", "float16")
    view = choice("scale", "steps")
    at = whole(0, 0, MOST_TOKENS**2 + MOST_TOKENS * (MOST_NUMBERS + 1))
    normalised = flag(False)
    q = rows(EXAMPLE["q"], MOST_TOKENS, (1, MOST_NUMBERS))
    k = rows(EXAMPLE["k"], MOST_TOKENS, (1, MOST_NUMBERS))
    v = rows(EXAMPLE["v"], MOST_TOKENS, (1, MOST_NUMBERS))

    def __init__(self, **traits: object) -> None:
        own = {"view": "steps"} if {"q", "k", "v"} & set(traits) else {}
        super().__init__(**(own | traits))

    @t.validate("q", "k", "v")
    def _a_small_matrix_that_fits(self, proposal: dict) -> list[list[float]]:
        trait, matrix = proposal["trait"].name, proposal["value"]
        held = {name: matrix if name == trait else getattr(self, name) for name in "qkv"}
        shapes = {name: (len(x), len(x[0])) for name, x in held.items()}
        if len({rows for rows, _ in shapes.values()}) > 1 or shapes["q"] != shapes["k"]:
            listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise refuse(self, "q, k and v", "of the same rows, q and k of the same columns (set all three)", listed)
        return matrix
