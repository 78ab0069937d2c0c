"""Level 5: the labs. Each is an anywidget: live under a kernel, and on a published page without one."""

from flatten_edu.widgets.focus import FocusLab
from flatten_edu.widgets.lab import Lab
from flatten_edu.widgets.maps import AttentionLab, MapsLab

LABS: dict[str, type[Lab]] = {"focus": FocusLab, "maps": MapsLab}

__all__ = ["LABS", "AttentionLab", "FocusLab", "Lab", "MapsLab"]
