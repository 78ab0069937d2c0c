"""Level 2: modules. Attention of every kind by name, and the layers of a vision transformer."""

from flatten_edu.nn.attention import LinearAttention, SoftmaxAttention
from flatten_edu.nn.base import Attention, Heads
from flatten_edu.nn.focused import ConvolutionAlone, FocusedLinearAttention, NoAttention, ScaledSoftmaxAttention
from flatten_edu.nn.layers import Block, DropPath, Mlp, PatchEmbed
from flatten_edu.nn.rivals import HydraAttention, LinearAngularAttention
from flatten_edu.nn.table import ATTENTIONS, make_attention

__all__ = [
    "ATTENTIONS",
    "Attention",
    "Block",
    "ConvolutionAlone",
    "DropPath",
    "FocusedLinearAttention",
    "Heads",
    "HydraAttention",
    "LinearAngularAttention",
    "LinearAttention",
    "Mlp",
    "NoAttention",
    "PatchEmbed",
    "ScaledSoftmaxAttention",
    "SoftmaxAttention",
    "make_attention",
]
