"""Level 4: looking inside a model, and measures of what is found there. Measures take tensors, never models."""

from flatten_edu.analysis.capture import Captured, capture
from flatten_edu.analysis.maps import attention_rollout, equivalent_map
from flatten_edu.analysis.metrics import (
    angle_degrees,
    angles_by_group,
    entropy_bits,
    largest_coordinate,
    pairwise_angles,
    top1_share,
)
from flatten_edu.analysis.rank import (
    DeterminantLemma,
    RankGuarantee,
    determinant_lemma,
    effective_rank,
    numerical_rank,
    rank_guarantee,
    rank_tolerance,
    spectrum,
    stable_rank,
)
from flatten_edu.analysis.rank_case import NAMED_KERNELS, RankMaps, focused_heads, named_kernel, rank_maps

__all__ = [
    "NAMED_KERNELS",
    "Captured",
    "DeterminantLemma",
    "RankGuarantee",
    "RankMaps",
    "angle_degrees",
    "angles_by_group",
    "attention_rollout",
    "capture",
    "determinant_lemma",
    "effective_rank",
    "entropy_bits",
    "equivalent_map",
    "focused_heads",
    "largest_coordinate",
    "named_kernel",
    "numerical_rank",
    "pairwise_angles",
    "rank_guarantee",
    "rank_maps",
    "rank_tolerance",
    "spectrum",
    "stable_rank",
    "top1_share",
]
