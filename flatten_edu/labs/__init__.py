"""Level 5: the labs. Each is an anywidget: live under a kernel, and on a published page without one."""

from flatten_edu.labs.focus.lab import FocusLab
from flatten_edu.labs.frame.lab import Lab
from flatten_edu.labs.maps.lab import AttentionLab, MapsLab
from flatten_edu.labs.precision.lab import PrecisionLab
from flatten_edu.labs.proof.lab import ProofLab
from flatten_edu.labs.rank.lab import RankLab
from flatten_edu.labs.recall.lab import RecallLab
from flatten_edu.labs.reorder.lab import ReorderLab
from flatten_edu.labs.sharpness.lab import SharpnessLab
from flatten_edu.labs.timing.lab import TimingLab

#: Every lab's class by its name on a page, in the order of the book.
LABS: dict[str, type[Lab]] = {
    lab.lab: lab
    for lab in (FocusLab, ReorderLab, RecallLab, SharpnessLab, ProofLab, MapsLab, RankLab, PrecisionLab, TimingLab)
}

__all__ = [
    "LABS", "AttentionLab", "FocusLab", "Lab", "MapsLab", "PrecisionLab", "ProofLab", "RankLab", "RecallLab",
    "ReorderLab", "SharpnessLab", "TimingLab",
]  # fmt: skip
