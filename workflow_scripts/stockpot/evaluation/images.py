"""Bring images from a memory-mapped array to the device."""

from collections.abc import Iterator

import numpy as np
import torch


def image_batches(
    images: np.ndarray,
    batch_size: int,
    device: str,
) -> Iterator[torch.Tensor]:
    """Yield images in batches on the device, in order.

    Args:
        images: uint8 [n, height, width, 3].
        batch_size: Images per batch; the last one may have fewer.
        device: "cuda" or "cpu".

    Yields:
        uint8 [batch_size or fewer, height, width, 3].
    """
    for start in range(0, len(images), batch_size):
        chunk = images[start : start + batch_size]
        # Only from page-locked memory does a copy to a GPU run beside the forward pass.
        batch = torch.empty(chunk.shape, dtype=torch.uint8, pin_memory=device != "cpu")
        np.copyto(batch.numpy(), chunk)
        yield batch.to(device, non_blocking=True)


def load_images(
    images: np.ndarray,
    batch_size: int,
    device: str,
) -> torch.Tensor:
    """Copy all images to the device, batch by batch.

    Args:
        images: uint8 [n, height, width, 3].
        batch_size: Images that are copied at once.
        device: "cuda" or "cpu".

    Returns:
        uint8 [n, height, width, 3] on the device.
    """
    # Filled batch by batch: two copies of all images might not fit on the device.
    on_device = torch.empty(images.shape, dtype=torch.uint8, device=device)
    batches = image_batches(images, batch_size, device)
    for target, batch in zip(on_device.split(batch_size), batches):
        target.copy_(batch)
    return on_device
