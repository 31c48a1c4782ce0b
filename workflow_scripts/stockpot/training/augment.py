"""Augmentation of batches of decoded images."""

import torch
from torch.nn import functional


def random_crop(
    images: torch.Tensor, smallest: float, side: int, generator: torch.Generator
) -> torch.Tensor:
    """A random square crop per image, resized to side x side (bilinear).

    images: float [n, 3, h, w]; smallest: least share of the area that is kept. WiSE-FT D.2
    (CLIP's random square crop; the originals keep at least 0.9 of the area).
    """
    n = len(images)
    uniform = torch.rand(3, n, generator=generator).to(images.device)
    scale = torch.sqrt(smallest + (1 - smallest) * uniform[0])
    shift = (2 * uniform[1:] - 1) * (1 - scale)
    theta = torch.zeros(n, 2, 3, device=images.device, dtype=images.dtype)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    theta[:, :, 2] = shift.T
    grid = functional.affine_grid(theta, [n, 3, side, side], align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
