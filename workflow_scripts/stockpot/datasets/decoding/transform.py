"""From a decoded image to pixels, exactly as open_clip's own transform for evaluation.

Only up to the uint8 image: normalisation happens on the device. As there, an image is resized in
the mode that it is stored in (a palette by its nearest entries, transparency by its weight) and
becomes RGB after; EXIF rotation is not applied. What differs: 16 bits become eight; transparency
may be laid on a background, and palettes resized as colours (see ``colours``); very thin images
are refused, which there take gigabytes.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from .colours import BLACK, in_colours

INTERPOLATIONS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
}
THINNEST = 200  # times as long as wide, where the shorter side becomes the model's


@dataclass(frozen=True)
class Transform:
    """side: of the square result in pixels. resize_mode: which side of the image becomes that
    long, shortest (then the middle is cut out), longest (then it is padded), or both (squash).
    fill: grey value of the padding. background: colour behind transparent parts.
    as_stored: are palettes resized by their nearest entries, as open_clip does? Else as colours."""

    side: int
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"
    fill: int = 0
    background: str = BLACK
    as_stored: bool = True

    def __call__(self, image: Image.Image, bits: int = 8) -> np.ndarray:
        """uint8 [side, side, 3]. bits: of each channel in the image's file."""
        image = in_colours(image, self.background, bits, self.as_stored)
        side, resampling = self.side, INTERPOLATIONS[self.interpolation]
        width, height = image.size
        if self.resize_mode == "squash":
            image = image.resize((side, side), resampling)
        elif self.resize_mode == "longest":
            # open_clip's ResizeKeepRatio and CenterCropOrPad.
            ratio = max(width / side, height / side)
            image = image.resize(
                (round(width / ratio), round(height / ratio)), resampling
            )
            image = _padded(image, side, self.fill)
        else:
            # torchvision's Resize and CenterCrop.
            short, long = min(width, height), max(width, height)
            if long > THINNEST * short:
                raise ValueError(
                    f"{width} x {height} pixels, more than {THINNEST} times as long as wide"
                )
            other = int(side * long / short)
            size = (side, other) if width <= height else (other, side)
            image = image.resize(size, resampling)
            left, top = round((size[0] - side) / 2.0), round((size[1] - side) / 2.0)
            image = image.crop((left, top, left + side, top + side))
        return np.asarray(image.convert("RGB"))

    def memory(self, size: tuple[int, int]) -> int:
        """Bytes that resizing takes at most beside the image: Pillow first changes its width."""
        width, height = size
        widest = self.side
        if self.resize_mode == "shortest":
            widest = self.side * min(THINNEST, -(-width // height))
        return 4 * widest * (height + widest)


def _padded(image: Image.Image, side: int, fill: int) -> Image.Image:
    left, top = (side - image.width) // 2, (side - image.height) // 2
    border = (left, top, side - image.width - left, side - image.height - top)
    bands = len(image.getbands())
    colour = (
        (fill,) * bands if bands > 1 else fill
    )  # a number would be the first band alone
    return ImageOps.expand(image, border, colour) if any(border) else image
