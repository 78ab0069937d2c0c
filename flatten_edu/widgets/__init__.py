"""Level 5: the labs. Each is an anywidget: live under a kernel, and on a published page without one."""

from flatten_edu.widgets.focus import FocusLab
from flatten_edu.widgets.lab import Lab
from flatten_edu.widgets.maps import AttentionLab, MapsLab
from flatten_edu.widgets.precision import PrecisionLab
from flatten_edu.widgets.proof import ProofLab
from flatten_edu.widgets.rank import RankLab
from flatten_edu.widgets.reorder import ReorderLab
from flatten_edu.widgets.sharpness import SharpnessLab
from flatten_edu.widgets.timing import TimingLab

#: Every lab's class by its name on a page.
LABS: dict[str, type[Lab]] = {
    "focus": FocusLab,
    "reorder": ReorderLab,
    "sharpness": SharpnessLab,
    "proof": ProofLab,
    "maps": MapsLab,
    "rank": RankLab,
    "precision": PrecisionLab,
    "timing": TimingLab,
}

__all__ = [
    "LABS",
    "AttentionLab",
    "FocusLab",
    "Lab",
    "MapsLab",
    "PrecisionLab",
    "ProofLab",
    "RankLab",
    "ReorderLab",
    "SharpnessLab",
    "TimingLab",
]
