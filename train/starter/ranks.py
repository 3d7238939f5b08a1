"""One stage on several GPUs: torchrun starts a process for each, gradients are averaged, the first process decides.

In: the environment that torchrun sets (none: one process). Out: `Ranks`. Every process draws its own samples and makes
the same updates; only the first one writes files. Knows nothing of models.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Ranks:
    """This process (`rank`, from 0) among `count` that train the same models."""

    rank: int = 0
    count: int = 1
    control: dist.ProcessGroup | None = None  # gloo: small decisions pass without waiting for the GPU

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        parts = (flat / self.count).split([gradient.numel() for gradient in gradients])
        torch._foreach_copy_(gradients, [part.view(g.shape) for part, g in zip(parts, gradients, strict=True)])

    def follow(self, *values: float) -> list[float]:
        """The first process's values: clocks differ a little, and decisions must not."""
        if self.count == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64)
        dist.broadcast(shared, 0, group=self.control)
        return shared.tolist()

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            dist.barrier(group=self.control)

    def leave(self) -> None:
        """Wait for the others (the first one may still be writing) and part."""
        if self.count > 1:
            dist.barrier(group=self.control)
            dist.destroy_process_group()


def join_ranks(device: str) -> Ranks:
    """Join the processes that torchrun started; alone, one process is all there is."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Ranks()
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device == "cuda" else "gloo")
    return Ranks(dist.get_rank(), count, dist.new_group(backend="gloo"))
