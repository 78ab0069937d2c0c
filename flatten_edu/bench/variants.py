"""What is timed: attention modules by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from jaxtyping import Bool, Float
from torch import Tensor, nn

from flatten_edu.nn import FocusedLinearAttention, Heads, SoftmaxAttention, make_attention

WINDOW = 7  # tokens on a side, as in Swin


class WrittenOutSoftmax(SoftmaxAttention):
    """Softmax attention one operation after another: the N x N map is stored whole."""

    def attend(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n d"]:
        """softmax(Q K^T / sqrt d) V, of all keys: nothing that is timed has a mask."""
        logits = (heads.q * self.head_dim**-0.5) @ heads.k.mT
        return logits.softmax(-1) @ heads.v


class WindowAttention(nn.Module):
    """Softmax attention among the 49 tokens of each 7 x 7 window, by PyTorch's fused kernel.

    Raises:
        ValueError: a grid that is not made of whole windows.
    """

    def __init__(self, dim: int, num_heads: int, grid: tuple[int, int]):
        super().__init__()
        if any(side % WINDOW for side in grid):
            raise ValueError(f"a grid of {grid[0]} x {grid[1]} tokens is not made of whole 7 x 7 windows")
        self.windows = (grid[0] // WINDOW, WINDOW, grid[1] // WINDOW, WINDOW)
        self.inner = SoftmaxAttention(dim, num_heads, (WINDOW, WINDOW), class_token=False)

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """Cut into windows, attend, and put together."""
        cut = x.unflatten(1, self.windows).transpose(2, 3)  # batch, window rows, window columns, 7, 7, C
        out = self.inner(cut.reshape(-1, WINDOW**2, x.shape[-1]))
        return out.reshape(cut.shape).transpose(2, 3).reshape(x.shape)


@dataclass(frozen=True)
class Variant:
    """An attention that can be timed."""

    title: str
    make: Callable[[int, int, tuple[int, int]], nn.Module]  # from C, h and the grid, without a class token
    maps: int = 0  # N x N maps of a head that are held at once in a forward pass
    compiled: bool = False  # by torch.compile, before it is timed
    only_on: str | None = None  # a kind of device


def _named(title: str, kind: str) -> Variant:
    return Variant(title, partial(make_attention, kind, class_token=False))


def _focused(title: str, backend: str, only_on: str | None = None) -> Variant:
    return Variant(title, partial(FocusedLinearAttention, class_token=False, backend=backend), only_on=only_on)


#: By name: what can be timed as a core or a module. Names are those of `ATTENTIONS` where they are there.
VARIANTS: dict[str, Variant] = {
    "softmax_written_out": Variant("softmax, written out", partial(WrittenOutSoftmax, class_token=False), maps=2),
    "window": Variant("softmax in 7 x 7 windows", WindowAttention),
    "softmax": _named("softmax (SDPA)", "softmax"),
    "relu": _named("linear (ReLU)", "relu"),
    "published": _focused("focused, as published", "published"),
    "focused_dwc": _named("focused, ours", "focused_dwc"),
    "triton": _focused("focused, Triton", "triton", only_on="cuda"),
    "hydra": _named("Hydra", "hydra"),
    "efficient": _named("Efficient", "efficient"),
    "angular": _named("Linear angular", "angular"),
}
for _name in ("softmax", "relu", "published", "focused_dwc"):
    _plain = VARIANTS[_name]
    VARIANTS[f"{_name}_compiled"] = replace(_plain, title=f"{_plain.title}, compiled", compiled=True)
#: By name: what can be timed as a model: its title, the variant in its blocks, and whether it is compiled.
MODELS: dict[str, tuple[str, str, bool]] = {
    "deit_tiny": ("DeiT-T (SDPA)", "softmax", False),
    "flatten_deit_tiny": ("FLatten-DeiT-T", "focused_dwc", False),
    "deit_tiny_compiled": ("DeiT-T (SDPA), compiled", "softmax", True),
    "flatten_deit_tiny_compiled": ("FLatten-DeiT-T, compiled", "focused_dwc", True),
}


def title_of(name: str) -> str:
    """How a variant is written; a name that only another program's record has stands for itself."""
    if name in MODELS:
        return MODELS[name][0]
    return VARIANTS[name].title if name in VARIANTS else name
