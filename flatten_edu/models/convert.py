"""Put an attention of this library into a model of your own: what it has is replaced, its projections' weights stay."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from flatten_edu.functional.checks import require_known
from flatten_edu.nn import ATTENTIONS, Attention, make_attention


@dataclass(frozen=True)
class Found:
    """An attention of some library: its projections, and how it is called."""

    kind: str  # "nn.MultiheadAttention", say
    dim: int
    num_heads: int
    qkv: tuple[Tensor, Tensor | None]  # weight [3 C, C] and bias [3 C]
    proj: tuple[Tensor, Tensor | None]
    replace: Callable[[Attention], nn.Module]  # how ours is called in its place


def convert(
    model: nn.Module,
    kind: str = "focused_dwc",
    grid: tuple[int, ...] = (14, 14),
    class_token: bool = True,
    blocks: Iterable[int] | None = None,
    **settings: Any,
) -> list[str]:
    """Replace a model's self-attention, in place, by a kind of this library.

    Known are `nn.MultiheadAttention` (also inside `nn.TransformerEncoder`), attention as timm has it (`qkv`, `proj`,
    `num_heads`), and separate layers `query`, `key`, `value` or `q_proj`, `k_proj`, `v_proj` as Hugging Face's vision
    transformers have them. Weights of the projections are kept, and so is what they are wrapped in; what the new kind
    adds starts as it does in a new module. The model runs, and must be trained further.

    Args:
        kind: a name in `ATTENTIONS`.
        grid: the tokens' grid, row-major. class_token: whether one token stands in front of it.
        blocks: which of the attentions, counted from 0 in the model's order; None for all.
        settings: p, kernel_size, norm_over, as the kind takes them.

    Returns:
        What was replaced, a line each: "encoder.layers.0.self_attn: nn.MultiheadAttention -> focused_dwc".

    Raises:
        ValueError: an unknown kind, no attention that is known, a block that is not there, or an attention that no
            kind here can stand for (keys of another width, keys of its own, a causal one); nothing is replaced then.
    """
    require_known("attention", kind, ATTENTIONS)
    inside = ((name, module) for name, module in model.named_modules() if name)  # a model cannot replace itself
    places = {name: found for name, module in inside if (found := _recognise(name, module))}
    if not places:
        known = "nn.MultiheadAttention, timm's qkv and proj, or separate query, key and value layers"
        raise ValueError(f"convert found no attention in {type(model).__name__}: it knows {known}")
    names = list(places)
    wanted = range(len(names)) if blocks is None else list(blocks)
    if wrong := [i for i in wanted if not 0 <= i < len(names)]:
        raise ValueError(f"there is no block {wrong[0]}: {type(model).__name__} has {len(names)} attentions, from 0 on")
    made = {names[i]: _made(kind, places[names[i]], grid, class_token, settings) for i in wanted}
    for name, module in made.items():
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, module)
    return [f"{name}: {places[name].kind} -> {kind}" for name in made]


def _made(kind: str, found: Found, grid: tuple[int, ...], class_token: bool, settings: dict[str, Any]) -> nn.Module:
    weight, bias = found.qkv
    with torch.random.fork_rng(devices=[]):
        attention = make_attention(
            kind, found.dim, found.num_heads, grid, class_token, qkv_bias=bias is not None, settings=settings
        )
    attention = attention.to(weight.device, weight.dtype)
    with torch.no_grad():
        values = weight.chunk(3)[2], None if bias is None else bias.chunk(3)[2]  # all that the convolution alone has
        for name, (its_weight, its_bias) in {"qkv": found.qkv, "v": values, "proj": found.proj}.items():
            layer = getattr(attention, name, None)
            if isinstance(layer, nn.Linear):
                layer.weight.copy_(its_weight)
                if layer.bias is not None:
                    layer.bias.zero_() if its_bias is None else layer.bias.copy_(its_bias)
    return found.replace(attention)


def _recognise(name: str, module: nn.Module) -> Found | None:
    if isinstance(module, nn.MultiheadAttention):
        return _multihead(name, module)
    layers: dict[str, Any] = dict(module.named_children())
    if isinstance(module, Attention) or isinstance(layers.get("attention"), nn.Module):
        return None  # ours already; or one around another, which is found by itself
    if {"qkv", "proj"} <= layers.keys() and hasattr(module, "num_heads"):
        qkv, proj, heads = layers["qkv"], layers["proj"], cast(int, module.num_heads)
        weights = (qkv.weight, qkv.bias), (proj.weight, proj.bias)
        return Found("timm's Attention", proj.in_features, heads, *weights, lambda ours: ours)
    for names in (("query", "key", "value"), ("q_proj", "k_proj", "v_proj")):
        if set(names) <= layers.keys() and all(isinstance(layers[n], nn.Linear) for n in names):
            return _separate(name, module, [layers[n] for n in names])
    return None


def _multihead(name: str, module: nn.MultiheadAttention) -> Found:
    if module.in_proj_weight is None:
        raise ValueError(f"{name} attends to keys of another width than its queries: no kind here does")
    if module.bias_k is not None or module.add_zero_attn:
        raise ValueError(f"{name} adds keys of its own (add_bias_kv or add_zero_attn): no kind here does")
    weights = (module.in_proj_weight, module.in_proj_bias), (module.out_proj.weight, module.out_proj.bias)
    made = partial(AsMultihead, batch_first=module.batch_first)
    return Found("nn.MultiheadAttention", module.embed_dim, module.num_heads, *weights, made)


def _separate(name: str, module: nn.Module, layers: list[nn.Linear]) -> Found:
    """Hugging Face's: the output's projection lies here (`o_proj`, `out_proj`), or in the module around."""
    q, k, v = layers
    if not q.weight.shape == k.weight.shape == v.weight.shape or q.in_features != q.out_features:
        raise ValueError(f"{name} has projections of several shapes (grouped or cross-attention): no kind here does")
    heads = next((getattr(module, n) for n in ("num_attention_heads", "num_heads") if hasattr(module, n)), None)
    heads = heads or getattr(getattr(module, "config", None), "num_attention_heads", None)
    if heads is None:
        raise ValueError(f"{name} does not say how many heads it has (num_heads or num_attention_heads)")
    weight = torch.cat([layer.weight for layer in layers])
    bias = None if q.bias is None else torch.cat([layer.bias for layer in layers])
    if getattr(module, "is_causal", False):
        raise ValueError(f"{name} is causal: no kind here is")
    own = next((getattr(module, n) for n in ("o_proj", "out_proj", "dense") if hasattr(module, n)), None)
    eye = torch.eye(q.in_features, device=weight.device, dtype=weight.dtype)
    proj = (eye, None) if own is None else (own.weight, own.bias)  # projected in the module around, after ours
    return Found("query, key and value layers", q.in_features, heads, (weight, bias), proj, AsHuggingFace)


class AsMultihead(nn.Module):
    """One of our attentions, called as `nn.MultiheadAttention` is; it gives no weights back.

    Raises:
        ValueError: in `forward`, keys or values that are not the queries, or a mask between tokens (a causal one, say).
    """

    def __init__(self, attention: Attention, batch_first: bool):
        super().__init__()
        self.attention, self.batch_first = attention, batch_first
        # What nn.TransformerEncoderLayer asks before it takes a kernel of its own: no. It then calls this module.
        self.in_proj_bias, self._qkv_same_embed_dim = None, False

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, None]:
        """[B, N, C] or, without batch_first, [N, B, C]; `key_padding_mask` is True (or -inf) for keys to leave out."""
        if not (query is key is value):
            raise ValueError("this attention is of tokens among themselves: query, key and value must be one tensor")
        if attn_mask is not None or is_causal:
            raise ValueError("this attention takes no mask between tokens (a causal one, say), only key_padding_mask")
        mask = None if key_padding_mask is None else key_padding_mask == 0
        x = query if self.batch_first else query.transpose(0, 1)
        out = self.attention(x, mask)
        return (out if self.batch_first else out.transpose(0, 1)), None


class AsHuggingFace(nn.Module):
    """One of our attentions, called as self-attention of Hugging Face's vision transformers is."""

    def __init__(self, attention: Attention):
        super().__init__()
        self.attention = attention

    def forward(self, hidden_states: Tensor, *args: Any, **settings: Any) -> tuple[Tensor, None]:
        """[B, N, C]. Raises ValueError for what would be left out in silence, and for weights, which are never formed.

        That is a mask, rotary positions (a tuple of tensors), keys of an earlier call, or other tokens as keys.
        """
        given = {f"argument {i}": value for i, value in enumerate(args, 2)} | settings
        for name, value in given.items():
            if isinstance(value, (Tensor, tuple, list)) or (value is not None and name.startswith("past_key")):
                raise ValueError(f"this attention, in a converted model, takes tokens alone: no mask, got {name}")
        if settings.get("output_attentions"):
            raise ValueError("this attention forms no weights: look into it with flatten_edu.analysis.capture")
        return self.attention(hidden_states), None
