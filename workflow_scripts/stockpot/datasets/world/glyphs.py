"""Digits and letters as distance fields, drawn from the typefaces that matplotlib ships."""

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import distance_transform_edt

from .vocabulary import GLYPH_CHARACTERS

TYPEFACES = {
    "sans": "DejaVuSans.ttf",
    "bold": "DejaVuSans-Bold.ttf",
    "oblique": "DejaVuSans-Oblique.ttf",
    "serif": "DejaVuSerif.ttf",
    "bold serif": "DejaVuSerif-Bold.ttf",
    "italic": "DejaVuSerif-Italic.ttf",
    "mono": "DejaVuSansMono.ttf",
    "roman": "cmr10.ttf",
    "typewriter": "cmtt10.ttf",
    "book": "STIXGeneral.ttf",
}
# Values along a side of one glyph's field, which spans -REACH to REACH in object coordinates.
SIDE = 40
REACH = 1.25
# Glyphs are drawn this many times as large, so that distances are exact.
_OVERSAMPLING = 4


def _field(character: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    """Signed distance to a character, float32 [SIDE, SIDE]; row 0 is at the bottom."""
    side = SIDE * _OVERSAMPLING
    left, top, right, bottom = font.getbbox(character)
    canvas = Image.new("L", (side, side))
    origin = ((side - right - left) / 2, (side - bottom - top) / 2)
    ImageDraw.Draw(canvas).text(
        origin,
        character,
        fill=255,
        font=font,
    )
    is_ink = np.asarray(canvas) > 127
    # Distance outside the character minus distance inside it is signed.
    distance = distance_transform_edt(~is_ink) - distance_transform_edt(is_ink)
    # From pixels to object units.
    distance = distance * (2 * REACH / side)
    blocks = distance.reshape(SIDE, _OVERSAMPLING, SIDE, _OVERSAMPLING)
    # Each value is the mean of a block of pixels.
    coarse = blocks.mean((1, 3))
    # Rows of an image run downwards, object coordinates upwards.
    return coarse[::-1].astype(np.float32)


@cache
def atlas() -> np.ndarray:
    """Draw all characters in all typefaces.

    Returns:
        Distance fields, float32 [typefaces, characters, SIDE, SIDE].
    """
    # Importing matplotlib would take long; only its files are needed.
    spec = importlib.util.find_spec("matplotlib")
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    height = int(SIDE * _OVERSAMPLING / REACH)
    fields = []
    for file_name in TYPEFACES.values():
        font = ImageFont.truetype(str(folder / file_name), int(height * 0.95))
        fields.append([_field(character, font) for character in GLYPH_CHARACTERS])
    return np.stack(fields)


def sample(
    fields: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
) -> np.ndarray:
    """Look up values of distance fields, with bilinear interpolation.

    Outside of a field its border value is continued.

    Args:
        fields: float32 [n, SIDE, SIDE], one field per image.
        x: float32 [n, pixels], object coordinates.
        y: float32 [n, pixels], object coordinates.

    Returns:
        float32 [n, pixels].
    """
    field_count = len(fields)
    column = np.clip(
        (x + REACH) * (SIDE / (2 * REACH)) - 0.5,
        0,
        SIDE - 1.001,
    )
    row = np.clip(
        (y + REACH) * (SIDE / (2 * REACH)) - 0.5,
        0,
        SIDE - 1.001,
    )
    left = column.astype(np.int32)
    lower = row.astype(np.int32)
    # Weights of the right and of the upper neighbour.
    right_weight = column - left
    upper_weight = row - lower
    flat = fields.reshape(-1)
    field_start = (np.arange(field_count, dtype=np.int32) * SIDE * SIDE)[:, None]
    index = lower * SIDE + left + field_start
    lower_value = flat[index] * (1 - right_weight) + flat[index + 1] * right_weight
    upper_value = (
        flat[index + SIDE] * (1 - right_weight) + flat[index + SIDE + 1] * right_weight
    )
    return lower_value * (1 - upper_weight) + upper_value * upper_weight
