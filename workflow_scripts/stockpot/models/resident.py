"""What stays on the device between two recipes."""

from collections.abc import Callable, Hashable

import torch


def free_memory(device: str) -> int:
    """Bytes to fill with resident tensors: half of what is free on a GPU, nothing on a CPU.

    On a CPU, files that are mapped into memory are in memory once they have been read.
    """
    if device == "cpu":
        return 0
    torch.cuda.empty_cache()
    return torch.cuda.mem_get_info(device)[0] // 2


class Resident:
    """Tensors that are kept, as many as fit into a number of bytes.

    The first that come are kept for good: data sets and ingredients are asked for in turns,
    and dropping the one not used for longest would always drop the one wanted next.
    """

    def __init__(self, limit: int):
        self.left = limit
        self._kept: dict[Hashable, torch.Tensor] = {}

    def get(
        self, key: Hashable, size: int, load: Callable[[], torch.Tensor]
    ) -> torch.Tensor | None:
        """The tensor of this key, loaded once; None, without loading it, where there is no room.

        size: bytes that the loaded tensor takes.
        """
        if key not in self._kept:
            if size > self.left:
                return None
            self._kept[key] = load()
            self.left -= size
        return self._kept[key]
