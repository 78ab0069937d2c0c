"""The lab `maps`: where does a trained patch look?"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import traitlets as t
from numpy import ndarray

from flatten_edu.analysis import Captured
from flatten_edu.labs.frame.lab import FocusingFactor, Lab, refuse
from flatten_edu.labs.maps.contents import Rows, first_view, own_view, records_view
from flatten_edu.models.pretrained import WEIGHTS

DATA = Path(__file__).parent / "data"
MODELS = ("deit_cifar10_softmax", "deit_cifar10_linear", "flatten_deit_cifar10_focused_without_dwc",
          "flatten_deit_cifar10_focused")  # fmt: skip


def _shipped() -> dict[str, Any]:
    """The models that come with the library and what they made of some pictures, as make_data.py wrote it."""
    return json.loads(DATA.with_suffix(".json").read_text()) | {"tokens": DATA.with_suffix(".safetensors").read_bytes()}


class MapsLab(Lab, lab="maps"):
    """Softmax, linear, focused attention without and with its convolution, side by side, on one query patch.

    By itself it shows the four small models that come with the library. `MapsLab(q=..., k=...)` shows your own queries
    and keys through each attention, `MapsLab.with_records` what `analysis.capture` found in your own models.

    Args:
        q, k: [n, d] or [heads, n, d], before any feature map; tensors, arrays or lists.
        v: as many rows, optional.
        kernel: a depthwise convolution's, [d, side, side]; then its equivalent map is shown too.
        image: what the patches are cut from, bytes [height, width, 3].
        grid, class_token: the patches' grid (a square if not given), and whether a token stands in front of them.
        traits: any of those below.

    Traits:
        picture: which picture, from 0; -1 is a file that the reader chose on the page.
        block: from 0.
        head: from 0, or -1 for the mean of the heads.
        patch: the query, row by row from the top left.
        p: focusing factor, 1 to 256.
        on_linear: whether f_p is laid over the linear model's features too.
        inside: whether the models themselves run with p (in the page), instead of their captured queries and keys.
        display: "overlay" or "matrix".
        channel: of the convolution, from 0; -1 is the mean magnitude over all.
        by_value: weights times the lengths of the values.
        common_scale: one scale of brightness for all maps.
        models, pictures, classes, blocks, heads, channels, grid, class_token, tokens, source: what is looked at.
    """

    files: ClassVar = {name: WEIGHTS / f"{name}.safetensors" for name in MODELS}

    picture = t.Int(0).tag(sync=True)
    block = t.Int(1).tag(sync=True)
    head = t.Int(0).tag(sync=True)
    patch = t.Int(118).tag(sync=True)
    p = FocusingFactor(3.0).tag(sync=True)
    on_linear = t.Bool(False).tag(sync=True)
    inside = t.Bool(False).tag(sync=True)
    display = t.Enum(["overlay", "matrix"], "overlay").tag(sync=True)
    channel = t.Int(-1).tag(sync=True)
    by_value = t.Bool(False).tag(sync=True)
    common_scale = t.Bool(False).tag(sync=True)
    grid = t.Tuple(t.Int(), t.Int(), default_value=(14, 14)).tag(sync=True)
    class_token = t.Bool(True).tag(sync=True)
    models = t.List(t.Dict()).tag(sync=True)
    pictures = t.List(t.Dict()).tag(sync=True)
    classes = t.List(t.Unicode()).tag(sync=True)
    blocks = t.Int(3).tag(sync=True)
    heads = t.Int(1).tag(sync=True)
    channels = t.Int(64).tag(sync=True)
    source = t.Unicode().tag(sync=True)
    standard = t.Dict().tag(sync=True)
    tokens = t.Bytes().tag(sync=True)
    first = t.Dict().tag(sync=True)

    def __init__(
        self,
        q: Rows | None = None,
        k: Rows | None = None,
        v: Rows | None = None,
        *,
        kernel: Rows | None = None,
        image: ndarray | None = None,
        **traits: object,
    ) -> None:
        if any(one is not None for one in (q, k, v, kernel, image)):
            given = (traits.get("grid"), bool(traits.get("class_token", False)))
            traits = own_view(q, k, v, kernel, image, *given) | traits
        super().__init__(**(traits if "tokens" in traits else _shipped() | traits))

    def look_at(
        self,
        q: Rows,
        k: Rows,
        v: Rows | None = None,
        *,
        kernel: Rows | None = None,
        image: ndarray | None = None,
        grid: tuple[int, int] | None = None,
        class_token: bool = False,
    ) -> None:
        """Show other queries and keys in the lab that is already on the page; arguments as those of the class."""
        traits = own_view(q, k, v, kernel, image, grid, class_token)
        with self.hold_sync(), self.hold_trait_notifications():
            for name, value in traits.items():
                setattr(self, name, value)

    @classmethod
    def with_records(
        cls, records: Mapping[str, Sequence[Captured]], image: ndarray | None = None, **traits: object
    ) -> "MapsLab":
        """What `analysis.capture` found in models of your own, side by side: softmax, ReLU-linear, or the paper's.

        Args:
            records: by the name that stands over the map, one record a block.
            image: the first of the batch, to be shown: bytes [height, width, 3].

        Raises:
            ValueError: no records, or models that do not have the same grid and number of blocks.
        """
        return cls(**(records_view(records, image) | traits))

    @t.default("first")
    def _first_view(self) -> dict[str, Any]:
        shipped = any(model["file"] for model in self.models)
        cached = f"/{self.block}/{self.picture}/q".encode() in self.tokens[:100_000]
        return (
            first_view({name: getattr(self, name) for name in self.own_traits() if name != "first"}, self.tokens)
            if shipped and cached and self.picture >= 0
            else {}
        )

    @t.validate("picture", "block", "head", "patch", "channel")
    def _index_is_there(self, proposal: dict) -> int:
        trait, value = proposal["trait"].name, proposal["value"]
        count = {
            "picture": len(self.pictures), "block": self.blocks, "head": self.heads, "channel": self.channels,
            "patch": self.grid[0] * self.grid[1],
        }[trait]  # fmt: skip
        lowest = 0 if trait in ("block", "patch") else -1
        if not lowest <= value < count:
            raise refuse(self, trait, f"from {lowest} to {count - 1}", value)
        return value


#: Another name for `MapsLab`.
AttentionLab = MapsLab
