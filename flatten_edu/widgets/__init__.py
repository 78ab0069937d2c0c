"""Level 5: the labs. Each is an anywidget: live under a kernel, and on a published page without one."""

from flatten_edu.widgets.focus import FocusLab
from flatten_edu.widgets.lab import Lab
from flatten_edu.widgets.precision import PrecisionLab
from flatten_edu.widgets.proof import ProofLab
from flatten_edu.widgets.rank import RankLab
from flatten_edu.widgets.reorder import ReorderLab
from flatten_edu.widgets.sharpness import SharpnessLab

LABS: dict[str, type[Lab]] = {
    "focus": FocusLab,
    "precision": PrecisionLab,
    "sharpness": SharpnessLab,
    "proof": ProofLab,
    "reorder": ReorderLab,
    "rank": RankLab,
}

__all__ = ["LABS", "FocusLab", "Lab", "PrecisionLab", "ProofLab", "RankLab", "ReorderLab", "SharpnessLab"]
