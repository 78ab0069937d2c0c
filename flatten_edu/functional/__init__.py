"""Level 1: pure functions on tensors. They print nothing and change no input."""

from flatten_edu.functional.attention import (
    attention_matrix,
    cheaper_order,
    linear_attention,
    linear_weights,
    softmax_attention,
    softmax_weights,
)
from flatten_edu.functional.convolution import depthwise_conv, dwc_matrix, wrapped_dwc_matrix
from flatten_edu.functional.cost import AttentionCost, attention_cost, multiply_adds_after
from flatten_edu.functional.feature_maps import FEATURE_MAPS, FeatureMap, feature_map, focused_map, sharpen, unit_rows
from flatten_edu.functional.focused import focused_attention
from flatten_edu.functional.pieces import FocusedShape
from flatten_edu.functional.successors import (
    inline_attention,
    inline_weights,
    mala_attention,
    mala_weights,
    pola_attention,
    pola_weights,
    polarise,
    rala_attention,
    rala_coefficients,
    rala_weights,
)

__all__ = [
    "FEATURE_MAPS",
    "AttentionCost",
    "FeatureMap",
    "FocusedShape",
    "attention_cost",
    "attention_matrix",
    "cheaper_order",
    "depthwise_conv",
    "dwc_matrix",
    "feature_map",
    "focused_attention",
    "focused_map",
    "inline_attention",
    "inline_weights",
    "linear_attention",
    "linear_weights",
    "mala_attention",
    "mala_weights",
    "multiply_adds_after",
    "pola_attention",
    "pola_weights",
    "polarise",
    "rala_attention",
    "rala_coefficients",
    "rala_weights",
    "sharpen",
    "softmax_attention",
    "softmax_weights",
    "unit_rows",
    "wrapped_dwc_matrix",
]
