"""Captions as on the web: varied, partial, sometimes about something else."""

import numpy as np

from .glyphs import TYPEFACES
from .scene import KINDS, Scenes
from .vocabulary import COLOURS, DIGITS, GLYPHS, PATTERNS, SHAPES, STYLES

WITHOUT_CLASS = 0.10
WRONG_CLASS = 0.05

# What a style leaves visible.
COLOURED = frozenset(
    {"photo", "cartoon", "painting", "pixel", "neon", "chalk", "mosaic"}
)
GROUNDED = frozenset({"photo", "painting", "pixel", "mosaic"})

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
_THING = (
    "a {medium} of {thing}",
    "{thing}",
    "a {medium} showing {thing}",
    "my {medium} of {thing}",
    "one {medium} , {thing}",
    "here is {thing} in a {medium}",
    "a small {medium} of {thing}",
    "a good {medium} of {thing}",
)
_GROUNDED = (
    "{thing} on a {ground} background",
    "a {medium} of {thing} on {ground}",
    "{thing} in front of a {ground} wall",
)
_NO_CLASS = (
    "a {medium}",
    "a nice {medium} for the wall",
    "something on a {ground} background",
    "my new {medium}",
    "best {medium} of the year",
    "look at this",
)


def _thing(kind: str, name: str, colour: str, pattern: str, typeface: str, rng) -> str:
    adjectives = [a for a in (colour, pattern) if a and rng.random() < 0.55]
    if kind == "object":
        return " ".join(["a", *adjectives, name])
    if kind == "swatch":
        noun = ("texture", "surface", "pattern")[rng.integers(3)]
        return " ".join(
            ["a", *([colour] if colour and rng.random() < 0.6 else []), name, noun]
        )
    noun = "digit" if name in DIGITS else "letter"
    noun = "number" if noun == "digit" and rng.random() < 0.4 else noun
    ending = ("", f" in {typeface} type", " in print")[rng.choice(3, p=(0.6, 0.3, 0.1))]
    return " ".join(["the", *adjectives, noun, name]) + ending


def captions(scenes: Scenes, rng: np.random.Generator) -> list[str]:
    """One caption per scene; a fresh draw gives other words for the same images."""
    colours, faces = tuple(COLOURS), tuple(TYPEFACES)
    names = {"object": SHAPES, "glyph": GLYPHS, "swatch": PATTERNS}
    index = {"object": scenes.shape, "glyph": scenes.glyph, "swatch": scenes.material}
    texts = []
    for i in range(len(scenes)):
        kind, style = KINDS[scenes.kind[i]], STYLES[scenes.style[i]]
        medium = MEDIA[style][rng.integers(len(MEDIA[style]))]
        ground = colours[scenes.background_colour[i]]
        pattern = PATTERNS[scenes.background[i]]
        ground = f"{ground} {pattern}" if rng.random() < 0.5 else ground
        luck = rng.random()
        if luck < WITHOUT_CLASS:
            text = _NO_CLASS[rng.integers(len(_NO_CLASS))]
            texts.append(text.format(medium=medium, ground=ground))
            continue
        which = index[kind][i]
        if luck < WITHOUT_CLASS + WRONG_CLASS:
            which = rng.integers(len(names[kind]))
        thing = _thing(
            kind,
            names[kind][which],
            colours[scenes.colour[i]] if style in COLOURED else "",
            PATTERNS[scenes.material[i]] if kind == "object" else "",
            faces[scenes.typeface[i]],
            rng,
        )
        forms = _THING
        if style in GROUNDED and kind != "swatch" and rng.random() < 0.3:
            forms = _GROUNDED
        text = forms[rng.integers(len(forms))]
        texts.append(text.format(medium=medium, thing=thing, ground=ground))
    return texts
