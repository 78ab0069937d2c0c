"""What is timed: attention modules by name."""

from collections.abc import Callable
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


Make = Callable[[int, int, tuple[int, int]], nn.Module]  # from C, h and the grid, without a class token


def _named(title: str, kind: str) -> tuple[str, Make]:
    return title, partial(make_attention, kind, class_token=False)


def _focused(title: str, backend: str) -> tuple[str, Make]:
    return title, partial(FocusedLinearAttention, class_token=False, backend=backend)


#: By name: what can be timed as a module, its title and what makes it. Names are those of `ATTENTIONS` where they are
#: there; NAME_compiled is compiled first.
VARIANTS: dict[str, tuple[str, Make]] = {
    "softmax_written_out": ("softmax, written out", partial(WrittenOutSoftmax, class_token=False)),
    "window": ("softmax in 7 x 7 windows", WindowAttention),
    "softmax": _named("softmax (SDPA)", "softmax"),
    "relu": _named("linear (ReLU)", "relu"),
    "published": _focused("focused, as published", "published"),
    "focused_dwc": _named("focused, ours", "focused_dwc"),
    "triton": _focused("focused, Triton", "triton"),
    "hydra": _named("Hydra", "hydra"),
    "efficient": _named("Efficient", "efficient"),
    "angular": _named("Linear angular", "angular"),
}
VARIANTS |= {f"{name}_compiled": VARIANTS[name] for name in ("softmax", "relu", "published", "focused_dwc")}
#: By name: what can be timed as a model: its title, and the variant in its blocks.
MODELS: dict[str, tuple[str, str]] = {
    "deit_tiny": ("DeiT-T (SDPA)", "softmax"),
    "flatten_deit_tiny": ("FLatten-DeiT-T", "focused_dwc"),
}
MODELS |= {f"{name}_compiled": model for name, model in MODELS.items()}


def title_of(name: str) -> str:
    """How a variant is written; a name that only another program's record has stands for itself."""
    if name not in VARIANTS and name not in MODELS:
        return name
    title = (MODELS[name] if name in MODELS else VARIANTS[name])[0]
    return f"{title}, compiled" if name.endswith("_compiled") else title
