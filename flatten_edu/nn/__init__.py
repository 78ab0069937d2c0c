"""Level 2: modules. Attention of every kind by name, and the layers of a vision transformer."""

from flatten_edu.nn.attention import FocusedLinearAttention, LinearAttention, SoftmaxAttention
from flatten_edu.nn.base import Attention, Heads
from flatten_edu.nn.layers import Block, DropPath, Mlp, PatchEmbed
from flatten_edu.nn.rivals import EfficientAttention, EnhancedLinearAttention, HydraAttention, LinearAngularAttention
from flatten_edu.nn.table import ATTENTIONS, make_attention

__all__ = [
    "ATTENTIONS",
    "Attention",
    "Block",
    "DropPath",
    "EfficientAttention",
    "EnhancedLinearAttention",
    "FocusedLinearAttention",
    "Heads",
    "HydraAttention",
    "LinearAngularAttention",
    "LinearAttention",
    "Mlp",
    "PatchEmbed",
    "SoftmaxAttention",
    "make_attention",
]
