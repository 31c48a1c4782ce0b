"""The processes that train one run together, each on its own device; or only one process.

All of them draw and prepare every batch as a whole, from the same generator, and each one's model
sees its shard of it. So the run is that of one process up to the order of sums.
"""

from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed

from ..runtime.errors import StockpotError

# The others wait this long for the main process, which may be writing its state.
TIMEOUT = timedelta(hours=1)

T = TypeVar("T")


class Distributed:
    """The processes of torch.distributed where it is set up, else only this one.

    Attributes:
        rank: The number of this process, from 0.
        count: The number of processes.
    """

    def __init__(self):
        self.rank = 0
        self.count = 1
        if distributed.is_available() and distributed.is_initialized():
            self.rank = distributed.get_rank()
            self.count = distributed.get_world_size()

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files and the log.

        Returns:
            True for one of the processes.
        """
        return self.rank == 0

    def wrap(self, model: torch.nn.Module) -> torch.nn.Module:
        """Wrap the model so that its gradients are those of the whole batch.

        Args:
            model: The model, on the device of this process.

        Returns:
            What a step calls in place of the model; the model itself if there is one process.

        Raises:
            StockpotError: The model has BatchNorm and is trained on CPUs, where BatchNorm would
                see only a shard of the batch.
        """
        if self.count == 1:
            return model
        device = next(model.parameters()).device
        # BatchNorm has to see the whole batch; torch can exchange its statistics only on GPUs.
        if device.type == "cuda":
            model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)
        elif _has_batchnorm(model):
            raise StockpotError(
                "a model with BatchNorm is trained by one process on CPUs"
            )
        return torch.nn.parallel.DistributedDataParallel(model)

    def shard(self, example_count: int) -> tuple[slice, float]:
        """Choose this process's part of a batch.

        Args:
            example_count: Examples in the batch.

        Returns:
            The rows of this process, and the weight of its loss: the mean of the weighted losses
            over the processes is the mean loss over the examples. A process without rows takes
            one, with weight 0, as all processes have to take part in a step.
        """
        if self.count == 1:
            return slice(example_count), 1.0
        # Shards of equal size, up to one example.
        start = self.rank * example_count // self.count
        stop = (self.rank + 1) * example_count // self.count
        row_count = stop - start
        # (1 / count) sum_i w_i L_i = (1 / n) sum_i n_i L_i holds for w_i = n_i count / n.
        weight = row_count * self.count / example_count
        if row_count == 0:
            return slice(1), weight
        return slice(start, stop), weight

    def all_reduce_sum(
        self,
        values: list[float],
        device: torch.device | str,
    ) -> list[float]:
        """Sum each value over the processes.

        Args:
            values: The values of this process.
            device: Where the processes exchange them.

        Returns:
            The sums, in the order of the values, the same on all processes.
        """
        if self.count == 1:
            return values
        sums = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.all_reduce(sums)
        return sums.tolist()

    def broadcast(self, value: T) -> T:
        """Give all processes the value of the main one.

        Args:
            value: The value of this process.

        Returns:
            The value of the main process.
        """
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values)
        return values[0]


def _has_batchnorm(model: torch.nn.Module) -> bool:
    batchnorm = torch.nn.modules.batchnorm._BatchNorm
    return any(isinstance(module, batchnorm) for module in model.modules())
