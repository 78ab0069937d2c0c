"""Later linear attentions, each as an explicit map and evaluated without one: what each changed, without the rest.

Their modules have more: InLine a local residual, PolaFormer a gate and a depthwise convolution, RALA, MALA and
NaLaFormer these two and rotary positions, circulant attention a gate. Shapes are those of `attention`: phi_q
[..., n, f], phi_k [..., m, f], v [..., m, e]. None takes a mask. Book: the chapter "What came after".
"""

from flatten_edu.functional.successors.blocks import mhla_attention, mhla_features, mhla_weights
from flatten_edu.functional.successors.circulant import (
    circulant_attention,
    circulant_row,
    circulant_weights,
    nearest_circulant,
)
from flatten_edu.functional.successors.polar import nala_features, pola_attention, pola_weights, polarise
from flatten_edu.functional.successors.rala import rala_attention, rala_coefficients, rala_weights
from flatten_edu.functional.successors.rotary import rotary
from flatten_edu.functional.successors.signed import inline_attention, inline_weights, mala_attention, mala_weights

__all__ = [
    "circulant_attention",
    "circulant_row",
    "circulant_weights",
    "inline_attention",
    "inline_weights",
    "mala_attention",
    "mala_weights",
    "mhla_attention",
    "mhla_features",
    "mhla_weights",
    "nala_features",
    "nearest_circulant",
    "pola_attention",
    "pola_weights",
    "polarise",
    "rala_attention",
    "rala_coefficients",
    "rala_weights",
    "rotary",
]
