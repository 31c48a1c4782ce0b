"""Corrupted images: each with one common corruption, as ImageNet-C's (Hendrycks et al. 2019).

For the choice of alpha on data that are not the reference and need no new labels. Noise, blur,
weather-like and digital corruptions at five severities, through torchvision and Pillow.
"""

import io
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from .dataset import Dataset, write_dataset

log = logging.getLogger(__name__)
Draw = np.random.Generator


def _noise(image: np.ndarray, strength: float, draw: Draw) -> np.ndarray:
    return image + draw.normal(0, 255 * strength, image.shape)


def _impulse(image: np.ndarray, strength: float, draw: Draw) -> np.ndarray:
    """Salt and pepper: this share of the pixels becomes black or white."""
    hit = draw.random(image.shape[:2]) < strength
    return np.where(
        hit[..., None], 255 * draw.integers(0, 2, image.shape[:2])[..., None], image
    )


def _blur(image: np.ndarray, strength: float, draw: Draw) -> np.ndarray:
    """Of a radius that is a share of the side."""
    blurred = Image.fromarray(image).filter(
        ImageFilter.GaussianBlur(strength * image.shape[0])
    )
    return np.asarray(blurred)


def _pixelate(image: np.ndarray, strength: float, draw: Draw) -> np.ndarray:
    """The side becomes this share of itself, and is enlarged again."""
    side = max(2, round(strength * image.shape[0]))
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small.resize(image.shape[1::-1], Image.Resampling.NEAREST))


def _brightness(image: np.ndarray, strength: float, draw: Draw) -> np.ndarray:
    return image + 255 * strength * draw.choice([-1, 1])


def _contrast(image: np.ndarray, strength: float, draw: Draw) -> np.ndarray:
    return np.asarray(ImageEnhance.Contrast(Image.fromarray(image)).enhance(strength))


def _fog(image: np.ndarray, strength: float, draw: Draw) -> np.ndarray:
    """Mixed with smooth grey clouds."""
    coarse = Image.fromarray(draw.integers(120, 256, (4, 4), dtype=np.uint8))
    clouds = np.asarray(
        coarse.resize(image.shape[1::-1], Image.Resampling.BICUBIC), dtype=float
    )
    return (1 - strength) * image + strength * clouds[..., None]


def _jpeg(image: np.ndarray, strength: float, draw: Draw) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(strength))
    return np.asarray(Image.open(file, formats=("JPEG",)).convert("RGB"))


# name -> (function, strength at severity 1 to 5)
CORRUPTIONS: dict[str, tuple[Callable, tuple[float, ...]]] = {
    "noise": (_noise, (0.04, 0.07, 0.10, 0.15, 0.22)),
    "impulse": (_impulse, (0.01, 0.03, 0.06, 0.10, 0.17)),
    "blur": (_blur, (0.01, 0.016, 0.024, 0.034, 0.048)),
    "pixelate": (_pixelate, (0.7, 0.55, 0.45, 0.36, 0.28)),
    "brightness": (_brightness, (0.08, 0.14, 0.20, 0.27, 0.35)),
    "contrast": (_contrast, (0.6, 0.5, 0.4, 0.3, 0.2)),
    "fog": (_fog, (0.2, 0.3, 0.4, 0.5, 0.6)),
    "jpeg": (_jpeg, (40, 25, 18, 12, 8)),
}


def corrupt(
    images: np.ndarray, severity: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [n, h, w, 3] -> (corrupted images, which corruption: int [n], index of CORRUPTIONS).

    Every corruption is as frequent as the others; an image's own follows from the seed and its
    place alone. ValueError for a severity outside 1 to 5.
    """
    if severity not in range(1, 6):
        raise ValueError(f"severity must be 1 to 5, got {severity}")
    kinds = list(CORRUPTIONS.values())
    which = np.random.default_rng(seed).permutation(len(images)) % len(kinds)
    found = np.empty_like(images)
    for i, image in enumerate(images):
        function, strengths = kinds[which[i]]
        draw = np.random.default_rng([seed, i])
        changed = function(np.asarray(image), strengths[severity - 1], draw)
        found[i] = np.clip(np.rint(changed), 0, 255)
    return found, which


def write_corrupted(folder: Path, spec: dict, source: Dataset) -> None:
    """Write the corrupted data set. spec: name, of, severity, seed."""
    images, which = corrupt(source.images[:], spec["severity"], spec["seed"])
    counts = np.bincount(which, minlength=len(CORRUPTIONS))
    made = ", ".join(f"{name} {count}" for name, count in zip(CORRUPTIONS, counts))
    log.info("%s: %s", spec["name"], made)
    write_dataset(
        folder,
        spec["name"],
        images,
        source.labels,
        source.class_names,
        spec,
        source.scoring,
    )
