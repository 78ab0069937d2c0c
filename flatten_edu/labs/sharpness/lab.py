"""The lab `sharpness`: is focused attention really sharper than softmax?"""

import json
from pathlib import Path

import traitlets as t

from flatten_edu.labs.frame.lab import Lab, focusing_factor
from flatten_edu.labs.frame.settings import choice, flag, number, refuse, whole
from flatten_edu.labs.frame.tensors import matrix_bytes, shape_of

# Issue 4 of the authors' repository, whose keys are the whole numbers from 1 to 8 that its seed draws, and figure 4.
EXAMPLES = json.loads((Path(__file__).parent / "examples.json").read_text())
TRAINED = Path(__file__).parent / "data"
MOST_KEYS, MOST_CHANNELS = 4096, 1024


class SharpnessLab(Lab, lab="sharpness"):
    """One query's weights by softmax, ReLU and focused attention, and their entropy against the scale of q and k.

    `SharpnessLab(q=..., k=...)` takes the reader's own query [d] and keys [n, d], before any feature map.

    Traits:
        example: "issue", "figure", "trained" or "own".
        scale: q and every key are multiplied by it, 1/8 to 8.
        p: focusing factor, 1 to 256.
        divide: whether softmax divides the products by sqrt(d).
        q, k: own query and keys, entries from -1000 to 1000, or None. Read back as bytes: safetensors files,
            each with one tensor `matrix`.
        sets: the trained rows, a list of {"name", "n", "d"}.
        rows: a safetensors file: of each set a matrix, first q, then its n keys.
        row: which of them is shown.
    """

    example = choice("issue", "figure", "trained", "own")
    scale = number(1.0, 1 / 8, 8)
    p = focusing_factor()
    divide = flag(False)
    row = whole(0, 0, 999)
    q = t.Any(None, allow_none=True).tag(sync=True)
    k = t.Any(None, allow_none=True).tag(sync=True)
    sets = t.List(t.Dict()).tag(sync=True)
    rows = t.Bytes().tag(sync=True)

    def __init__(self, **traits: object) -> None:
        given = [name for name in "qk" if traits.get(name) is not None]
        if len(given) == 1:
            raise TypeError(f"SharpnessLab needs q and k together, got {given[0]} alone")
        if given:
            traits = {"example": "own", "divide": True} | traits  # as attention has it
        super().__init__(**traits)

    @t.default("sets")
    def _trained_sets(self) -> list[dict]:
        return json.loads(TRAINED.with_suffix(".json").read_text())

    @t.default("rows")
    def _trained_rows(self) -> bytes:
        return TRAINED.with_suffix(".safetensors").read_bytes()

    @t.validate("q", "k")
    def _own_rows(self, proposal: dict) -> bytes | None:
        name, value = proposal["trait"].name, proposal["value"]
        if value is None:
            return None
        matrix = matrix_bytes(self, name, value, most=(MOST_KEYS if name == "k" else 1, MOST_CHANNELS))
        other = {"q": "k", "k": "q"}[name]
        held = getattr(self, other)
        if held is not None and shape_of(held)[-1] != shape_of(matrix)[-1]:
            raise refuse(self, name, f"of as many channels as {other}, {shape_of(held)[-1]}", shape_of(matrix))
        return matrix
