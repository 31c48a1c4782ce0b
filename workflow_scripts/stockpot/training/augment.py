"""Augmentation of batches of decoded images; all that is drawn follows from one generator."""

import torch
from torch.nn import functional


def random_crop(
    images: torch.Tensor,
    smallest: float,
    side: int,
    generator: torch.Generator,
    aspect: float = 1.0,
) -> torch.Tensor:
    """A random crop per image, resized to side x side (bilinear).

    images: float [n, 3, h, w]; smallest: least share of the area that is kept; aspect: the
    widest crop is this many times as wide as high, the highest as high as wide. WiSE-FT D.2
    (CLIP's random square crop; the originals keep at least 0.9 of the area); timm's training
    keeps 0.08 with an aspect of 4/3.
    """
    n = len(images)
    uniform = torch.rand(3, n, generator=generator).to(images.device)
    scale = torch.sqrt(smallest + (1 - smallest) * uniform[0]).expand(2, n)
    if aspect > 1:
        drawn = 2 * torch.rand(n, generator=generator).to(images.device) - 1
        stretch = aspect ** (drawn / 2)
        scale = (scale * torch.stack([stretch, 1 / stretch])).clamp(max=1)
    shift = (2 * uniform[1:] - 1) * (1 - scale)
    theta = torch.zeros(n, 2, 3, device=images.device, dtype=images.dtype)
    theta[:, 0, 0], theta[:, 1, 1] = scale
    theta[:, :, 2] = shift.T
    grid = functional.affine_grid(theta, [n, 3, side, side], align_corners=False)
    return functional.grid_sample(
        images, grid, padding_mode="border", align_corners=False
    )


def pixel_augmentation(spec: dict):
    """What changes pixels before they are normalised, as torchvision has it; None for nothing.

    spec: flip (probability), color_jitter (strength of brightness, contrast and saturation),
    randaugment_ops and randaugment_magnitude (Cubuk et al., 2020; of torchvision's 31 steps).
    Returns a function of uint8 images [n, h, w, 3] and a generator. Every image is drawn for
    by itself, on the CPU.
    """
    from ..models.openclip import transforms

    steps = []
    if spec.get("flip"):
        steps.append(transforms.RandomHorizontalFlip(spec["flip"]))
    if strength := spec.get("color_jitter"):
        steps.append(transforms.ColorJitter(strength, strength, strength))
    if operations := spec.get("randaugment_ops"):
        steps.append(transforms.RandAugment(operations, spec["randaugment_magnitude"]))
    if not steps:
        return None
    transform = transforms.Compose(steps)

    def augment(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        seed = int(torch.randint(2**62, (1,), generator=generator))
        pictures = images.cpu().permute(0, 3, 1, 2)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            changed = torch.stack([transform(picture) for picture in pictures])
        return changed.permute(0, 2, 3, 1).contiguous().to(images.device)

    return augment
