"""The classification tasks of the synthetic world.

Task -> (kind of scene, attribute of the scene that is the class, class names).
"""

from .vocabulary import COLOURS, DIGITS, PATTERNS, SHAPES

TASKS = {
    "objects": ("object", "shape", SHAPES),
    "digits": ("glyph", "glyph", DIGITS),
    "textures": ("swatch", "material", PATTERNS),
    "colours": ("object", "colour", tuple(COLOURS)),
}
