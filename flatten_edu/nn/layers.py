"""The layers of a vision transformer around its attention, with DeiT's parameter names."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from flatten_edu.functional.checks import require_grid, require_odd
from flatten_edu.nn.base import Attention


class PatchEmbed(nn.Module):
    """An image as tokens: one convolution whose stride is the patch (parameters `proj.weight`, `proj.bias`).

    Raises:
        ValueError: a patch that does not divide the image; in `forward`, an image of another size.
    """

    def __init__(self, img_size: tuple[int, int], patch_size: int, in_chans: int, dim: int):
        super().__init__()
        self.patch_size = patch_size
        self.set_input_size(img_size)
        self.proj = nn.Conv2d(in_chans, dim, patch_size, stride=patch_size)

    def set_input_size(self, img_size: tuple[int, int]) -> None:
        """Take images of this size, in pixels."""
        patch = self.patch_size
        if patch < 1 or any(side < 1 or side % patch for side in img_size):
            raise ValueError(f"patch_size={patch} does not divide the image's sides {tuple(img_size)}")
        self.img_size = tuple(img_size)
        self.grid = (img_size[0] // patch, img_size[1] // patch)

    def forward(self, x: Float[Tensor, "b k h w"]) -> Float[Tensor, "b n c"]:
        """Patches in row-major order."""
        if x.shape[1:] != (self.proj.in_channels, *self.img_size):
            wanted = f"[B, {self.proj.in_channels}, {self.img_size[0]}, {self.img_size[1]}]"
            way_out = f"call model.set_input_size({tuple(x.shape[2:])})"
            raise ValueError(f"this model takes images {wanted}, got {tuple(x.shape)}: {way_out}")
        return self.proj(x).flatten(2).transpose(1, 2)


class DropPath(nn.Module):
    """Stochastic depth: in training, drop a sample's whole branch with probability `rate`, and scale the others up."""

    def __init__(self, rate: float = 0.0):
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"DropPath needs a rate from 0 to below 1, got {rate}")
        self.rate = rate

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """x itself in evaluation, or with rate 0."""
        if not self.training or self.rate == 0:
            return x
        kept = torch.rand(x.shape[0], 1, 1, device=x.device) >= self.rate
        return x * kept.to(x.dtype) / (1 - self.rate)

    def extra_repr(self) -> str:
        """The rate."""
        return f"rate={self.rate:.3g}"


class Mlp(nn.Module):
    """Linear, GELU, linear; with `kernel_size`, a depthwise convolution of the hidden cells before the GELU."""

    def __init__(
        self,
        dim: int,
        hidden: int,
        drop: float = 0.0,
        kernel_size: int | None = None,
        grid: tuple[int, int] = (1, 1),
        class_token: bool = True,
    ):
        super().__init__()
        if kernel_size is not None:
            require_odd("Mlp", [kernel_size])
        self.grid, self.class_token = grid, class_token
        self.fc1 = nn.Linear(dim, hidden)
        self.dwc = (
            nn.Conv2d(hidden, hidden, kernel_size, padding=kernel_size // 2, groups=hidden) if kernel_size else None
        )
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden, dim)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """Token by token, but for the convolution."""
        x = self.fc1(x)
        if self.dwc is not None:
            x = self._convolve(self.dwc, x)
        return self.drop(self.fc2(self.drop(self.act(x))))

    def _convolve(self, dwc: nn.Module, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        require_grid("Mlp", self.grid, x.shape[1], self.class_token)
        first, cells = x.split([int(self.class_token), x.shape[1] - self.class_token], dim=1)
        image = dwc(cells.mT.unflatten(-1, self.grid))
        return torch.cat([first, image.flatten(2).mT], dim=1)


class Block(nn.Module):
    """A transformer block, normalised before each part: x + attention(norm1 x), then x + mlp(norm2 x)."""

    def __init__(self, attn: Attention, mlp: Mlp, drop_path: float = 0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(attn.dim, eps=1e-6)
        self.attn = attn
        self.norm2 = nn.LayerNorm(attn.dim, eps=1e-6)
        self.mlp = mlp
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Float[Tensor, "b n c"], key_mask: Bool[Tensor, "b n"] | None = None) -> Float[Tensor, "b n c"]:
        """Tokens in, tokens out."""
        x = x + self.drop_path(self.attn(self.norm1(x), key_mask))
        return x + self.drop_path(self.mlp(self.norm2(x)))
