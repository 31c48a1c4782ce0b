"""Resize square images."""

import numpy as np
from PIL import Image


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """Resize square images, bicubically.

    Args:
        images: uint8 [n, s, s] or [n, s, s, 3].
        side: New side in pixels.

    Returns:
        uint8 [n, side, side] or [n, side, side, 3].
    """
    size = (side, side)
    if images.shape[1:3] == size:
        return images
    results = []
    for image in images:
        resized_image = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
        results.append(np.asarray(resized_image))
    return np.stack(results)
