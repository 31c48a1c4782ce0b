"""Convert the colours of an image so that it can be resized and shown to a model.

Models see what open_clip shows them wherever that makes sense: an image is resized in the mode that
it is stored in, and becomes RGB after that. Before it is resized

- transparency is laid on a background. On black it is left as open_clip treats it: Pillow resizes
  such images by weight, and then the transparency is dropped. So clear parts become black, and
  half clear ones keep their colour;
- a palette, or black and white, becomes colours, as Pillow resizes these by their nearest entries.
  Published data sets are not changed so, as their results are known as open_clip makes them;
- the upper eight of 16 bits are taken, as Pillow itself does in images with colours.
"""

import numpy as np
from PIL import Image, ImageColor

BLACK = "black"
# Modes of Pillow with an alpha channel, of 16 bits, and those that can be resized as they are.
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
MODES_OF_16_BITS = ("I;16", "I;16B", "I;16L", "I;16N")
RESIZABLE_MODES = ("L", "RGB", "CMYK", "LA", "RGBA", "RGBX")
PALETTE_MODES = ("P", "PA")
KNOWN_MODES = (*RESIZABLE_MODES, *MODES_OF_16_BITS, "1", *PALETTE_MODES)
# If no value of the upper eight bits reaches this, at most 12 of the 16 bits are used.
MIN_HIGHEST_UPPER_BITS = 16


def rgb(colour: str) -> tuple[int, int, int]:
    """Read a colour.

    Args:
        colour: Name as in HTML, or #rrggbb.

    Returns:
        Red, green and blue, 0 to 255.

    Raises:
        ValueError: The text is no colour.
    """
    return ImageColor.getrgb(colour)[:3]


def has_alpha(image: Image.Image) -> bool:
    """Tell whether an image has an alpha channel, or a colour that is transparent.

    Args:
        image: An open image.

    Returns:
        True where some pixels may be transparent.
    """
    return image.mode in ALPHA_MODES or "transparency" in image.info


def require_full_range(image: Image.Image, bits: int) -> None:
    """Refuse an image of 16 bits that uses at most the lowest 12 of them.

    Cameras and scanners store such images. They would become all but black.

    Args:
        image: A decoded image.
        bits: Bits per channel in its file.

    Raises:
        ValueError: The image uses too few bits.
    """
    if bits <= 8:
        return
    if _highest_upper_bits(image) < MIN_HIGHEST_UPPER_BITS:
        raise ValueError(
            "16 bits, of which its brightest pixel needs 12 or fewer; convert it to 8 bits, "
            "scaled to its own range"
        )


def _highest_upper_bits(image: Image.Image) -> int:
    """Highest value of the upper eight bits of an image of 16 bits; alpha does not count."""
    if image.mode in MODES_OF_16_BITS:
        return int(np.asarray(image).max()) >> 8
    # Pillow has taken the upper bits of images with colours already.
    if image.mode in ("LA", "RGBA"):
        image = image.convert("RGB")
    extrema = image.getextrema()
    if image.mode != "RGB":
        extrema = [extrema]
    return max(highest for _, highest in extrema)


def in_colours(
    image: Image.Image,
    background: str = BLACK,
    bits: int = 8,
    *,
    as_stored: bool = True,
) -> Image.Image:
    """Convert an image to a mode that can be resized.

    Args:
        image: A decoded image.
        background: Colour that transparent parts are laid on, see ``rgb``.
        bits: Bits per channel in its file.
        as_stored: Leave palettes, and black and white, as they are where the background is black.

    Returns:
        The image, converted where that is needed.

    Raises:
        ValueError: Its values have no known range, such as those of floating-point images.
    """
    background_rgb = rgb(background)
    is_on_black = background_rgb == (0, 0, 0)
    if image.mode not in KNOWN_MODES:
        raise ValueError(
            f"pixels of the kind {image.mode!r} have no known range; convert it to 8 bits per "
            "channel"
        )
    if not is_on_black and _has_clear_colour(image):
        image = _with_alpha_of_colour(image, bits)
    image = _to_colours(image, keeps_palette=as_stored and is_on_black)
    if image.mode in ALPHA_MODES and not is_on_black:
        image = _on_background(image, background_rgb)
    return image


def _has_clear_colour(image: Image.Image) -> bool:
    """Has it a transparent colour, but no palette, which Pillow converts itself?"""
    modes_with_alpha = (*ALPHA_MODES, "P")
    return "transparency" in image.info and image.mode not in modes_with_alpha


def _to_colours(image: Image.Image, *, keeps_palette: bool) -> Image.Image:
    """Convert 16 bits, and palettes and black and white unless these are kept."""
    if image.mode in MODES_OF_16_BITS:
        return _upper_bits(image)
    if keeps_palette:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode in PALETTE_MODES:
        return image.convert("RGBA" if has_alpha(image) else "RGB")
    return image


def _on_background(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """Lay an image with an alpha channel on a colour."""
    if image.mode != "RGBA":  # converting an RGBA image would copy it
        image = image.convert("RGBA")
    flat = Image.new("RGB", image.size, colour)
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _with_alpha_of_colour(image: Image.Image, bits: int) -> Image.Image:
    """Give an alpha channel to a PNG image one colour of which is transparent.

    The file gives that colour in its own number of bits. Pillow has converted the pixels to eight
    bits, except grey of 16 bits. For images of one bit it scales the transparent colour too.
    """
    clear_colour = image.info["transparency"]
    if image.mode in MODES_OF_16_BITS:
        is_clear = np.asarray(image) == clear_colour
        return Image.merge("LA", [_upper_bits(image), _alpha_channel(is_clear)])
    if image.mode == "RGB":
        if bits == 16:
            clear_colour = [value >> 8 for value in clear_colour]
        is_clear = (np.asarray(image) == list(clear_colour)).all(axis=-1)
        return Image.merge("RGBA", [*image.split(), _alpha_channel(is_clear)])
    grey = image.convert("L")
    if 1 < bits < 8:
        # Scale from 0 ... 2^bits - 1 to 0 ... 255.
        clear_colour = clear_colour * 255 // (2**bits - 1)
    is_clear = np.asarray(grey) == clear_colour
    return Image.merge("LA", [grey, _alpha_channel(is_clear)])


def _upper_bits(image: Image.Image) -> Image.Image:
    """Grey image of the upper eight of 16 bits."""
    upper_bits = np.asarray(image) >> 8
    return Image.fromarray(upper_bits.astype(np.uint8))


def _alpha_channel(is_clear: np.ndarray) -> Image.Image:
    """Alpha channel that is 0 where pixels are clear, and 255 elsewhere."""
    return Image.fromarray(np.where(is_clear, 0, 255).astype(np.uint8))
