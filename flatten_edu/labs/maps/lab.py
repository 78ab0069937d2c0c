"""The lab `maps`: where does a trained patch look?"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import traitlets as t
from numpy import ndarray

from flatten_edu.analysis import Captured
from flatten_edu.labs.frame.lab import Lab, focusing_factor
from flatten_edu.labs.frame.settings import Rule, choice, flag, whole
from flatten_edu.labs.maps.contents import Rows, own_view, preview_of, records_view
from flatten_edu.models.pretrained import WEIGHTS

DATA = Path(__file__).parent / "data"
MANY = 1_000_000  # of what the lab holds: `limits` says how many there are
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
        on_relu: whether f_p is laid over the linear model's features too.
        inside: whether the models themselves run with p (in the page), instead of their captured queries and keys.
        display: "overlay" or "matrix".
        channel: of the convolution, from 0; -1 is the mean magnitude over all.
        by_value: weights times the lengths of the values.
        common_scale: one scale of brightness for all maps.
        models, pictures, classes, blocks, heads, channels, grid, class_token, tokens, source: what is looked at.
    """

    width: ClassVar = 928
    files: ClassVar = {name: WEIGHTS / f"{name}.safetensors" for name in MODELS}

    picture = whole(0, -1, MANY)
    block = whole(1, 0, MANY)
    head = whole(0, -1, MANY)
    patch = whole(118, 0, MANY)
    p = focusing_factor()
    on_relu = flag(False)
    inside = flag(False)
    display = choice("overlay", "matrix")
    channel = whole(-1, -1, MANY)
    by_value = flag(False)
    common_scale = flag(False)
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
    preview = t.Dict().tag(sync=True)

    def __init__(
        self, q: Rows | None = None, k: Rows | None = None, v: Rows | None = None, *, kernel: Rows | None = None,
        image: ndarray | None = None, **traits: Any,
    ) -> None:  # fmt: skip
        if any(one is not None for one in (q, k, v, kernel, image)):
            place = {name: traits[name] for name in ("grid", "class_token") if name in traits}
            traits = own_view(q, k, v, kernel=kernel, image=image, **place) | traits
        super().__init__(**(traits if "tokens" in traits else _shipped() | traits))

    def look_at(self, q: Rows, k: Rows, v: Rows | None = None, **others: Any) -> None:
        """Show other queries and keys in the lab that is already on the page; arguments as those of the class."""
        traits = own_view(q, k, v, **others)
        with self.hold_sync(), self.hold_trait_notifications():
            for name, value in traits.items():
                setattr(self, name, value)

    @classmethod
    def with_records(
        cls, records: Mapping[str, Sequence[Captured]], image: ndarray | None = None, **traits: Any
    ) -> "MapsLab":
        """What `analysis.capture` found in models of your own, side by side: softmax, ReLU-linear, or the paper's.

        Args:
            records: by the name that stands over the map, one record a block.
            image: the first of the batch, to be shown: bytes [height, width, 3].

        Raises:
            ValueError: no records, or models that do not have the same grid and number of blocks.
        """
        return cls(**(records_view(records, image) | traits))

    @t.default("preview")
    def _preview(self) -> dict[str, Any]:
        shipped = any(model["file"] for model in self.models)
        if not shipped or f"/{self.block}/{self.picture}/q".encode() not in self.tokens[:100_000]:
            return {}
        return preview_of({name: getattr(self, name) for name in self.own_traits() if name != "preview"}, self.tokens)

    def limits(self) -> dict[str, Rule]:
        """As many as the lab holds."""
        counts = {
            "picture": len(self.pictures), "block": self.blocks, "head": self.heads, "channel": self.channels,
            "patch": self.grid[0] * self.grid[1],
        }  # fmt: skip
        return {name: {"most": count - 1} for name, count in counts.items()}

    @t.validate("picture", "block", "head", "patch", "channel")
    def _index_is_there(self, proposal: dict) -> int:
        return self.within_limits(proposal)


#: Another name for `MapsLab`.
AttentionLab = MapsLab
