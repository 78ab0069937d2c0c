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
from flatten_edu.analysis.proposition import Verdict, focused_cosine, proposition, widens_at_first
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
    "Verdict",
    "angle_degrees",
    "angles_by_group",
    "attention_rollout",
    "capture",
    "effective_rank",
    "entropy_bits",
    "equivalent_map",
    "focused_cosine",
    "largest_coordinate",
    "numerical_rank",
    "pairwise_angles",
    "proposition",
    "rank_guarantee",
    "rank_tolerance",
    "spectrum",
    "stable_rank",
    "top1_share",
    "widens_at_first",
]
