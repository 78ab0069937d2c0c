"""The paper's module in the order of operations of the authors' public code. It calls nothing of ours."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def published_attention(
    x: Float[Tensor, "b n c"],
    qkv: Callable[[Tensor], Tensor],
    dwc: Callable[[Tensor], Tensor] | None,
    proj: Callable[[Tensor], Tensor],
    positional_encoding: Float[Tensor, "1 n c"],
    scale: Float[Tensor, "1 1 c"],
    num_heads: int,
    grid: tuple[int, int],
    p: int | float,
    class_token: bool = False,
    fp16_fix: bool = True,
) -> Float[Tensor, "b n c"]:
    """Equations 5, 6 and 12 of Han et al. 2023, and what the code adds to them. On two-sided grids.

    Args:
        qkv, dwc, proj: the module's layers. scale: before its softplus.
        fp16_fix: the authors' change of May 2024 (K^T V from k / sqrt(N) and v / sqrt(N), the denominator from the
            mean key), with the division by the row's largest entry where p > 6. Without it half precision overflows.
    """
    batch, n, channels = x.shape
    q, k, v = qkv(x).chunk(3, dim=-1)
    k = k + positional_encoding
    scale = F.softplus(scale)
    q = (F.relu(q) + 1e-6) / scale
    k = (F.relu(k) + 1e-6) / scale
    q_length = q.norm(dim=-1, keepdim=True)  # over all C channels: heads are split afterwards
    k_length = k.norm(dim=-1, keepdim=True)
    if fp16_fix and p > 6:
        q = q / q.amax(dim=-1, keepdim=True)
        k = k / k.amax(dim=-1, keepdim=True)
    q = q**p
    k = k**p
    q = q / q.norm(dim=-1, keepdim=True) * q_length
    k = k / k.norm(dim=-1, keepdim=True) * k_length
    q, k, v = (t.reshape(batch, n, num_heads, -1).transpose(1, 2).flatten(0, 1) for t in (q, k, v))  # [B h, N, d]
    if fp16_fix:
        z = 1 / (q @ k.mean(dim=-2, keepdim=True).mT + 1e-6)
        out = q @ ((k.mT * n**-0.5) @ (v * n**-0.5)) * z
    else:
        z = 1 / (q @ k.sum(dim=-2, keepdim=True).mT + 1e-6)
        out = q @ (k.mT @ v) * z
    if dwc is not None:
        cells = v[:, 1:] if class_token else v  # the class token belongs to no cell of the grid
        local = dwc(cells.mT.reshape(len(v), -1, *grid)).flatten(2).mT
        out = out + (F.pad(local, (0, 0, 1, 0)) if class_token else local)
    out = out.unflatten(0, (batch, num_heads)).transpose(1, 2).reshape(batch, n, channels)
    return proj(out)
