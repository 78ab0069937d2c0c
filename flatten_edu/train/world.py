"""One process, or several that torchrun started: who is who, and sums over all."""

import os
from dataclasses import dataclass, field

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class World:
    """The processes of a run. One process needs no set-up: `World()`."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @classmethod
    def join(cls, device: str | None = None) -> "World":
        """The world that torchrun's environment variables describe, or a world of one.

        Args:
            device: "cpu", "cuda" or "mps"; by default a GPU where there is one.

        Raises:
            ValueError: PyTorch cannot use that device here.
        """
        there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        kind = device or ("cuda" if there["cuda"] else "cpu")
        if not there[kind]:
            known = ", ".join(name for name in there if there[name])
            raise ValueError(f"PyTorch finds no {kind} device here; there is {known}")
        if "WORLD_SIZE" not in os.environ:
            return cls(device=torch.device(kind))
        distributed.init_process_group("nccl" if kind == "cuda" else "gloo")
        local = torch.device(kind, int(os.environ["LOCAL_RANK"])) if kind == "cuda" else torch.device(kind)
        if kind == "cuda":
            torch.cuda.set_device(local)
        return cls(distributed.get_rank(), distributed.get_world_size(), local)

    def leave(self) -> None:
        """Close the connections of a world of several."""
        if distributed.is_initialized():
            distributed.destroy_process_group()

    def sum(self, x: Tensor) -> Tensor:
        """The sum of a tensor over all processes."""
        if self.size > 1:
            distributed.all_reduce(x)
        return x

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            distributed.barrier()
