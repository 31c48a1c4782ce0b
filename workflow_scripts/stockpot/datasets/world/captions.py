"""Captions as on the web: varied, partial, sometimes about something else."""

import numpy as np

from .glyphs import TYPEFACES
from .scene import KINDS, Scenes
from .vocabulary import COLOURS, DIGITS, GLYPHS, PATTERNS, SHAPES, STYLES

# Probabilities that a caption names no class, or a wrong one.
WITHOUT_CLASS = 0.10
WRONG_CLASS = 0.05

# Probabilities of optional words.
_ADJECTIVE = 0.55
_SWATCH_COLOUR = 0.6
_NUMBER_FOR_DIGIT = 0.4
_BACKGROUND_PATTERN = 0.5
_BACKGROUND_NAMED = 0.3

# Styles in which the colour of an object, or its background, can be seen.
STYLES_WITH_COLOUR = frozenset(
    {"photo", "cartoon", "painting", "pixel", "neon", "chalk", "mosaic"}
)
STYLES_WITH_BACKGROUND = frozenset({"photo", "painting", "pixel", "mosaic"})

# Style -> what captions call it.
MEDIA = {
    "photo": ("photo", "snapshot", "picture"),
    "cartoon": ("cartoon", "comic drawing"),
    "painting": ("painting", "watercolour"),
    "pixel": ("pixel art image", "sprite"),
    "silhouette": ("silhouette", "shadow"),
    "neon": ("neon sign", "glowing image"),
    "chalk": ("chalk drawing", "blackboard picture"),
    "mosaic": ("mosaic", "tiled picture"),
    "sketch": ("sketch", "pencil drawing"),
    "blueprint": ("blueprint", "technical drawing"),
}
_TEMPLATES = (
    "a {medium} of {thing}",
    "{thing}",
    "a {medium} showing {thing}",
    "my {medium} of {thing}",
    "one {medium} , {thing}",
    "here is {thing} in a {medium}",
    "a small {medium} of {thing}",
    "a good {medium} of {thing}",
)
_TEMPLATES_WITH_BACKGROUND = (
    "{thing} on a {ground} background",
    "a {medium} of {thing} on {ground}",
    "{thing} in front of a {ground} wall",
)
_TEMPLATES_WITHOUT_CLASS = (
    "a {medium}",
    "a nice {medium} for the wall",
    "something on a {ground} background",
    "my new {medium}",
    "best {medium} of the year",
    "look at this",
)
_SWATCH_NOUNS = ("texture", "surface", "pattern")

# Kind of scene -> names of its classes.
_CLASS_NAMES = {
    "object": SHAPES,
    "glyph": GLYPHS,
    "swatch": PATTERNS,
}
_COLOUR_NAMES = tuple(COLOURS)
_TYPEFACE_NAMES = tuple(TYPEFACES)


def captions(scenes: Scenes, rng: np.random.Generator) -> list[str]:
    """Write one caption per scene.

    Args:
        scenes: The scenes.
        rng: Chooses the words. Another generator gives other words for the same images.

    Returns:
        Captions in the order of the scenes.
    """
    return [_caption(scenes, row, rng) for row in range(len(scenes))]


def _caption(
    scenes: Scenes,
    row: int,
    rng: np.random.Generator,
) -> str:
    """Write the caption of one scene.

    The order of the draws decides which captions a seed gives, so it must stay as it is.
    """
    kind = KINDS[scenes.kind[row]]
    style = STYLES[scenes.style[row]]
    medium = MEDIA[style][rng.integers(len(MEDIA[style]))]
    ground = _COLOUR_NAMES[scenes.background_colour[row]]
    if rng.random() < _BACKGROUND_PATTERN:
        ground = f"{ground} {PATTERNS[scenes.background[row]]}"
    luck = rng.random()
    if luck < WITHOUT_CLASS:
        template = _choose(_TEMPLATES_WITHOUT_CLASS, rng)
        return template.format(medium=medium, ground=ground)
    class_index = _class_index(scenes, kind, row)
    if luck < WITHOUT_CLASS + WRONG_CLASS:
        class_index = rng.integers(len(_CLASS_NAMES[kind]))
    thing = _thing(
        scenes,
        row,
        _CLASS_NAMES[kind][class_index],
        rng,
    )
    templates = _TEMPLATES
    shows_background = style in STYLES_WITH_BACKGROUND and kind != "swatch"
    if shows_background and rng.random() < _BACKGROUND_NAMED:
        templates = _TEMPLATES_WITH_BACKGROUND
    template = _choose(templates, rng)
    return template.format(medium=medium, thing=thing, ground=ground)


def _choose(texts: tuple[str, ...], rng: np.random.Generator) -> str:
    return texts[rng.integers(len(texts))]


def _class_index(
    scenes: Scenes,
    kind: str,
    row: int,
) -> int:
    if kind == "object":
        return scenes.shape[row]
    if kind == "glyph":
        return scenes.glyph[row]
    return scenes.material[row]


def _thing(
    scenes: Scenes,
    row: int,
    class_name: str,
    rng: np.random.Generator,
) -> str:
    """Describe what a scene shows, with this name for its class."""
    kind = KINDS[scenes.kind[row]]
    style = STYLES[scenes.style[row]]
    colour = ""
    if style in STYLES_WITH_COLOUR:
        colour = _COLOUR_NAMES[scenes.colour[row]]
    pattern = ""
    if kind == "object":
        pattern = PATTERNS[scenes.material[row]]
    adjectives = []
    for adjective in (colour, pattern):
        # Nothing is drawn for an adjective that does not apply.
        if adjective and rng.random() < _ADJECTIVE:
            adjectives.append(adjective)
    if kind == "object":
        return " ".join(["a", *adjectives, class_name])
    if kind == "swatch":
        return _swatch(colour, class_name, rng)
    typeface = _TYPEFACE_NAMES[scenes.typeface[row]]
    return _glyph(adjectives, class_name, typeface, rng)


def _swatch(
    colour: str,
    pattern: str,
    rng: np.random.Generator,
) -> str:
    """Describe a surface."""
    noun = _choose(_SWATCH_NOUNS, rng)
    words = ["a"]
    if colour and rng.random() < _SWATCH_COLOUR:
        words.append(colour)
    return " ".join([*words, pattern, noun])


def _glyph(
    adjectives: list[str],
    name: str,
    typeface: str,
    rng: np.random.Generator,
) -> str:
    """Describe a digit or a letter."""
    noun = "letter"
    if name in DIGITS:
        noun = "number" if rng.random() < _NUMBER_FOR_DIGIT else "digit"
    endings = ("", f" in {typeface} type", " in print")
    ending = endings[rng.choice(3, p=(0.6, 0.3, 0.1))]
    return " ".join(["the", *adjectives, noun, name]) + ending
