"""The lab `focus`: what does the focusing factor p do to directions?"""

import math
from collections.abc import Iterable

import torch
import traitlets as t
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from flatten_edu import data
from flatten_edu.labs.frame.lab import FocusingFactor, Lab, refuse

# Figure 4 of Han et al. 2023, read off the figure.
FIGURE_4 = {"q": [0.39, 0.94], "k": [[0.43, 0.86], [0.55, 0.30], [0.97, 0.32], [0.85, 0.14]]}
MOST_KEYS = 6


class FocusLab(Lab, lab="focus"):
    """Drag q and its keys, slide p: angles, lengths and attention weights before and after phi_p.

    A second view shows a photograph and the attention of one of its patches over all of them.

    Traits:
        p: focusing factor, 1 to 256.
        q: the query, two numbers.
        k: one to six keys of two numbers. Tensors and arrays will do.
        view: "plane" or "photo".
        patch: index of the query patch, row by row from the top left.

    To look at features of your own, see `with_tokens`.
    """

    p = FocusingFactor(3.0).tag(sync=True)
    q = t.Any().tag(sync=True)
    k = t.Any().tag(sync=True)
    view = t.Enum(["plane", "photo"], "plane").tag(sync=True)
    patch = t.Int(75).tag(sync=True)
    grid = t.Tuple(t.Int(), t.Int(), default_value=(14, 14)).tag(sync=True)
    features = t.Unicode(
        "Not trained: the features are each patch's own pixels (16 × 16 × 3) through one fixed random projection to 64 "
        "numbers (seed 0), the same for queries and keys, scaled so that softmax's logits have variance 1. So a patch "
        "attends to patches that look like it."
    ).tag(sync=True)
    photo = t.Bytes().tag(sync=True)
    tokens_q = t.Bytes().tag(sync=True)
    tokens_k = t.Bytes().tag(sync=True)

    @classmethod
    def with_tokens(
        cls,
        image: UInt8[ndarray, "h w 3"],
        q: Float[Tensor, "n d"],
        k: Float[Tensor, "n d"],
        grid: tuple[int, int],
        features: str,
        p: int | float = 3.0,
    ) -> "FocusLab":
        """The photograph view on queries and keys of your own.

        Args:
            image: the photograph, RGB.
            q, k: one row a patch, n = rows x columns, before any feature map.
            grid: rows and columns of patches.
            features: a sentence that says where q and k come from.
        """
        n = grid[0] * grid[1]
        for name, tokens in {"q": q, "k": k}.items():
            if tokens.ndim != 2 or q.ndim != 2 or tokens.shape[0] != n or tokens.shape[1] != q.shape[1]:
                raise ValueError(
                    f"grid {grid} has {n} patches: q and k need {n} rows of one d, {name} is {tuple(tokens.shape)}"
                )
            if not tokens.isfinite().all():
                raise ValueError(f"FocusLab needs finite numbers, {name} holds NaN or Inf")
        return cls(
            view="photo", patch=n // 2, grid=grid, features=features, p=p,
            photo=data.to_jpeg(image), tokens_q=_bytes(q), tokens_k=_bytes(k),
        )  # fmt: skip

    @t.default("q")
    def _figure_4_query(self) -> list[float]:
        return list(FIGURE_4["q"])

    @t.default("k")
    def _figure_4_keys(self) -> list[list[float]]:
        return [list(key) for key in FIGURE_4["k"]]

    @t.default("photo")
    def _chelsea(self) -> bytes:
        return data.to_jpeg(data.photo("chelsea"))

    @t.default("tokens_q")
    def _pixel_features(self) -> bytes:
        return _bytes(data.patch_features(data.photo("chelsea")))

    @t.default("tokens_k")
    def _same_as_queries(self) -> bytes:
        return self.tokens_q

    @t.validate("q")
    def _query_is_a_point(self, proposal: dict) -> list[float]:
        return self._point("q", proposal["value"])

    @t.validate("k")
    def _keys_are_points(self, proposal: dict) -> list[list[float]]:
        keys = list(proposal["value"]) if isinstance(proposal["value"], Iterable) else []
        if not 1 <= len(keys) <= MOST_KEYS:
            raise refuse(self, "k", f"1 to {MOST_KEYS} points of two numbers", proposal["value"])
        return [self._point(f"k[{i}]", key) for i, key in enumerate(keys)]

    @t.validate("patch")
    def _patch_is_on_the_grid(self, proposal: dict) -> int:
        n = self.grid[0] * self.grid[1]
        if not 0 <= proposal["value"] < n:
            raise refuse(self, "patch", f"from 0 to {n - 1} on a grid of {self.grid}", proposal["value"])
        return proposal["value"]

    def _point(self, trait: str, value: object) -> list[float]:
        try:
            # A row of a tensor, [1, 2], will do as well: so queries come out of a model.
            point = torch.as_tensor(value, dtype=torch.float64).detach().reshape(-1).tolist()
        except (TypeError, ValueError, RuntimeError):
            raise refuse(self, trait, "two numbers", value) from None
        if len(point) != 2 or not all(math.isfinite(entry) and abs(entry) <= 1e6 for entry in point):
            raise refuse(self, trait, "two finite numbers between -1e6 and 1e6", value)
        return point


def _bytes(tokens: Float[Tensor, "n d"]) -> bytes:
    return tokens.detach().to("cpu", torch.float32).contiguous().numpy().tobytes()
