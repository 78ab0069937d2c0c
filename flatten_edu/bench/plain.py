"""Focused linear attention as the authors' public code orders it: what our own is timed against."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class PlainFocusedAttention(nn.Module):
    """The paper's module, one operation after another: equations 5, 6 and 12, and what the code adds to them.

    Norms run over all C channels before the split into heads; K^T V is formed from k / sqrt(N) and v / sqrt(N); heads
    are folded into the batch, and one convolution serves them all. Parameters have the names and shapes of
    `FocusedLinearAttention` without a class token, so that a state dict fits both; outputs are the same to rounding.

    Args:
        dim: C, features of a token. num_heads: h, which divides C. grid: rows and columns of the tokens.
        p: focusing factor. kernel_size: of the depthwise convolution, odd.
    """

    def __init__(self, dim: int, num_heads: int, grid: tuple[int, int], p: int | float = 3, kernel_size: int = 5):
        super().__init__()
        self.num_heads, self.grid, self.p = num_heads, grid, p
        d = dim // num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.dwc = nn.Conv2d(d, d, kernel_size, padding=kernel_size // 2, groups=d)
        self.scale = nn.Parameter(torch.zeros(1, 1, dim))
        self.positional_encoding = nn.Parameter(torch.zeros(1, grid[0] * grid[1], dim))

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """Tokens in, tokens out."""
        n = x.shape[1]
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        k = k + self.positional_encoding
        scale = F.softplus(self.scale)
        q = (F.relu(q) + 1e-6) / scale
        k = (F.relu(k) + 1e-6) / scale
        q_length = q.norm(dim=-1, keepdim=True)
        k_length = k.norm(dim=-1, keepdim=True)
        if self.p > 6:  # or the powers would leave half precision's range
            q = q / q.amax(dim=-1, keepdim=True)
            k = k / k.amax(dim=-1, keepdim=True)
        q = q**self.p
        k = k**self.p
        q = q / q.norm(dim=-1, keepdim=True) * q_length
        k = k / k.norm(dim=-1, keepdim=True) * k_length
        q, k, v = self._fold(q), self._fold(k), self._fold(v)
        z = 1 / (q @ k.mean(dim=-2, keepdim=True).transpose(-2, -1) + 1e-6)
        kv = (k.transpose(-2, -1) * n**-0.5) @ (v * n**-0.5)
        out = q @ kv * z
        image = v.transpose(1, 2).reshape(v.shape[0], v.shape[2], *self.grid)
        out = out + self.dwc(image).flatten(2).transpose(1, 2)
        out = out.unflatten(0, (-1, self.num_heads)).transpose(1, 2).reshape(x.shape)
        return self.proj(out)

    def _fold(self, t: Float[Tensor, "b n c"]) -> Float[Tensor, "bh n d"]:
        """Heads into the batch."""
        return t.unflatten(-1, (self.num_heads, -1)).transpose(1, 2).flatten(0, 1)
