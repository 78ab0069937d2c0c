"""Level 3: DeiT and FLatten-DeiT, and how weights get in and out."""

from flatten_edu.models.convert import convert
from flatten_edu.models.deit import (
    DeiT,
    DeiTConfig,
    deit_base,
    deit_small,
    deit_tiny,
    flatten_deit_base,
    flatten_deit_small,
    flatten_deit_tiny,
)
from flatten_edu.models.describe import count_parameters, describe, live_parameters
from flatten_edu.models.pretrained import card, config_of, pretrained, pretrained_names
from flatten_edu.models.weights import load_weights, save_weights

__all__ = [
    "DeiT",
    "DeiTConfig",
    "card",
    "config_of",
    "convert",
    "count_parameters",
    "deit_base",
    "deit_small",
    "deit_tiny",
    "describe",
    "flatten_deit_base",
    "flatten_deit_small",
    "flatten_deit_tiny",
    "live_parameters",
    "load_weights",
    "pretrained",
    "pretrained_names",
    "save_weights",
]
