"""Level 5: experiments of the book that train models: what attention can recall."""

from flatten_edu.experiments.recall import (
    PAIRS,
    Recall,
    RecallModel,
    RecallSettings,
    evaluate_recall,
    far_pairs,
    recall_batch,
    train_recall,
)

__all__ = [
    "PAIRS",
    "Recall",
    "RecallModel",
    "RecallSettings",
    "evaluate_recall",
    "far_pairs",
    "recall_batch",
    "train_recall",
]
