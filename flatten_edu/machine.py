"""Level 1: this machine: its devices by name, and files that are whole at any time."""

import os
import platform
from collections.abc import Callable
from pathlib import Path

import torch


def pick_device(kind: str | None = None) -> torch.device:
    """The device of that kind, "cpu", "cuda" or "mps"; by default CUDA's where there is one.

    Raises:
        ValueError: PyTorch cannot use that kind here; the kinds that it can use are listed.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    kind = kind or ("cuda" if there["cuda"] else "cpu")
    if not there.get(kind):
        raise ValueError(f"PyTorch finds no {kind} device here; there is {', '.join(k for k in there if there[k])}")
    return torch.device(kind)


def name_of(device: torch.device) -> str:
    """The device's name as its maker has it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")  # Linux's; elsewhere the platform's own word must do
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def replace_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place and move it there: it appears whole, or what was there stays."""
    draft = path.with_name(f"{path.name}.part")
    try:
        write(draft)
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
