"""flatten_edu: focused linear attention (Han et al., ICCV 2023) to read, run and touch."""

__version__ = "0.1.0"
