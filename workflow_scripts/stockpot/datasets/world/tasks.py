"""The questions that the world is asked: task -> (kind of scene, attribute, class names)."""

from .vocabulary import COLOURS, DIGITS, PATTERNS, SHAPES

TASKS = {
    "objects": ("object", "shape", SHAPES),
    "digits": ("glyph", "glyph", DIGITS),
    "textures": ("swatch", "material", PATTERNS),
    "colours": ("object", "colour", tuple(COLOURS)),
}
