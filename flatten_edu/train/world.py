"""One process, or several that torchrun started: who is who, and sums over all."""

import os
from dataclasses import dataclass, field

import torch
from torch import Tensor, distributed

from flatten_edu.machine import pick_device


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
        picked = pick_device(device)
        if "WORLD_SIZE" not in os.environ:
            return cls(device=picked)
        distributed.init_process_group("cpu:gloo,cuda:nccl" if picked.type == "cuda" else "gloo")
        if picked.type == "cuda":
            picked = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(picked)
        return cls(distributed.get_rank(), distributed.get_world_size(), picked)

    def leave(self) -> None:
        """Close the connections of a world of several."""
        if distributed.is_initialized():
            distributed.destroy_process_group()

    def sum(self, x: Tensor) -> Tensor:
        """The sum of a tensor over all processes."""
        if self.size > 1:
            distributed.all_reduce(x)
        return x

    def any(self, here: bool) -> bool:
        """Whether it is so in one of the processes. Does not wait for a GPU."""
        return bool(self.sum(torch.tensor(int(here))))

    def together(self, found: list) -> list:
        """What all processes have found, in the order of their ranks."""
        if self.size == 1:
            return found
        parts: list[list] = [[]] * self.size
        distributed.all_gather_object(parts, found)
        return [one for part in parts for one in part]

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            distributed.barrier()
