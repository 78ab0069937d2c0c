"""Level 1: this machine: its devices by name, and files that are whole at any time."""

import errno
import os
import platform
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


def replace_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file beside its place and move it there: it appears whole, or what was there stays.

    Bytes, because Python says what the disk says: libraries that write files of their own hide it, or narrow the mode.

    Raises:
        OSError: it cannot be written; a full disk is told with the path.
    """
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        raise (full(error, path) or error) from None


def full(error: BaseException, path: object) -> OSError | None:
    """The error in a reader's words, if it says that a disk, or a share of it, is full."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OSError(f"no space left writing {path}")
    return None
