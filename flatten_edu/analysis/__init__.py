"""Level 4: looking inside a model, and measures of what is found there. Measures take tensors, never models."""

from flatten_edu.analysis.capture import Captured, capture
from flatten_edu.analysis.maps import attention_rollout, equivalent_map, refocused, value_weighted, what_if_map
from flatten_edu.analysis.metrics import (
    angle_degrees,
    angles_by_group,
    entropy_bits,
    largest_coordinate,
    magnitude_share,
    pairwise_angles,
    top1_share,
)
from flatten_edu.analysis.rank import (
    RankGuarantee,
    effective_rank,
    numerical_rank,
    rank_guarantee,
    rank_tolerance,
    spectrum,
    stable_rank,
)

__all__ = [
    "Captured",
    "RankGuarantee",
    "angle_degrees",
    "angles_by_group",
    "attention_rollout",
    "capture",
    "effective_rank",
    "entropy_bits",
    "equivalent_map",
    "largest_coordinate",
    "magnitude_share",
    "numerical_rank",
    "pairwise_angles",
    "rank_guarantee",
    "rank_tolerance",
    "refocused",
    "spectrum",
    "stable_rank",
    "top1_share",
    "value_weighted",
    "what_if_map",
]
