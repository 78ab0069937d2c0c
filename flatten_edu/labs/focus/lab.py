"""The lab `focus`: what does the focusing factor p do to directions?"""

from typing import Any, ClassVar

import traitlets as t
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from flatten_edu import data
from flatten_edu.functional import DEFAULT_P
from flatten_edu.functional.checks import require_finite
from flatten_edu.labs.frame.lab import Lab, focusing_factor
from flatten_edu.labs.frame.settings import Rule, choice, rows, vector, whole
from flatten_edu.labs.frame.tensors import pack

# Figure 4 of Han et al. 2023, read off the figure.
FIGURE_4: dict[str, Any] = {"q": [0.39, 0.94], "k": [[0.43, 0.86], [0.55, 0.30], [0.97, 0.32], [0.85, 0.14]]}
MOST_KEYS = 6


class FocusLab(Lab, lab="focus"):
    """Drag q and its keys, slide p: angles, lengths and attention weights before and after phi_p.

    A second view shows a photograph and the attention of one of its patches over all of them.

    Traits:
        p: focusing factor, 1 to 256.
        q: the query, a vector of two numbers: the plane has two dimensions.
        k: one to six keys of two numbers each. Tensors and arrays will do.
        view: "plane" or "photo".
        patch: index of the query patch, row by row from the top left.

    To look at features of your own, see `with_tokens`.
    """

    hints: ClassVar = dict.fromkeys(
        "qk", "The plane shows vectors of two numbers; FocusLab.with_tokens takes queries and keys of a model"
    )
    stills: ClassVar = {"first": {}, "photo": {"view": "photo"}}
    p = focusing_factor()
    q = vector(FIGURE_4["q"], 2, 2, least=-1e6)
    k = rows(FIGURE_4["k"], MOST_KEYS, (2, 2))
    view = choice("plane", "photo")
    patch = whole(75, 0, 195)
    grid = t.Tuple(t.Int(), t.Int(), default_value=(14, 14)).tag(sync=True)
    features = t.Unicode(
        "Not trained: the features are each patch's own pixels (16 × 16 × 3) through one fixed random projection to 64 "
        "numbers (seed 0), the same for queries and keys, scaled so that softmax's logits have variance 1. So a patch "
        "attends to patches that look like it."
    ).tag(sync=True)
    photo = t.Bytes().tag(sync=True)
    tokens = t.Bytes().tag(sync=True)

    @classmethod
    def with_tokens(
        cls, image: UInt8[ndarray, "h w 3"], q: Float[Tensor, "n d"], k: Float[Tensor, "n d"], grid: tuple[int, int],
        features: str, p: int | float = DEFAULT_P,
    ) -> "FocusLab":  # fmt: skip
        """The photograph view on queries and keys of your own.

        Args:
            image: the photograph, RGB.
            q, k: one row a patch, n = rows x columns, before any feature map.
            grid: rows and columns of patches.
            features: a sentence that says where q and k come from.
        """
        n = grid[0] * grid[1]
        if q.ndim != 2 or q.shape != k.shape or len(q) != n:
            shapes = f"q is {tuple(q.shape)}, k {tuple(k.shape)}"
            raise ValueError(f"grid {grid} has {n} patches: q and k need {n} rows of one d, {shapes}")
        require_finite("FocusLab", q=q, k=k)
        return cls(
            view="photo", patch=n // 2, grid=grid, features=features, p=p,
            photo=data.to_jpeg(image), tokens=pack(q=q.float(), k=k.float()),
        )  # fmt: skip

    @t.default("photo")
    def _chelsea(self) -> bytes:
        return data.to_jpeg(data.photo("chelsea"))

    @t.default("tokens")
    def _pixel_features(self) -> bytes:
        return pack(q=data.patch_features(data.photo("chelsea")))  # its keys are its queries

    def limits(self) -> dict[str, Rule]:
        """The patches of the grid."""
        return {"patch": {"most": self.grid[0] * self.grid[1] - 1}}

    @t.validate("patch")
    def _patch_is_on_the_grid(self, proposal: dict) -> int:
        return self.within_limits(proposal)
