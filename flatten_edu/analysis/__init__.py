"""Level 4: looking inside a model, and measures of what is found there. Measures take tensors, never models."""

from flatten_edu.analysis.capture import Captured, capture
from flatten_edu.analysis.formats import (
    Fixes,
    StoredRange,
    focused_steps,
    output_error,
    round_to,
    stored_range,
)
from flatten_edu.analysis.intervals import bootstrap_interval, mcnemar, seed_interval
from flatten_edu.analysis.maps import equivalent_map, refocused, value_weighted, what_if_map
from flatten_edu.analysis.metrics import (
    angle_degrees,
    entropy_bits,
    largest_coordinate,
    magnitude_share,
    sign_shares,
    top1_share,
)
from flatten_edu.analysis.objects import object_patches
from flatten_edu.analysis.proposition import Verdict, focused_cosine, proposition, widens_at_first
from flatten_edu.analysis.rank import (
    DeterminantLemma,
    RankGuarantee,
    RankSummary,
    determinant_lemma,
    effective_rank,
    numerical_rank,
    rank_guarantee,
    rank_summary,
    rank_tolerance,
    spectrum,
    stable_rank,
)
from flatten_edu.analysis.rank_case import NAMED_KERNELS, RankMaps, named_kernel, rank_maps
from flatten_edu.analysis.recall import Recall, recall
from flatten_edu.analysis.recall_bound import correlation_bound, free_codes, recall_bound
from flatten_edu.analysis.sharpness import crossing_scale, scaled_softmax_weights

__all__ = [
    "NAMED_KERNELS",
    "Captured",
    "DeterminantLemma",
    "Fixes",
    "RankGuarantee",
    "RankMaps",
    "RankSummary",
    "Recall",
    "StoredRange",
    "Verdict",
    "angle_degrees",
    "bootstrap_interval",
    "capture",
    "correlation_bound",
    "crossing_scale",
    "determinant_lemma",
    "effective_rank",
    "entropy_bits",
    "equivalent_map",
    "focused_cosine",
    "focused_steps",
    "free_codes",
    "largest_coordinate",
    "magnitude_share",
    "mcnemar",
    "named_kernel",
    "numerical_rank",
    "object_patches",
    "output_error",
    "proposition",
    "rank_guarantee",
    "rank_maps",
    "rank_summary",
    "rank_tolerance",
    "recall",
    "recall_bound",
    "refocused",
    "round_to",
    "scaled_softmax_weights",
    "seed_interval",
    "sign_shares",
    "spectrum",
    "stable_rank",
    "stored_range",
    "top1_share",
    "value_weighted",
    "what_if_map",
    "widens_at_first",
]
