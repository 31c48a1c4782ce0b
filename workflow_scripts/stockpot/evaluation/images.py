"""Images on their way from a memory-mapped array to the device."""

from collections.abc import Iterator

import numpy as np
import torch


def batches(images: np.ndarray, size: int, device: str) -> Iterator[torch.Tensor]:
    """uint8 [n, h, w, 3] -> batches [size or fewer, h, w, 3] on the device, in order."""
    for start in range(0, len(images), size):
        part = images[start : start + size]
        # Only from page-locked memory does a copy to a GPU run beside the forward pass.
        batch = torch.empty(part.shape, dtype=torch.uint8, pin_memory=device != "cpu")
        np.copyto(batch.numpy(), part)
        yield batch.to(device, non_blocking=True)


def whole(images: np.ndarray, size: int, device: str) -> torch.Tensor:
    """All images on the device, uint8 [n, h, w, 3], brought there in batches of ``size``."""
    found = torch.empty(images.shape, dtype=torch.uint8, device=device)
    for place, batch in zip(found.split(size), batches(images, size, device)):
        place.copy_(batch)
    return found
