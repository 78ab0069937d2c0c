"""The lab `precision`: why did fp16 give NaN, and which fix works?"""

import traitlets as t

from flatten_edu.analysis.formats import FORMATS, LARGEST_WHOLE_P
from flatten_edu.functional import DEFAULT_P
from flatten_edu.labs.frame.lab import Lab
from flatten_edu.labs.frame.settings import choice, flag, number, refuse, whole
from flatten_edu.labs.frame.tensors import matrix_bytes, shape_of

MOST_TOKENS, MOST_CHANNELS = 4096, 256


class PrecisionLab(Lab, lab="precision"):
    """The focused attention module, operation by operation, in fp16, bf16 or fp32: what overflows, what becomes zero.

    `PrecisionLab(q=..., k=..., v=...)` runs it on the reader's own tensors, one head: q [n, d], k [m, d], v [m, e].

    Traits:
        dtype: "fp16", "bf16" or "fp32".
        n, d: tokens and channels of the random tensors.
        seed: which ones. Own tensors have their own sizes.
        size: every entry is multiplied by it, 1/1024 to 64; random ones have variance 1 before.
        p: focusing factor, a whole number from 1 to 16.
        row_max, over_sqrt_n, wide_sums, whole: the fixes; see `flatten_edu.analysis.Fixes`.
        q, k, v: own tensors of two dimensions, entries from -1000 to 1000, or None for random ones. Read back as bytes:
            safetensors files, each with one tensor `matrix`. Of q the first 196 rows count.
        source: "own" once q, k and v are there, else "random".
    """

    dtype = choice(*FORMATS)
    n = whole(196, 1, MOST_TOKENS)
    d = whole(64, 1, MOST_CHANNELS)
    p = whole(DEFAULT_P, 1, LARGEST_WHOLE_P)
    size = number(8.0, 2.0**-10, 64.0)
    seed = whole(0, 0, 9999)
    row_max = flag(False)
    over_sqrt_n = flag(False)
    wide_sums = flag(True)
    whole = flag(False)
    source = t.Enum(["random", "own"], "random").tag(sync=True)
    q = t.Any(None, allow_none=True).tag(sync=True)
    k = t.Any(None, allow_none=True).tag(sync=True)
    v = t.Any(None, allow_none=True).tag(sync=True)

    def __init__(self, **traits: object) -> None:
        given = [name for name in "qkv" if traits.get(name) is not None]
        if given and len(given) < 3:
            raise TypeError(f"PrecisionLab needs q, k and v together, got {' and '.join(given)} alone")
        if given:
            traits = {"size": 1.0, "source": "own"} | traits  # as they are
        super().__init__(**traits)

    @t.validate("q", "k", "v")
    def _own_tensor(self, proposal: dict) -> bytes | None:
        name, value = proposal["trait"].name, proposal["value"]
        if value is None:
            return None
        matrix = matrix_bytes(self, name, value, most=(MOST_TOKENS, MOST_CHANNELS))
        found = shape_of(matrix)
        for one, other, side, what in [("q", "k", 1, "channels"), ("k", "q", 1, "channels"), ("k", "v", 0, "tokens"),
                                       ("v", "k", 0, "tokens")]:  # fmt: skip
            held = getattr(self, other)
            if name == one and held is not None and (wanted := shape_of(held)[side]) != found[side]:
                raise refuse(self, name, f"of as many {what} as {other}, {wanted}", found)
        return matrix

    @t.observe("q", "k", "v")
    def _say_whose(self, change: dict) -> None:
        self.source = "random" if None in (self.q, self.k, self.v) else "own"
