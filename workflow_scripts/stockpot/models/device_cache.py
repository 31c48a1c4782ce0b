"""Tensors that stay on the device from one merged model to the next."""

from collections.abc import Callable, Hashable

import torch


def free_memory(device: str) -> int:
    """Measure how much memory tensors that stay may take.

    Args:
        device: "cuda" or "cpu".

    Returns:
        Bytes: half of what is free on a GPU. On a CPU 0, as files that are mapped into memory are
        in memory once they have been read.
    """
    if device == "cpu":
        return 0
    # torch keeps memory that it has freed; only this gives it back.
    torch.cuda.empty_cache()
    free_bytes, _ = torch.cuda.mem_get_info(device)
    return free_bytes // 2


class DeviceCache:
    """A cache of tensors, as many as fit into a number of bytes.

    The first tensors that come are kept for good. Data sets and ingredients are asked for in
    turns, and dropping the one not used for longest would always drop the one needed next.

    Attributes:
        left: Bytes that are still free.
    """

    def __init__(self, limit: int):
        """Begin with an empty cache.

        Args:
            limit: Bytes that all tensors may take.
        """
        self.left = limit
        self._tensors: dict[Hashable, torch.Tensor] = {}

    def get(
        self,
        key: Hashable,
        size: int,
        load: Callable[[], torch.Tensor],
    ) -> torch.Tensor | None:
        """Give a tensor, which is loaded once.

        Args:
            key: What identifies the tensor.
            size: Bytes that it takes.
            load: Loads it.

        Returns:
            The tensor. None, without loading it, where there is no room.
        """
        if key in self._tensors:
            return self._tensors[key]
        if size > self.left:
            return None
        tensor = load()
        self._tensors[key] = tensor
        self.left -= size
        return tensor
