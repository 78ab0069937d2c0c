"""Level 5: experiments of the book that train models: what attention can recall."""

from flatten_edu.experiments.inspection import KNOCK_OUTS, ObjectMass, inside_recall, knocked_out, object_mass
from flatten_edu.experiments.recall import (
    PAIRS,
    Recall,
    RecallModel,
    RecallSettings,
    evaluate_recall,
    far_pairs,
    recall_batch,
    recall_curves,
    recall_runs,
    train_recall,
)

__all__ = [
    "KNOCK_OUTS",
    "PAIRS",
    "ObjectMass",
    "Recall",
    "RecallModel",
    "RecallSettings",
    "evaluate_recall",
    "far_pairs",
    "inside_recall",
    "knocked_out",
    "object_mass",
    "recall_batch",
    "recall_curves",
    "recall_runs",
    "train_recall",
]
