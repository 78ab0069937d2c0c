"""The lab `proof`: what does Proposition 1 say, and what not?"""

import traitlets as t

from flatten_edu.labs.frame.lab import Lab, focusing_factor
from flatten_edu.labs.frame.settings import refuse, vector, whole

# They share their largest entry, and f_3 pushes them apart: 37 degrees instead of 18.
EXAMPLE = {"x": [1.0, 0.99], "y": [1.0, 0.5]}
FEWEST, MOST = 2, 8


class ProofLab(Lab, lab="proof"):
    """The five steps of the proof of Proposition 1 on a pair of vectors, and the cosine of their angle against p.

    Traits:
        x, y: the vectors, 2 to 8 numbers each, none negative. Tensors and arrays will do. Both have the same length:
            set them together, or within `hold_trait_notifications`.
        p: focusing factor, 1 to 256.
        stage: which step of the proof is open, 1 to 5.
    """

    x = vector(EXAMPLE["x"], FEWEST, MOST, least=0)
    y = vector(EXAMPLE["y"], FEWEST, MOST, least=0)
    p = focusing_factor()
    stage = whole(1, 1, 5)

    @t.validate("x", "y")
    def _vectors_of_one_length(self, proposal: dict) -> list[float]:
        trait, value = proposal["trait"].name, proposal["value"]
        other = getattr(self, "y" if trait == "x" else "x")
        if len(other) != len(value):
            raise refuse(self, "x and y", "of one length (set both)", f"{trait} of {len(value)} beside {len(other)}")
        return value
