"""The processes that train one run together, each on a device of its own; or one alone.

All of them draw and prepare every batch whole, from the same generator, and each one's model sees
its share of it. So the run is that of one process up to the order of sums.
"""

from datetime import timedelta

import torch
from torch import distributed

from ..runtime.errors import StockpotError

WAIT = timedelta(hours=1)  # for the first process to write its state, at the most


class Processes:
    """Those of torch.distributed where it is set up, else this one."""

    def __init__(self):
        together = distributed.is_available() and distributed.is_initialized()
        self.rank = distributed.get_rank() if together else 0
        self.count = distributed.get_world_size() if together else 1

    @property
    def first(self) -> bool:
        """Is this the one that writes files and the log?"""
        return self.rank == 0

    def model(self, model: torch.nn.Module) -> torch.nn.Module:
        """What a step runs: the model, its gradients those of the whole batch.

        Raises StockpotError for BatchNorm on CPUs, which would see a share of the batch alone.
        """
        if self.count == 1:
            return model
        device = next(model.parameters()).device
        if device.type == "cuda":
            model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)
        elif any(
            isinstance(m, torch.nn.modules.batchnorm._BatchNorm)
            for m in model.modules()
        ):
            raise StockpotError(
                "a model with BatchNorm is trained by one process on CPUs"
            )
        return torch.nn.parallel.DistributedDataParallel(model)

    def share(self, n: int) -> tuple[slice, float]:
        """This process's part of n examples, and the weight that makes the mean over processes of
        their losses the mean over examples. A process without a part takes one, of weight 0."""
        if self.count == 1:
            return slice(n), 1.0
        rows = slice(self.rank * n // self.count, (self.rank + 1) * n // self.count)
        mine = rows.stop - rows.start
        return rows if mine else slice(1), mine * self.count / n

    def sum(self, values: list[float], device) -> list[float]:
        """Each value, summed over the processes."""
        if self.count == 1:
            return values
        sums = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.all_reduce(sums)
        return sums.tolist()

    def agreed(self, found):
        """What the first process found."""
        if self.count == 1:
            return found
        told = [found]
        distributed.broadcast_object_list(told)
        return told[0]
