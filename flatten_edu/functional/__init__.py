"""Level 1: pure functions on tensors. They print nothing and change no input."""

from flatten_edu.functional.attention import linear_weights, softmax_weights
from flatten_edu.functional.feature_maps import focused_map

__all__ = ["focused_map", "linear_weights", "softmax_weights"]
