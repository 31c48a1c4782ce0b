"""Scenes: the parameters of n images, sampled all at once."""

from dataclasses import dataclass, fields

import numpy as np

from .distributions import Distribution
from .glyphs import TYPEFACES
from .vocabulary import COLOURS, GLYPHS, PATTERNS, SHAPES, STYLES

KINDS = ("object", "glyph", "swatch")
SIZES = {
    "shape": len(SHAPES),
    "glyph": len(GLYPHS),
    "style": len(STYLES),
    "colour": len(COLOURS),
    "background_colour": len(COLOURS),
    "material": len(PATTERNS),
    "background": len(PATTERNS),
}
# A class's favourite value of an attribute. Each tie narrows a class down, none names it.
_FAVOURITES = {
    "background": lambda c: c,
    "background_colour": lambda c: c + 3,
    "colour": lambda c: c // 2 + 3 * (c % 2),
    "material": lambda c: c // 4,
    "shape": lambda c: 2 * c + 1,
}


@dataclass
class Scenes:
    """One array of length n per parameter; see ``sample_scenes``."""

    kind: np.ndarray
    shape: np.ndarray
    glyph: np.ndarray
    typeface: np.ndarray
    style: np.ndarray
    colour: np.ndarray
    background_colour: np.ndarray
    material: np.ndarray
    background: np.ndarray
    angle: np.ndarray
    scale: np.ndarray
    shift: np.ndarray  # [n, 2]
    shear: np.ndarray
    mirrored: np.ndarray
    wobble: np.ndarray  # [n, 3]: amplitude, two phases
    variation: np.ndarray  # [n, 4]
    frequency: np.ndarray  # [n, 2]: of the material and of the background
    phase: np.ndarray  # [n, 4]
    tint: np.ndarray  # [n, 2, 3]: colour jitter of object and background
    faint: np.ndarray
    light: np.ndarray  # [n, 2]
    contrast: np.ndarray
    noise: np.ndarray
    softness: np.ndarray
    bar: np.ndarray  # [n, 3]: angle, offset, half width (0: none)
    grain: np.ndarray  # uint32 seed of the pixel noise

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, index: np.ndarray) -> "Scenes":
        return Scenes(*(getattr(self, f.name)[index] for f in fields(self)))


def sample_scenes(
    distribution: Distribution,
    n: int,
    rng: np.random.Generator,
    kinds: dict[str, float] | None = None,
    attribute: str = "shape",
    classes: int | None = None,
) -> Scenes:
    """Draw n scenes; ``attribute`` holds the class, balanced over ``classes`` values.

    Without ``classes`` the attribute is drawn freely and no ties apply (web images).
    """

    def uniform(low, high, *shape):
        return rng.uniform(low, high, (n, *shape)).astype(np.float32)

    def choice(weights: dict[str, float], names) -> np.ndarray:
        p = np.array([weights.get(name, 0.0) for name in names])
        return rng.choice(len(names), n, p=p / p.sum())

    d = distribution
    drawn = {name: rng.integers(0, size, n) for name, size in SIZES.items()}
    drawn["style"] = choice(d.styles, STYLES)
    if classes is not None:
        label = rng.permutation(np.arange(n) % classes)
        drawn[attribute] = label
        for name, probability in d.ties.items():
            if name != attribute:
                tied = rng.random(n) < probability
                favourite = _FAVOURITES[name](label) % SIZES[name]
                drawn[name] = np.where(tied, favourite, drawn[name])
    same = drawn["colour"] == drawn["background_colour"]
    if attribute != "background_colour":
        drawn["background_colour"] = (drawn["background_colour"] + 4 * same) % len(
            COLOURS
        )

    faces = list(TYPEFACES)
    allowed = [faces.index(face) for face in d.typefaces or faces]
    free = rng.random(n) < d.any_angle
    tilt = np.radians(np.where(free, 180.0, d.tilt)) * rng.uniform(-1, 1, n)
    return Scenes(
        kind=choice(kinds or {"object": 1.0}, KINDS),
        typeface=np.array(allowed)[rng.integers(0, len(allowed), n)],
        **drawn,
        angle=tilt.astype(np.float32),
        scale=uniform(*d.scale),
        shift=uniform(-d.shift, d.shift, 2),
        shear=uniform(-d.shear, d.shear),
        mirrored=rng.random(n) < 0.5,
        wobble=uniform(0, 1, 3) * np.float32([d.wobble, 6.28, 6.28]),
        variation=uniform(0, 1, 4),
        frequency=uniform(1.8, 2.8, 2),
        phase=uniform(0, 1, 4),
        tint=uniform(-0.08, 0.08, 2, 3),
        faint=uniform(0.3, 0.72) * (rng.random(n) < d.faint),
        light=uniform(-d.light, d.light, 2),
        contrast=uniform(*d.contrast),
        noise=uniform(*d.noise),
        softness=uniform(*d.softness),
        bar=np.stack(
            [
                rng.uniform(0, np.pi, n),
                rng.uniform(-0.45, 0.45, n),
                rng.uniform(0.08, 0.2, n) * (rng.random(n) < d.occluded),
            ],
            axis=1,
        ).astype(np.float32),
        grain=rng.integers(0, 2**32, n, dtype=np.uint32),
    )
