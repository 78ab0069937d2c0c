"""What every attention module shares: projections in and out, heads, and a view of what happens in between."""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from flatten_edu.functional.checks import require_grid


class Heads(NamedTuple):
    """What one attention module computes from its input, split into h heads: each is [B, h, N, features of a head].

    phi_q and phi_k are what the products are formed from: None for softmax attention. v is never mapped. Where there is
    no attention, q and k have no features.
    """

    q: Float[Tensor, "b h n e"]
    k: Float[Tensor, "b h n e"]
    v: Float[Tensor, "b h n d"]
    phi_q: Float[Tensor, "b h n f"] | None = None
    phi_k: Float[Tensor, "b h n f"] | None = None


def mapped(heads: Heads) -> tuple[Float[Tensor, "b h n f"], Float[Tensor, "b h n f"]]:
    """phi_q and phi_k of a linear attention's heads. Raises ValueError for heads of softmax attention."""
    if heads.phi_q is None or heads.phi_k is None:
        raise ValueError("linear attention needs heads with phi_q and phi_k, as its own `heads` makes them")
    return heads.phi_q, heads.phi_k


class Attention(nn.Module):
    """Self-attention over the tokens of a grid. Subclasses say how heads are mapped, weighted and summed.

    Args:
        dim: C, features of a token.
        num_heads: h, which divides C.
        grid: the tokens' grid, row-major; one to three sides of any length.
        class_token: whether one token that belongs to no cell stands in front.
        qkv_bias: as DeiT has it, True.
        proj_drop: dropout after the output projection.

    Raises:
        ValueError: heads that do not divide dim; in `forward`, an input of another shape.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        grid: tuple[int, ...],
        class_token: bool = True,
        qkv_bias: bool = True,
        proj_drop: float = 0.0,
    ):
        super().__init__()
        if num_heads < 1 or dim % num_heads:
            raise ValueError(f"{type(self).__name__} needs num_heads that divides dim, got {dim=}, {num_heads=}")
        self.dim, self.num_heads, self.head_dim = dim, num_heads, dim // num_heads
        self.grid, self.class_token = grid, class_token
        require_grid(
            type(self).__name__, grid, math.prod(grid) + class_token if isinstance(grid, tuple) else 0, class_token
        )
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)
        self.proj_drop = nn.Dropout(proj_drop) if proj_drop else nn.Identity()

    @property
    def tokens(self) -> int:
        """N, the grid's cells, and the class token if there is one."""
        return torch.Size(self.grid).numel() + self.class_token

    def forward(self, x: Float[Tensor, "b n c"], key_mask: Bool[Tensor, "b n"] | None = None) -> Float[Tensor, "b n c"]:
        """Attend. `key_mask` is True for the tokens that count as keys."""
        if x.ndim != 3 or x.shape[-1] != self.dim:
            raise ValueError(f"{type(self).__name__} needs tokens [B, N, {self.dim}], got {tuple(x.shape)}")
        require_grid(type(self).__name__, self.grid, x.shape[1], self.class_token)
        if key_mask is not None and (
            key_mask.dtype != torch.bool or key_mask.shape not in (x.shape[:2], (1, x.shape[1]))
        ):
            wanted = f"a boolean key_mask {tuple(x.shape[:2])}, True for tokens that count"
            raise ValueError(f"{type(self).__name__} needs {wanted}, got {key_mask.dtype} {tuple(key_mask.shape)}")
        mask = None if key_mask is None else key_mask[:, None]
        return self.proj_drop(self._project(x, mask))

    def _project(self, x: Tensor, key_mask: Tensor | None) -> Tensor:
        heads = self.heads(x, key_mask)
        out = self.attend(heads, key_mask)
        return self.proj(out.transpose(1, 2).flatten(2).to(heads.v.dtype))

    def heads(self, x: Float[Tensor, "b n c"], key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Heads:
        """Queries, keys and values of x, mapped where this attention maps them."""
        return Heads(*(self.split(t) for t in self.qkv(x).chunk(3, dim=-1)))

    def attend(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n d"]:
        """Each head's output, before the output projection."""
        raise NotImplementedError

    def weights(self, heads: Heads, key_mask: Bool[Tensor, "b 1 n"] | None = None) -> Float[Tensor, "b h n n"]:
        """The explicit map of each head, to be looked at; a depthwise convolution's share is not in it."""
        raise NotImplementedError

    def split(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b h n d"]:
        """Split C channels into heads."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def extra_repr(self) -> str:
        """What the default representation leaves out."""
        return f"grid={self.grid}, class_token={self.class_token}, num_heads={self.num_heads}"


def full_precision(x: Tensor) -> AbstractContextManager:
    """A context without autocast: maps and sums over tokens are formed in float32, whatever surrounds them."""
    device = x.device.type
    if device == "meta" or not torch.is_autocast_enabled(device):  # there is no autocast of shapes alone
        return nullcontext()
    return torch.autocast(device_type=device, enabled=False)
