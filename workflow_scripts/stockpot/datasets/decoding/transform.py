"""Turn a decoded image into pixels, exactly as open_clip's own transform for evaluation does.

Only up to the uint8 image; the pixels are normalised on the device. As in open_clip, an image is
resized in the mode that it is stored in (a palette by its nearest entries, transparency by its
weight) and becomes RGB after that; EXIF rotation is not applied. Three things differ: 16 bits
become eight; transparency may be laid on a background, and palettes resized as colours (see
``colours``); very thin images, which take gigabytes in open_clip, are refused.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from .colours import BLACK, in_colours

INTERPOLATIONS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
}
# How many times as long as wide an image may be, where its shorter side becomes the model's.
MAX_ASPECT_RATIO = 200
# Bytes of a pixel while it is resized.
PIXEL_BYTES = 4


@dataclass(frozen=True)
class Transform:
    """Resizes images to a square.

    Attributes:
        side: Side of the square in pixels.
        resize_mode: Which side of the image becomes that long: ``shortest`` (then the middle is
            cut out), ``longest`` (then the image is padded), or both (``squash``).
        interpolation: A key of ``INTERPOLATIONS``.
        fill: Grey value of the padding.
        background: Colour behind transparent parts.
        as_stored: Resize palettes by their nearest entries, as open_clip does; else as colours.
    """

    side: int
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"
    fill: int = 0
    background: str = BLACK
    as_stored: bool = True

    def __call__(self, image: Image.Image, bits: int = 8) -> np.ndarray:
        """Transform one image.

        Args:
            image: A decoded image.
            bits: Bits per channel in its file.

        Returns:
            uint8 [side, side, 3].

        Raises:
            ValueError: The image is too thin, or its values have no known range.
        """
        image = in_colours(image, self.background, bits, as_stored=self.as_stored)
        if self.resize_mode == "squash":
            image = self._resize(image, self.side, self.side)
        elif self.resize_mode == "longest":
            image = self._fit_longest(image)
        else:
            image = self._fit_shortest(image)
        return np.asarray(image.convert("RGB"))

    def _resize(
        self,
        image: Image.Image,
        width: int,
        height: int,
    ) -> Image.Image:
        return image.resize((width, height), INTERPOLATIONS[self.interpolation])

    def _fit_longest(self, image: Image.Image) -> Image.Image:
        """Resize the longer side and pad the shorter one.

        The same as ResizeKeepRatio and CenterCropOrPad of open_clip.
        """
        width, height = image.size
        ratio = max(width / self.side, height / self.side)
        image = self._resize(
            image,
            round(width / ratio),
            round(height / ratio),
        )
        return _padded(image, self.side, self.fill)

    def _fit_shortest(self, image: Image.Image) -> Image.Image:
        """Resize the shorter side and cut out the middle.

        The same as Resize and CenterCrop of torchvision.
        """
        width, height = image.size
        shorter = min(width, height)
        longer = max(width, height)
        if longer > MAX_ASPECT_RATIO * shorter:
            raise ValueError(
                f"{width} x {height} pixels, more than {MAX_ASPECT_RATIO} times as long as wide"
            )
        new_longer = int(self.side * longer / shorter)
        if width <= height:
            image = self._resize(image, self.side, new_longer)
        else:
            image = self._resize(image, new_longer, self.side)
        left = round((image.width - self.side) / 2.0)
        top = round((image.height - self.side) / 2.0)
        return image.crop((left, top, left + self.side, top + self.side))

    def memory(self, size: tuple[int, int]) -> int:
        """Return how much memory resizing takes at most, besides the image itself.

        Args:
            size: Width and height of the image.

        Returns:
            Bytes.
        """
        width, height = size
        new_width = self.side
        if self.resize_mode == "shortest":
            # Rounded up; -(-a // b) is the ceiling of a / b.
            aspect_ratio = -(-width // height)
            new_width = self.side * min(MAX_ASPECT_RATIO, aspect_ratio)
        # Pillow first changes the width of all rows, and then their number.
        return PIXEL_BYTES * new_width * (height + new_width)


def _padded(
    image: Image.Image,
    side: int,
    fill: int,
) -> Image.Image:
    """Pad an image to a square, with the image in the middle."""
    left = (side - image.width) // 2
    top = (side - image.height) // 2
    right = side - image.width - left
    bottom = side - image.height - top
    border = (left, top, right, bottom)
    if not any(border):
        return image
    band_count = len(image.getbands())
    # Pillow would use a single number for the first band only.
    colour = fill if band_count == 1 else (fill,) * band_count
    return ImageOps.expand(image, border, colour)
