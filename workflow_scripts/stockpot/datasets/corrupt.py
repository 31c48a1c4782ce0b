"""Corrupted images: each with one common corruption, like those of ImageNet-C.

They allow alpha to be chosen on data that differ from the reference and need no new labels. The
corruptions are noise, blur, weather-like and digital ones at five severities, made with NumPy and
Pillow. Reference: Hendrycks and Dietterich 2019, arXiv:1903.12261.
"""

import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from .dataset import Dataset, write_dataset

log = logging.getLogger(__name__)

SEVERITIES = range(1, 6)

# Each corruption takes an image (uint8 [h, w, 3]), a strength and a random generator. It returns
# an image whose values may be fractions and outside 0 to 255; ``corrupt`` rounds and clips them.
Corruption = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def _noise(
    image: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Add normal noise; the strength is its standard deviation, as a fraction of 255."""
    return image + rng.normal(0, 255 * strength, image.shape)


def _impulse(
    image: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Make a fraction of the pixels black or white (salt and pepper)."""
    is_hit = rng.random(image.shape[:2]) < strength
    black_or_white = 255 * rng.integers(0, 2, image.shape[:2])
    return np.where(
        is_hit[..., None],
        black_or_white[..., None],
        image,
    )


def _blur(
    image: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Blur; the strength is the radius, as a fraction of the height."""
    radius = strength * image.shape[0]
    blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(blurred)


def _pixelate(
    image: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Shrink the side to a fraction of itself, and enlarge the image again."""
    side = max(2, round(strength * image.shape[0]))
    width_and_height = image.shape[1::-1]
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small.resize(width_and_height, Image.Resampling.NEAREST))


def _brightness(
    image: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Make all pixels brighter, or all darker."""
    return image + 255 * strength * rng.choice([-1, 1])


def _contrast(
    image: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Scale the contrast by the strength."""
    return np.asarray(ImageEnhance.Contrast(Image.fromarray(image)).enhance(strength))


def _fog(
    image: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Mix the image with smooth grey clouds; the strength is the weight of the clouds."""
    width_and_height = image.shape[1::-1]
    coarse = Image.fromarray(
        rng.integers(
            120,
            256,
            (4, 4),
            dtype=np.uint8,
        )
    )
    smooth = coarse.resize(width_and_height, Image.Resampling.BICUBIC)
    clouds = np.asarray(smooth, dtype=float)
    return (1 - strength) * image + strength * clouds[..., None]


def _jpeg(
    image: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Compress as JPEG; the strength is the quality."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(strength))
    return np.asarray(Image.open(file, formats=("JPEG",)).convert("RGB"))


# Name -> (function, its strengths at severity 1 to 5).
CORRUPTIONS: dict[str, tuple[Corruption, tuple[float, ...]]] = {
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
    images: np.ndarray,
    severity: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Corrupt each image in one way; all corruptions are equally frequent.

    Args:
        images: uint8 [n, h, w, 3].
        severity: 1 (weak) to 5 (strong).
        seed: Decides which image is corrupted how. The result for an image depends on the seed
            and on its row only.

    Returns:
        The corrupted images, uint8 [n, h, w, 3], and which corruption each has: int [n], index
        into ``CORRUPTIONS``.

    Raises:
        ValueError: The severity is not 1 to 5.
    """
    if severity not in SEVERITIES:
        raise ValueError(f"severity must be 1 to 5, got {severity}")
    corruptions = list(CORRUPTIONS.values())
    # A permutation instead of independent draws makes all corruptions equally frequent.
    permutation = np.random.default_rng(seed).permutation(len(images))
    kinds = permutation % len(corruptions)
    corrupted = np.empty_like(images)
    for row, image in enumerate(images):
        function, strengths = corruptions[kinds[row]]
        strength = strengths[severity - 1]
        # Each image has a random generator of its own, so that it does not depend on the others.
        rng = np.random.default_rng([seed, row])
        changed = function(np.asarray(image), strength, rng)
        corrupted[row] = np.clip(np.rint(changed), 0, 255)
    return corrupted, kinds


def write_corrupted(
    folder: Path,
    spec: dict[str, Any],
    source: Dataset,
) -> None:
    """Write a data set of corrupted images.

    Args:
        folder: The Dataset folder to write.
        spec: Plain data with name, of, severity and seed.
        source: The data set that is corrupted.
    """
    images, kinds = corrupt(
        source.images[:],
        spec["severity"],
        spec["seed"],
    )
    counts = np.bincount(kinds, minlength=len(CORRUPTIONS))
    numbers = [f"{name} {count}" for name, count in zip(CORRUPTIONS, counts)]
    log.info(
        "%s: %s",
        spec["name"],
        ", ".join(numbers),
    )
    write_dataset(
        folder,
        spec["name"],
        images,
        source.labels,
        source.class_names,
        spec,
        source.scoring,
    )
