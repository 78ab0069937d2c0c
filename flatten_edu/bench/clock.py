"""Seconds, bytes and this machine's ceilings, each as its device lets them be measured."""

import re
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

Call = Callable[[], object]
_GEMM = {"cpu": 2048, "cuda": 8192, "mps": 4096}  # the sides of the matrices
_TRIAD = {"cpu": 2**26, "cuda": 2**28, "mps": 2**26}  # numbers, so many that no cache holds them
_TRIES = 8


def seconds_of(call: Call, times: int, device: torch.device) -> float:
    """How long one of `times` calls in a row takes, by CUDA's events or by the clock once the device has finished."""
    if device.type == "cuda":
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(times):
            call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / times
    _finish(device)
    started = time.perf_counter()
    for _ in range(times):
        call()
    _finish(device)
    return (time.perf_counter() - started) / times


def _finish(device: torch.device) -> None:
    if device.type != "cpu":
        getattr(torch, device.type).synchronize()


def peak_bytes(call: Call, owned: Sequence[Tensor], device: torch.device) -> int | None:
    """The most memory that a call holds beyond what `owned` and the modules hold before it.

    CUDA's allocator says it. On the CPU the storages of all tensors are counted while they live; what a kernel takes
    for itself inside one operation is not seen. None where neither can be had (MPS).
    """
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated(device) - before
    if device.type != "cpu":
        return None
    with _LiveBytes(owned) as live:
        call()
    return live.peak


class _LiveBytes(TorchDispatchMode):
    """Adds up the storages of the tensors that operations return, each until it is freed."""

    def __init__(self, owned: Sequence[Tensor]):
        super().__init__()
        self.now = self.peak = 0
        self.known = {tensor.untyped_storage()._cdata for tensor in owned}

    def __torch_dispatch__(self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None) -> object:
        out = func(*args, **(kwargs or {}))
        for one in tree_iter(out):
            if isinstance(one, Tensor):
                self._add(one.untyped_storage())
        return out

    def _add(self, storage: torch.UntypedStorage) -> None:
        if storage._cdata not in self.known:
            self.known.add(storage._cdata)
            self.now += storage.nbytes()
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._drop, storage._cdata, storage.nbytes())

    def _drop(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size


def ceilings(device: torch.device, dtype: torch.dtype) -> dict[str, float]:
    """The fastest of a few products of large matrices, in flop/s, and of a few triads a = b + s c, in bytes/s.

    A multiply-add is two flop. A triad reads two arrays and writes one, each larger than the caches.
    """

    def best(call: Call) -> float:
        call()
        return min(seconds_of(call, 1, device) for _ in range(_TRIES))

    side, length = _GEMM[device.type], _TRIAD[device.type] * 4 // dtype.itemsize
    left, right = torch.randn(2, side, side, device=device).to(dtype)
    product = torch.empty_like(left)
    flops = 2 * side**3 / best(lambda: torch.mm(left, right, out=product))
    b, c, a = (torch.zeros(length, device=device, dtype=dtype) for _ in range(3))
    moved = 3 * length * dtype.itemsize / best(lambda: torch.add(b, c, alpha=0.5, out=a))
    return {"flops_per_s": flops, "bytes_per_s": moved}


def free_bytes(device: torch.device) -> int | None:
    """Memory that is still to be had: the device's, or this machine's within the limit of its control group."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    found = re.search(r"MemAvailable: *(\d+)", _read("/proc/meminfo"))
    if not found:
        return None
    free = int(found[1]) * 1024
    limit, used = (_read(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    return min(free, int(limit) - int(used)) if limit.isdigit() and used.isdigit() else free


def _read(path: str) -> str:
    return Path(path).read_text() if Path(path).exists() else ""
