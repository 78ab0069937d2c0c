"""What is timed: attention modules by name, each with the multiplications that it needs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from jaxtyping import Bool, Float
from torch import Tensor, nn

from flatten_edu.functional import attention_cost, cheaper_order
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
    multiply_adds: Callable[[int, int], int]  # of one head's core, from N and d
    maps: int = 0  # N x N maps of a head that are held at once in a forward pass
    compiled: bool = False  # by torch.compile, before it is timed
    only_on: str | None = None  # a kind of device


def _named(kind: str) -> Callable[..., nn.Module]:
    return lambda dim, heads, grid: make_attention(kind, dim, heads, grid, class_token=False)


def _backend(name: str) -> Callable[..., nn.Module]:
    return lambda dim, heads, grid: FocusedLinearAttention(dim, heads, grid, class_token=False, backend=name)


def _written_out(dim: int, heads: int, grid: tuple[int, int]) -> nn.Module:
    return WrittenOutSoftmax(dim, heads, grid, class_token=False)


def _softmax(n: int, d: int) -> int:
    return attention_cost(n, d, "qk_first").multiply_adds


def _linear(n: int, d: int) -> int:
    return attention_cost(n, d, cheaper_order(n, n, d, d)).multiply_adds


def _focused(n: int, d: int) -> int:
    return _linear(n, d) + 25 * n * d  # and a 5 x 5 depthwise convolution


def _and_compiled(variants: dict[str, Variant]) -> dict[str, Variant]:
    """With a compiled form of each, named NAME_compiled."""
    compiled = {
        f"{name}_compiled": replace(one, title=f"{one.title}, compiled", compiled=True)
        for name, one in variants.items()
    }
    return variants | compiled


#: By name: what can be timed as a core or a module. Names are those of `ATTENTIONS` where they are there.
VARIANTS: dict[str, Variant] = {
    "softmax_written_out": Variant("softmax, written out", _written_out, _softmax, maps=2),
    "window": Variant("softmax in 7 x 7 windows", WindowAttention, lambda n, d: 2 * n * WINDOW**2 * d),
    **_and_compiled(
        {
            "softmax": Variant("softmax (SDPA)", _named("softmax"), _softmax),
            "relu": Variant("linear (ReLU)", _named("relu"), _linear),
            "published": Variant("focused, as published", _backend("published"), _focused),
            "focused_dwc": Variant("focused, ours", _named("focused_dwc"), _focused),
        }
    ),
    "triton": Variant("focused, Triton", _backend("triton"), _focused, only_on="cuda"),
    "hydra": Variant("Hydra", _named("hydra"), lambda n, d: 2 * n * d),
    "efficient": Variant("Efficient", _named("efficient"), _linear),
    "angular": Variant("Linear angular", _named("angular"), lambda n, d: _linear(n, d) + 9 * n * d),
}
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


__all__ = ["MODELS", "VARIANTS", "WINDOW", "Variant", "WindowAttention", "WrittenOutSoftmax", "title_of"]
