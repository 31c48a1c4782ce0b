"""Augmentation of batches of decoded images; all random draws follow from one generator."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.nn import functional

Augmentation = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


def random_crop(
    images: torch.Tensor,
    min_area: float,
    side: int,
    generator: torch.Generator,
    max_aspect: float = 1.0,
) -> torch.Tensor:
    """Crop each image at random and resize it to side x side (bilinear).

    WiSE-FT D.2 has CLIP's random square crop; its code keeps at least 0.9 of the area. timm's
    training keeps 0.08 with an aspect of 4/3.

    Args:
        images: float [n, 3, h, w].
        min_area: Smallest fraction of the area that a crop keeps.
        side: Height and width of the result, in pixels.
        generator: The source of the random crops.
        max_aspect: The widest crop is this many times as wide as high, the highest this many
            times as high as wide.

    Returns:
        float [n, 3, side, side].
    """
    image_count = len(images)
    # Drawn on the CPU, so that a crop does not depend on the device.
    uniform = torch.rand(3, image_count, generator=generator)
    uniform = uniform.to(images.device)
    area = min_area + (1 - min_area) * uniform[0]
    # Width and height of the crop as fractions of the image's: [2, n].
    side_fraction = torch.sqrt(area)
    scale = side_fraction.expand(2, image_count)
    if max_aspect > 1:
        # width / height = stretch^2 is log-uniform between 1/max_aspect and max_aspect. The area
        # stays as it was drawn, except where the crop would be larger than the image.
        uniform_aspect = torch.rand(image_count, generator=generator)
        exponent = 2 * uniform_aspect.to(images.device) - 1
        stretch = max_aspect ** (exponent / 2)
        stretches = torch.stack([stretch, 1 / stretch])
        scale = (scale * stretches).clamp(max=1)
    # affine_grid has the image in [-1, 1]: a centre within 1 - scale keeps the crop inside.
    centre = 2 * uniform[1:] - 1
    shift = centre * (1 - scale)
    # The affine map of each image from the crop's coordinates to the image's: [n, 2, 3].
    theta = torch.zeros(image_count, 2, 3, device=images.device, dtype=images.dtype)
    theta[:, 0, 0] = scale[0]
    theta[:, 1, 1] = scale[1]
    theta[:, :, 2] = shift.T
    shape = [image_count, 3, side, side]
    grid = functional.affine_grid(theta, shape, align_corners=False)
    return functional.grid_sample(
        images,
        grid,
        padding_mode="border",
        align_corners=False,
    )


def _augment(
    transform: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """Apply one of torchvision's transforms to each image, uint8 [n, h, w, 3]."""
    seed = int(torch.randint(2**62, (1,), generator=generator))
    channels_first = images.cpu().permute(0, 3, 1, 2)
    # torchvision draws from torch's global generator, whose state is put back afterwards.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        changed = torch.stack([transform(image) for image in channels_first])
    channels_last = changed.permute(0, 2, 3, 1).contiguous()
    return channels_last.to(images.device)


def pixel_augmentation(spec: dict[str, Any]) -> Augmentation | None:
    """Make torchvision's augmentation of pixels, which is applied before normalisation.

    Args:
        spec: flip_probability, color_jitter (strength of brightness, contrast and saturation),
            randaugment_ops and randaugment_magnitude (Cubuk et al., 2020; of torchvision's 31
            steps).

    Returns:
        A function of uint8 images [n, h, w, 3] and a generator, or None where nothing changes.
        Each image gets its own random draws, on the CPU.
    """
    from ..models.third_party import transforms

    steps = []
    if spec.get("flip_probability"):
        steps.append(transforms.RandomHorizontalFlip(spec["flip_probability"]))
    if spec.get("color_jitter"):
        strength = spec["color_jitter"]
        steps.append(transforms.ColorJitter(strength, strength, strength))
    if spec.get("randaugment_ops"):
        operation_count = spec["randaugment_ops"]
        magnitude = spec["randaugment_magnitude"]
        steps.append(transforms.RandAugment(operation_count, magnitude))
    if not steps:
        return None
    return partial(_augment, transforms.Compose(steps))
