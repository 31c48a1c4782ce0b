"""From the colours that an image is stored in to red, green and blue of eight bits.

What models see is what open_clip shows them wherever that makes sense: an image is resized in the
mode that it is stored in, and becomes RGB after. Before that

- transparency is laid on a background. On black it is left as open_clip treats it, who lets Pillow
  resize such images by weight and then forgets the transparency: clear parts become black, and half
  clear ones keep their colour;
- a palette, or black and white, becomes colours, as Pillow resizes these by their nearest entries;
  published sets are spared that, as their results are known as open_clip makes them;
- of 16 bits the upper eight are taken, as Pillow itself does in images with colours.
"""

import numpy as np
from PIL import Image, ImageColor

BLACK = "black"
WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
OF_16_BITS = ("I;16", "I;16B", "I;16L", "I;16N")
AS_STORED = ("L", "RGB", "CMYK", "LA", "RGBA", "RGBX")
# Of the upper eight bits: where nothing reaches this, no more than 12 of the 16 bits are used.
LEAST_OF_16_BITS = 16


def rgb(colour: str) -> tuple[int, int, int]:
    """A colour by its name (as in HTML) or as #rrggbb. Raises ValueError for any other text."""
    return ImageColor.getrgb(colour)[:3]


def has_alpha(image: Image.Image) -> bool:
    """Has it an alpha channel, or colours that are transparent?"""
    return image.mode in WITH_ALPHA or "transparency" in image.info


def require_full_range(image: Image.Image, bits: int) -> None:
    """Raises ValueError for an image of 16 bits that uses the lowest 12 at most, as cameras and
    scanners store them: it would be all but black.

    Args:
        image: decoded.
        bits: per channel, in its file.
    """
    if bits <= 8:
        return
    if image.mode in OF_16_BITS:
        highest = int(np.asarray(image).max()) >> 8
    else:
        channels = image.convert("RGB") if image.mode in ("LA", "RGBA") else image
        bands = (
            channels.getextrema() if channels.mode == "RGB" else [channels.getextrema()]
        )
        highest = max(high for _, high in bands)
    if highest < LEAST_OF_16_BITS:
        raise ValueError(
            "16 bits, of which its brightest pixel needs 12 or fewer; convert it to 8 bits, "
            "scaled to its own range"
        )


def in_colours(
    image: Image.Image, background: str = BLACK, bits: int = 8, as_stored: bool = True
) -> Image.Image:
    """The image in a mode that can be resized.

    Args:
        image: decoded.
        background: what transparent parts are laid on; see ``rgb``.
        bits: per channel, in its file.
        as_stored: Leave palettes, and black and white, as they are where the background is black.

    Raises:
        ValueError: Its values have no known range, as of floating-point images.
    """
    on_black = rgb(background) == (0, 0, 0)
    if image.mode in ("I", "F") or image.mode not in (
        *AS_STORED,
        *OF_16_BITS,
        "1",
        "P",
        "PA",
    ):
        raise ValueError(
            f"pixels of the kind {image.mode!r} have no known range; convert it to 8 bits per "
            "channel"
        )
    if (
        "transparency" in image.info
        and image.mode not in (*WITH_ALPHA, "P")
        and not on_black
    ):
        image = _with_clear_colour(image, bits)
    if image.mode in OF_16_BITS:
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode == "1" and not (as_stored and on_black):
        image = image.convert("L")
    elif image.mode in ("P", "PA") and not (as_stored and on_black):
        image = image.convert("RGBA" if has_alpha(image) else "RGB")
    if image.mode in WITH_ALPHA and not on_black:
        image = _on(image, rgb(background))
    return image


def _on(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """An image with an alpha channel, laid on a colour."""
    if image.mode != "RGBA":  # else it would be copied
        image = image.convert("RGBA")
    flat = Image.new("RGB", image.size, colour)
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _with_clear_colour(image: Image.Image, bits: int) -> Image.Image:
    """A PNG image one colour of which is transparent, with an alpha channel.

    The colour is given in the file's own bits. Pillow has made eight of them, but for grey of 16;
    of one bit it scales the given colour too.
    """
    key = image.info["transparency"]
    if image.mode in OF_16_BITS:
        pixels = np.asarray(image)
        clear = pixels == key
        grey = (pixels >> 8).astype(np.uint8)
        return Image.merge("LA", [Image.fromarray(grey), _opaque_but(clear)])
    if image.mode == "RGB":
        wanted = [value >> 8 if bits == 16 else value for value in key]
        clear = (np.asarray(image) == wanted).all(axis=-1)
        return Image.merge("RGBA", [*image.split(), _opaque_but(clear)])
    grey = image.convert("L")
    wanted = key * 255 // (2**bits - 1) if 1 < bits < 8 else key
    return Image.merge("LA", [grey, _opaque_but(np.asarray(grey) == wanted)])


def _opaque_but(clear: np.ndarray) -> Image.Image:
    return Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))
