"""The lab `proof`: what does Proposition 1 say, and what not?"""

import math

import torch
import traitlets as t

from flatten_edu.labs.frame.lab import FocusingFactor, Lab, refuse

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

    x = t.Any().tag(sync=True)
    y = t.Any().tag(sync=True)
    p = FocusingFactor(3.0).tag(sync=True)
    stage = t.Int(1).tag(sync=True)

    @t.default("x")
    def _example_x(self) -> list[float]:
        return list(EXAMPLE["x"])

    @t.default("y")
    def _example_y(self) -> list[float]:
        return list(EXAMPLE["y"])

    @t.validate("stage")
    def _stage_of_the_proof(self, proposal: dict) -> int:
        if not 1 <= proposal["value"] <= 5:
            raise refuse(self, "stage", "from 1 to 5", proposal["value"])
        return proposal["value"]

    @t.validate("x", "y")
    def _vectors_of_one_length(self, proposal: dict) -> list[float]:
        trait = proposal["trait"].name
        vector = self._vector(trait, proposal["value"])
        other = getattr(self, "y" if trait == "x" else "x")
        try:
            length = torch.as_tensor(other).numel()
        except (TypeError, ValueError, RuntimeError):
            return vector  # its own turn comes, and its own error
        if length != len(vector):
            raise refuse(self, "x and y", "of one length (set both)", f"{trait} of {len(vector)} beside {length}")
        return vector

    def _vector(self, trait: str, value: object) -> list[float]:
        wanted = f"{FEWEST} to {MOST} finite numbers from 0 to 1e6"
        try:
            # A row of a tensor, [1, d], will do as well: so queries come out of a model.
            vector = torch.as_tensor(value, dtype=torch.float64).detach().reshape(-1).tolist()
        except (TypeError, ValueError, RuntimeError):
            raise refuse(self, trait, wanted, value) from None
        if not FEWEST <= len(vector) <= MOST or not all(math.isfinite(entry) and 0 <= entry <= 1e6 for entry in vector):
            raise refuse(self, trait, wanted, value)
        return vector
