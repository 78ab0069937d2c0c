"""What is timed: attention modules by name, each with the multiplications that it needs."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from flatten_edu.bench.plain import PlainFocusedAttention
from flatten_edu.functional import attention_cost, cheaper_order
from flatten_edu.nn import Heads, SoftmaxAttention, make_attention

WINDOW = 7  # tokens on a side, as in Swin


class WrittenOutSoftmax(SoftmaxAttention):
    """Softmax attention one operation after another: the N x N map is stored whole."""

    def attend(self, heads: Heads, key_mask: None = None) -> Float[Tensor, "b h n d"]:
        """softmax(Q K^T / sqrt d) V."""
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
    compiled: bool = False
    only_on: str | None = None  # a kind of device: elsewhere it is another variant's double


def _named(kind: str, **settings: object) -> Callable[..., nn.Module]:
    return lambda dim, heads, grid: make_attention(kind, dim, heads, grid, class_token=False, **settings)


def _written_out(dim: int, heads: int, grid: tuple[int, int]) -> nn.Module:
    return WrittenOutSoftmax(dim, heads, grid, class_token=False)


def _softmax(n: int, d: int) -> int:
    return attention_cost(n, d, "qk_first").multiply_adds


def _linear(n: int, d: int) -> int:
    return attention_cost(n, d, cheaper_order(n, n, d, d)).multiply_adds


def _focused(n: int, d: int) -> int:
    return _linear(n, d) + 25 * n * d  # and a 5 x 5 depthwise convolution


#: By name: what can be timed as a core or a module.
VARIANTS: dict[str, Variant] = {
    "softmax": Variant("softmax, written out", _written_out, _softmax, maps=2),
    "sdpa": Variant("softmax, fused (SDPA)", _named("softmax"), _softmax),
    "window": Variant("softmax in 7 x 7 windows", WindowAttention, lambda n, d: 2 * n * WINDOW**2 * d),
    "linear": Variant("linear (ReLU)", _named("linear"), _linear),
    "focused_plain": Variant("focused, as published", PlainFocusedAttention, _focused),
    "focused": Variant("focused, ours", _named("focused"), _focused),
    "focused_eager": Variant("focused, ours, no kernel", _named("focused", backend="fused"), _focused, only_on="cuda"),
    "focused_plain_compiled": Variant("as published, compiled", PlainFocusedAttention, _focused, compiled=True),
    "focused_compiled": Variant("focused, ours, compiled", _named("focused"), _focused, compiled=True),
    "hydra": Variant("Hydra", _named("hydra"), lambda n, d: 2 * n * d),
    "efficient": Variant("Efficient", _named("efficient"), _linear),
    "angular": Variant("Linear angular", _named("angular"), lambda n, d: _linear(n, d) + 9 * n * d),
    "enhanced": Variant("Enhanced linear", _named("enhanced"), _linear),
}
#: By name: what can be timed as a model, with its title and its kind of attention.
MODELS = {"deit_tiny_sdpa": ("DeiT-T (SDPA)", "softmax"), "flatten_deit_tiny": ("FLatten-DeiT-T", "focused")}


def title_of(name: str) -> str:
    """How a variant is written; a name that only another program's record has stands for itself."""
    if name in MODELS:
        return MODELS[name][0]
    return VARIANTS[name].title if name in VARIANTS else name


__all__ = ["MODELS", "VARIANTS", "WINDOW", "Variant", "WindowAttention", "WrittenOutSoftmax", "title_of"]
