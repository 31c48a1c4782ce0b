"""The words of the world: what can be drawn, and what it is called."""

SHAPES = (
    "ball",
    "box",
    "pyramid",
    "star",
    "ring",
    "cross",
    "moon",
    "heart",
    "arrow",
    "hourglass",
    "flower",
    "gear",
    "house",
    "mushroom",
    "key",
    "fish",
)

DIGITS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
)
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
GLYPHS = DIGITS + LETTERS
GLYPH_CHARACTERS = "0123456789" + "".join(LETTERS)

PATTERNS = (
    "plain",
    "striped",
    "dotted",
    "checkered",
    "wavy",
    "gridded",
    "zigzag",
    "ringed",
)

STYLES = (
    "photo",
    "cartoon",
    "painting",
    "pixel",
    "silhouette",
    "neon",
    "chalk",
    "mosaic",
    "sketch",
    "blueprint",
)

COLOURS = {
    "red": (0.86, 0.15, 0.16),
    "orange": (0.97, 0.55, 0.12),
    "yellow": (0.95, 0.88, 0.20),
    "green": (0.20, 0.66, 0.25),
    "teal": (0.10, 0.68, 0.70),
    "blue": (0.16, 0.31, 0.85),
    "purple": (0.53, 0.22, 0.75),
    "pink": (0.96, 0.52, 0.74),
}
