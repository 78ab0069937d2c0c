"""The paper's module, focused linear attention, and its relatives that leave one part out or exchange it."""

from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from flatten_edu.functional import (
    DEFAULT_P,
    EPS,
    FocusedSettings,
    convolve_grid,
    focused_heads,
    linear_attention,
    linear_weights,
    published_attention,
    softmax_attention,
    softmax_weights,
)
from flatten_edu.functional.checks import require_focusing_factor, require_known, require_odd
from flatten_edu.functional.widen import widen
from flatten_edu.nn.base import Attention, Heads, full_precision, mapped

BACKENDS = ("steps", "published", "triton")
_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
Mask = Bool[Tensor, "b 1 n"]


def _depthwise(d: int, kernel_size: int, grid: tuple[int, ...]) -> nn.Module:
    require_odd("the depthwise convolution", [kernel_size])
    return _CONVOLUTIONS[len(grid)](d, d, kernel_size, padding=kernel_size // 2, groups=d)


class _WithConvolution(Attention):
    """Attention of any kind, plus a depthwise convolution of the values where `dwc` is one."""

    dwc: nn.Module | None

    def attend(self, heads: Heads, key_mask: Mask | None = None) -> Float[Tensor, "b h n d"]:
        """The heads' sums, and the convolution of the values."""
        out = self.sums(heads, key_mask)
        return out if self.dwc is None else out + self._local(self.dwc, heads.v, key_mask)

    def sums(self, heads: Heads, key_mask: Mask | None) -> Float[Tensor, "b h n d"]:
        """What attention alone gives."""
        raise NotImplementedError

    def _local(self, dwc: nn.Module, v: Tensor, key_mask: Mask | None) -> Tensor:
        """The convolution of the values: one kernel per channel of a head, for all heads."""
        if key_mask is not None:
            v = v.masked_fill(~key_mask[..., None], 0)
        return convolve_grid(dwc, v.flatten(0, 1), self.grid, self.class_token).unflatten(0, (-1, self.num_heads))


class _PositionedAttention(_WithConvolution):
    """What the authors' code adds around the equation, whatever the map: positions of keys, a scale, a convolution."""

    def __init__(self, *args: Any, kernel_size: int = 5, dwc: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.positional_encoding = nn.Parameter(torch.zeros(1, self.tokens, self.dim))
        self.scale = nn.Parameter(torch.zeros(1, 1, self.dim))
        self.dwc = _depthwise(self.head_dim, kernel_size, self.grid) if dwc else None

    def _queries_keys_values(self, x: Tensor) -> tuple[Tensor, ...]:
        """[B, N, C] each; keys carry their positions. And the scale, positive."""
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return q, k + self.positional_encoding.to(k.dtype), v, F.softplus(widen(self.scale))


class FocusedLinearAttention(_PositionedAttention):
    r"""The paper's module, :math:`O = \phi_p(Q)\phi_p(K)^\top V + \mathrm{DWC}(V)`: equation 12, as the code has it.

    Beyond the equation, after the authors' code: keys get a learned positional encoding; both are divided by
    softplus(scale), one learned number per channel; the norms of f_p run over all C channels, before the split into
    heads; one depthwise convolution, with bias, serves all heads; a class token takes no part in it. Parameters have
    the names and shapes of the authors' FLatten-DeiT. The layers `qkv`, `dwc` and `proj` are called as modules.

    Args:
        p: focusing factor, any number above 0; 1 is plain ReLU.
        kernel_size: of the depthwise convolution, odd.
        dwc: whether there is one.
        norm_over: "channels" as the code has it, or "head" as equation 6 reads.
        backend: "steps" for every use; "published" is the authors' order of operations; "triton" has kernels for an
            NVIDIA GPU, which no GPU has timed yet (`python -m flatten_edu bench --device cuda` does).
        args, kwargs: as `Attention` takes them.

    Raises:
        ValueError: an even kernel, an unknown norm_over or backend, p <= 0, heads that do not divide dim; in
            `forward`, what a backend other than "steps" cannot do.
    """

    def __init__(
        self,
        *args: Any,
        p: int | float = DEFAULT_P,
        norm_over: Literal["channels", "head"] = "channels",
        backend: str = "steps",
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        require_known("backend", backend, BACKENDS)
        require_focusing_factor(type(self).__name__, p)
        if norm_over not in ("channels", "head"):
            raise ValueError(f"norm_over is 'channels' or 'head', got {norm_over!r}")
        if backend != "steps" and norm_over == "head":
            raise ValueError(f'backend "{backend}" maps over all channels: it has no norm_over="head"')
        self.p, self.norm_over, self.backend = p, norm_over, backend

    @property
    def settings(self) -> FocusedSettings:
        """What `focused_heads` wants to know."""
        return FocusedSettings(self.num_heads, self.p, self.norm_over)

    def heads(self, x: Float[Tensor, "b n c"], key_mask: Mask | None = None) -> Heads:
        """With phi_p of queries and keys; k carries its positional encoding."""
        q, k, v, scale = self._queries_keys_values(x)
        with full_precision(x):
            phi_q, phi_k = focused_heads(q, scale, self.settings), focused_heads(k, scale, self.settings)
        return Heads(self.split(q), self.split(k), self.split(v), phi_q, phi_k)

    def sums(self, heads: Heads, key_mask: Mask | None = None) -> Float[Tensor, "b h n d"]:
        """phi_p(Q) (phi_p(K)^T V), rows divided by their sums; O(N d^2) per head."""
        # Heads as so many images: a compiler then writes them where a product of matrices wants them.
        phi_q, phi_k, v = (t.flatten(0, 1) for t in (*mapped(heads), heads.v))
        mask = None if key_mask is None else key_mask.expand(*heads.v.shape[:2], -1).flatten(0, 1)
        with full_precision(v):
            return linear_attention(phi_q, phi_k, widen(v), mask, eps=EPS).unflatten(0, (-1, self.num_heads))

    def weights(self, heads: Heads, key_mask: Mask | None = None) -> Float[Tensor, "b h n n"]:
        """phi_p(Q) phi_p(K)^T rows divided by their sums and eps; `equivalent_map` adds the convolution's share."""
        return linear_weights(*mapped(heads), key_mask, eps=EPS)

    def _project(self, x: Tensor, key_mask: Tensor | None) -> Tensor:
        if self.backend == "steps":
            return super()._project(x, key_mask)
        if key_mask is not None:
            raise ValueError(f'backend "{self.backend}" takes no key_mask: make the module with backend="steps"')
        return self._published(x) if self.backend == "published" else self._triton(x)

    def _published(self, x: Tensor) -> Tensor:
        if len(self.grid) != 2:
            raise ValueError(f'backend "published" needs a grid of two sides, got {self.grid}')
        layers = (self.qkv, self.dwc, self.proj, self.positional_encoding, self.scale)
        return published_attention(x, *layers, self.num_heads, self.grid, self.p, self.class_token)

    def _triton(self, x: Tensor) -> Tensor:
        from flatten_edu.functional.focused.triton import focused_attention_triton

        q, k, v = self.qkv(x).chunk(3, dim=-1)
        scale, position = F.softplus(widen(self.scale)).flatten(), widen(self.positional_encoding)
        out = focused_attention_triton(q, k, v, scale, position, self.num_heads, self.p, EPS)
        if self.dwc is not None:
            local = convolve_grid(self.dwc, self.split(v), self.grid, self.class_token)
            out = out + local.transpose(1, 2).flatten(2)
        return self.proj(out)

    def extra_repr(self) -> str:
        """With the module's own settings."""
        return f"{super().extra_repr()}, p={self.p}, norm_over={self.norm_over!r}"


class ScaledSoftmaxAttention(_PositionedAttention):
    """Softmax attention with all that the paper's module adds around its map: what a fair comparison needs.

    Keys get the learned positional encoding, queries and keys are divided by softplus(scale), and the depthwise
    convolution of the values is added, where `dwc` says so. Parameters are those of `FocusedLinearAttention`.
    """

    def heads(self, x: Float[Tensor, "b n c"], key_mask: Mask | None = None) -> Heads:
        """Queries and keys divided by the scale."""
        q, k, v, scale = self._queries_keys_values(x)
        return Heads(*(self.split(t) for t in (q / scale.to(q.dtype), k / scale.to(k.dtype), v)))

    def sums(self, heads: Heads, key_mask: Mask | None = None) -> Float[Tensor, "b h n d"]:
        """O(N^2 d) per head."""
        return softmax_attention(heads.q, heads.k, heads.v, key_mask)

    def weights(self, heads: Heads, key_mask: Mask | None = None) -> Float[Tensor, "b h n n"]:
        """softmax(Q K^T / sqrt d)."""
        return softmax_weights(heads.q, heads.k, key_mask)


class ConvolutionAlone(_WithConvolution):
    """No attention: the depthwise convolution of the values between two projections. What does it do alone?

    It has no queries and keys, so no parameter of it is without use: `v` and `proj` are the projections.
    """

    def __init__(self, *args: Any, kernel_size: int = 5, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.v = nn.Linear(self.dim, self.dim, bias=self.qkv.bias is not None)
        del self.qkv
        self.dwc = _depthwise(self.head_dim, kernel_size, self.grid)

    def heads(self, x: Float[Tensor, "b n c"], key_mask: Mask | None = None) -> Heads:
        """Values; queries and keys have no features."""
        v = self.split(self.v(x))
        return Heads(v[..., :0], v[..., :0], v)

    def attend(self, heads: Heads, key_mask: Mask | None = None) -> Float[Tensor, "b h n d"]:
        """The convolution of the values; the values themselves where there is none."""
        return heads.v if self.dwc is None else self._local(self.dwc, heads.v, key_mask)

    def weights(self, heads: Heads, key_mask: Mask | None = None) -> Float[Tensor, "b h n n"]:
        """Zeros."""
        return heads.v.new_zeros(*heads.v.shape[:3], heads.v.shape[2])


class NoAttention(ConvolutionAlone):
    """Neither attention nor convolution: zeros. Tokens of a model with it never meet. It has no parameters."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        del self.v, self.proj
        self.dwc = None

    def heads(self, x: Float[Tensor, "b n c"], key_mask: Mask | None = None) -> Heads:
        """Zeros."""
        zeros = self.split(torch.zeros_like(x))
        return Heads(zeros[..., :0], zeros[..., :0], zeros)

    def _project(self, x: Tensor, key_mask: Tensor | None) -> Tensor:
        return torch.zeros_like(x)
