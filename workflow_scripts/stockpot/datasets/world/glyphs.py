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
SIDE = 40  # texels of one glyph's field, which spans [-1.25, 1.25]
REACH = 1.25
_OVERSAMPLING = 4


def _field(character: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    """Signed distance [SIDE, SIDE] (float32, object units, row 0 at the bottom)."""
    side = SIDE * _OVERSAMPLING
    left, top, right, bottom = font.getbbox(character)
    canvas = Image.new("L", (side, side))
    origin = ((side - right - left) / 2, (side - bottom - top) / 2)
    ImageDraw.Draw(canvas).text(origin, character, fill=255, font=font)
    ink = np.asarray(canvas) > 127
    distance = distance_transform_edt(~ink) - distance_transform_edt(ink)
    distance = distance * (2 * REACH / side)
    coarse = distance.reshape(SIDE, _OVERSAMPLING, SIDE, _OVERSAMPLING).mean((1, 3))
    return coarse[::-1].astype(np.float32)


@cache
def atlas() -> np.ndarray:
    """All fields: float32 [typefaces, characters, SIDE, SIDE]."""
    spec = importlib.util.find_spec("matplotlib")
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    height = int(SIDE * _OVERSAMPLING / REACH)
    fonts = [
        ImageFont.truetype(str(folder / name), int(height * 0.95))
        for name in TYPEFACES.values()
    ]
    return np.stack([[_field(c, font) for c in GLYPH_CHARACTERS] for font in fonts])


def sample(fields: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear look-up of one field per row.

    fields: float32 [n, SIDE, SIDE]; x, y: float32 [n, pixels]. Outside the field its
    border value is continued.
    """
    n = len(fields)
    column = np.clip((x + REACH) * (SIDE / (2 * REACH)) - 0.5, 0, SIDE - 1.001)
    row = np.clip((y + REACH) * (SIDE / (2 * REACH)) - 0.5, 0, SIDE - 1.001)
    c, r = column.astype(np.int32), row.astype(np.int32)
    fc, fr = column - c, row - r
    flat = fields.reshape(-1)
    index = r * SIDE + c + (np.arange(n, dtype=np.int32) * SIDE * SIDE)[:, None]
    low = flat[index] * (1 - fc) + flat[index + 1] * fc
    high = flat[index + SIDE] * (1 - fc) + flat[index + SIDE + 1] * fc
    return low * (1 - fr) + high * fr
