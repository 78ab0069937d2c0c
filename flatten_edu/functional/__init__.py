"""Level 1: pure functions on tensors. They print nothing and change no input."""

from flatten_edu.functional.attention import (
    cheaper_order,
    linear_attention,
    linear_weights,
    softmax_attention,
    softmax_weights,
)
from flatten_edu.functional.convolution import convolve_grid, depthwise_conv, dwc_matrix, wrapped_dwc_matrix
from flatten_edu.functional.cost import AttentionCost, attention_cost, multiply_adds_after
from flatten_edu.functional.feature_maps import FEATURE_MAPS, FeatureMap, attention_matrix, feature_map, unit_rows
from flatten_edu.functional.focused import (
    DEFAULT_P,
    EPS,
    FocusedSettings,
    focused_attention,
    focused_heads,
    focused_map,
    published_attention,
    sharpen,
)
from flatten_edu.functional.successors import (
    inline_weights,
    mala_weights,
    mhla_weights,
    nala_features,
    nearest_circulant,
    pola_weights,
    rala_coefficients,
    rala_weights,
)

__all__ = [
    "DEFAULT_P",
    "EPS",
    "FEATURE_MAPS",
    "AttentionCost",
    "FeatureMap",
    "FocusedSettings",
    "attention_cost",
    "attention_matrix",
    "cheaper_order",
    "convolve_grid",
    "depthwise_conv",
    "dwc_matrix",
    "feature_map",
    "focused_attention",
    "focused_heads",
    "focused_map",
    "inline_weights",
    "linear_attention",
    "linear_weights",
    "mala_weights",
    "mhla_weights",
    "multiply_adds_after",
    "nala_features",
    "nearest_circulant",
    "pola_weights",
    "published_attention",
    "rala_coefficients",
    "rala_weights",
    "sharpen",
    "softmax_attention",
    "softmax_weights",
    "unit_rows",
    "wrapped_dwc_matrix",
]
