"""DeiT (Touvron et al. 2021), with any attention in any block: with "focused_dwc" in all of them it is FLatten-DeiT."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from flatten_edu.functional import DEFAULT_P
from flatten_edu.functional.checks import require_known
from flatten_edu.functional.widen import widen
from flatten_edu.nn import ATTENTIONS, Attention, Block, Mlp, PatchEmbed, make_attention

#: Last parts of names: what DeiT's recipe does not decay, besides norms and biases.
NOT_DECAYED = ("pos_embed", "cls_token", "positional_encoding", "scale")
POSITIONS = ("pos_embed", "positional_encoding")  # likewise, of learned positions


@dataclass(frozen=True)
class DeiTConfig:
    """Everything that shapes a model.

    Raises:
        ValueError: a size below 1, or a rate that is not from 0 to below 1.
    """

    dim: int  #: C, features of a token
    num_heads: int  #: h
    depth: int = 12  #: blocks
    attention: str | Sequence[str] = "softmax"  #: a kind for all blocks, or a kind per block
    img_size: int | tuple[int, int] = 224  #: pixels: a side, or height and width
    patch_size: int = 16  #: pixels
    in_chans: int = 3
    num_classes: int = 1000  #: 0: no head, the class token's features
    mlp_ratio: float = 4.0  #: hidden features of the MLP / C
    p: int | float = DEFAULT_P  #: focusing factor of focused blocks
    kernel_size: int = 5  #: of their depthwise convolution
    norm_over: Literal["channels", "head"] = "channels"  #: what the norms of f_p run over
    qkv_bias: bool = True
    pool: Literal["class", "mean"] = "class"  #: what the head sees: the class token, or the mean of the patches
    drop_rate: float = 0.0  #: dropout after embedding, projections and MLP
    drop_path_rate: float = 0.0  #: of the last block; the first has 0, those between lie on a line

    def __post_init__(self) -> None:
        for name in ("dim", "num_heads", "depth", "patch_size", "in_chans"):
            if getattr(self, name) < 1:
                raise ValueError(f"a model needs {name} of at least 1, got {getattr(self, name)}")
        for name in ("drop_rate", "drop_path_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"a model needs a {name} from 0 to below 1, got {getattr(self, name)}")
        if min(self.image) < 1:
            raise ValueError(f"a model needs images of at least one pixel, got img_size={self.img_size}")

    @property
    def image(self) -> tuple[int, int]:
        """Height and width in pixels."""
        sides = (self.img_size, self.img_size) if isinstance(self.img_size, int) else tuple(self.img_size)
        return cast(tuple[int, int], sides)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The attention of each block. Raises ValueError for an unknown kind, or not one a block."""
        kinds = (self.attention,) * self.depth if isinstance(self.attention, str) else tuple(self.attention)
        if len(kinds) != self.depth:
            raise ValueError(f"attention names {len(kinds)} kinds, but the model has {self.depth} blocks")
        return tuple(require_known("attention", kind, ATTENTIONS) for kind in kinds)


class DeiT(nn.Module):
    """A vision transformer with a class token and learned positions; parameters have timm's DeiT names.

    Raises:
        ValueError: sizes that do not fit, or an attention that is not known.
    """

    def __init__(self, config: DeiTConfig):
        super().__init__()
        self.config = config
        kinds = config.kinds
        require_known("pool", config.pool, ["class", "mean"])
        self.patch_embed = PatchEmbed(config.image, config.patch_size, config.in_chans, config.dim)
        self.grid = self.patch_embed.grid
        tokens = self.grid[0] * self.grid[1] + 1
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens, config.dim))
        self.pos_drop = nn.Dropout(config.drop_rate)
        self.grad_checkpointing = False
        rates = [config.drop_path_rate * i / max(config.depth - 1, 1) for i in range(config.depth)]
        blocks = [self._block(kind, rate) for kind, rate in zip(kinds, rates, strict=True)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.head = nn.Linear(config.dim, config.num_classes) if config.num_classes else nn.Identity()
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.apply(_initialise)

    def _block(self, kind: str, drop_path: float) -> Block:
        c = self.config
        settings = {"p": c.p, "kernel_size": c.kernel_size, "norm_over": c.norm_over}
        attn = make_attention(
            kind, c.dim, c.num_heads, self.grid, qkv_bias=c.qkv_bias, proj_drop=c.drop_rate, settings=settings
        )
        kernel_size = ATTENTIONS[kind].mlp_kernel
        mlp = Mlp(c.dim, int(c.dim * c.mlp_ratio), c.drop_rate, kernel_size=kernel_size, grid=self.grid)
        return Block(attn, mlp, drop_path)

    def forward_features(
        self, x: Float[Tensor, "b k h w"], key_mask: Bool[Tensor, "b n"] | None = None
    ) -> Float[Tensor, "b n c"]:
        """All tokens after the last block, normalised; the class token is the first. `key_mask`: see `forward`."""
        x = self.patch_embed(x)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1).to(x.dtype), x], dim=1)
        x = self.pos_drop(x + self.pos_embed)
        for block in self.blocks:
            if self.grad_checkpointing and torch.is_grad_enabled():
                x = checkpoint(block, x, key_mask, use_reentrant=False)
            else:
                x = block(x, key_mask)
        return self.norm(x)

    def forward_head(self, tokens: Float[Tensor, "b n c"], pre_logits: bool = False) -> Float[Tensor, "b classes"]:
        """Class scores from normalised tokens; with `pre_logits` what the classifier sees of them, [b, c]."""
        seen = tokens[:, 0] if self.config.pool == "class" else tokens[:, 1:].mean(1)
        return seen if pre_logits else self.head(seen)

    def forward(
        self, x: Float[Tensor, "b k h w"], key_mask: Bool[Tensor, "b n"] | None = None
    ) -> Float[Tensor, "b classes"]:
        """Class scores, before softmax.

        Args:
            key_mask: True for tokens that count as keys, the class token first, then the patches in row-major order.
        """
        return self.forward_head(self.forward_features(x, key_mask))

    def get_classifier(self) -> nn.Module:
        """The layer that gives class scores."""
        return self.head

    def reset_classifier(self, num_classes: int) -> None:
        """A new classifier, freshly initialised, for so many classes; 0 for none."""
        like = self.norm.weight
        self.head = nn.Linear(self.config.dim, num_classes) if num_classes else nn.Identity()
        self.head.apply(_initialise).to(like.device, like.dtype)
        self.config = replace(self.config, num_classes=num_classes)

    def no_weight_decay(self) -> set[str]:
        """Names of the parameters that are no matrices acting on features, which DeiT's recipe does not decay."""
        return {name for name, _ in self.named_parameters() if name.rpartition(".")[2] in NOT_DECAYED}

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Whether blocks keep their input alone for the gradient and run again for the rest: less memory, more time."""
        self.grad_checkpointing = enable

    def set_input_size(self, img_size: int | tuple[int, int]) -> None:
        """Take images of another size from now on, in pixels; learned positions are resized as `load_weights` does.

        Raises:
            ValueError: a side that the patch does not divide.
        """
        config = replace(self.config, img_size=img_size)
        before, embed = self.grid, self.patch_embed
        embed.set_input_size(config.image)
        self.config, self.grid = config, embed.grid
        for module in self.modules():
            if isinstance(module, Attention | Mlp):
                module.grid = self.grid
            for name in POSITIONS:
                if isinstance(t := getattr(module, name, None), nn.Parameter):
                    setattr(
                        module, name, nn.Parameter(resize_positions(t.detach(), before, self.grid), t.requires_grad)
                    )


def resize_positions(
    positions: Float[Tensor, "1 n c"], source: tuple[int, int], target: tuple[int, int]
) -> Float[Tensor, "1 m c"]:
    """Positions [1, 1 + cells, C] for a grid of another size; the class token's, the first, stays.

    Bicubic, and anti-aliased where the grid shrinks: without it fine waves would come out as wrong coarse ones.
    """
    if tuple(source) == tuple(target):
        return positions
    first, rest = positions[:, :1], positions[:, 1:]
    image = widen(rest.mT.unflatten(-1, source))
    shrinks = target[0] < source[0] or target[1] < source[1]
    image = F.interpolate(image, target, mode="bicubic", align_corners=False, antialias=shrinks)
    return torch.cat([first, image.flatten(2).mT.to(positions.dtype)], dim=1)


def _initialise(module: nn.Module) -> None:
    """As DeiT: truncated normals of standard deviation 0.02 and zero biases in linear layers; others as PyTorch."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _builder(name: str, default: str, dim: int, num_heads: int) -> Callable[..., DeiT]:
    def build(attention: str | Sequence[str] = default, **settings: Any) -> DeiT:
        kinds = attention if isinstance(attention, str) else tuple(attention)
        return DeiT(DeiTConfig(dim=dim, num_heads=num_heads, attention=kinds, **settings))

    build.__name__ = build.__qualname__ = name
    build.__doc__ = (
        f"A model with C = {dim}, h = {num_heads}, 12 blocks and {default} attention in each.\n\n"
        "`attention` names another kind for all blocks, or a list with one a block; the other settings, such as "
        "img_size, patch_size, in_chans, num_classes and p, are those of `DeiTConfig`."
    )
    return build


deit_tiny = _builder("deit_tiny", "softmax", 192, 3)
deit_small = _builder("deit_small", "softmax", 384, 6)
deit_base = _builder("deit_base", "softmax", 768, 12)
flatten_deit_tiny = _builder("flatten_deit_tiny", "focused_dwc", 192, 3)
flatten_deit_small = _builder("flatten_deit_small", "focused_dwc", 384, 6)
flatten_deit_base = _builder("flatten_deit_base", "focused_dwc", 768, 12)
