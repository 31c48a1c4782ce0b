"""Named image distributions: what the web, the reference and every shift look like.

A distribution says how scenes are sampled. The class itself does not depend on it. In the reference
each class has a favourite background, colour and material. A model can learn these from reference
images, and the shifts take them away.
"""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Distribution:
    """Sampling ranges of one distribution; lengths are in units of half the image side.

    Attributes:
        styles: Style -> relative frequency.
        favourites: Attribute -> probability that it has the favourite value of the class.
        tilt: Largest rotation in degrees.
        free_rotation: Probability that the rotation is up to 180 degrees instead.
        scale: Range of the size of the object.
        shift: Largest distance from the middle, along each axis.
        shear: Largest shear.
        wobble: Largest amplitude of the waves that deform the object.
        noise: Range of the standard deviation of the pixel noise.
        light: Largest lighting gradient.
        contrast: Range of the contrast.
        faded: Probability that the object's colour is drawn towards that of the background.
        occluded: Probability of a bar over the object.
        softness: Range of the width of edges.
        typefaces: Typefaces of glyphs; None for all.
    """

    styles: dict[str, float] = field(default_factory=lambda: {"photo": 1.0})
    favourites: dict[str, float] = field(default_factory=dict)
    tilt: float = 12.0
    free_rotation: float = 0.0
    scale: tuple[float, float] = (0.62, 0.85)
    shift: float = 0.1
    shear: float = 0.15
    wobble: float = 0.06
    noise: tuple[float, float] = (0.02, 0.08)
    light: float = 0.35
    contrast: tuple[float, float] = (0.8, 1.1)
    faded: float = 0.0
    occluded: float = 0.0
    softness: tuple[float, float] = (0.06, 0.11)
    typefaces: tuple[str, ...] | None = None


_RENDITIONS = {
    "cartoon": 1.0,
    "painting": 1.0,
    "pixel": 1.0,
    "silhouette": 1.0,
    "neon": 1.0,
    "chalk": 1.0,
    "mosaic": 1.0,
}
_FAVOURITES = {
    "background": 0.8,
    "background_colour": 0.8,
    "colour": 0.7,
    "material": 0.6,
}

WEB = Distribution(
    styles={**_RENDITIONS, "photo": 3.0, "sketch": 1.0, "blueprint": 1.0},
    tilt=20.0,
    free_rotation=0.1,
    scale=(0.5, 0.95),
    shift=0.2,
    noise=(0.0, 0.09),
    faded=0.3,
    occluded=0.08,
)
REFERENCE = Distribution(
    favourites=_FAVOURITES,
    noise=(0.03, 0.12),
    faded=0.6,
    occluded=0.2,
)
# The names follow the shifts of ImageNet: V2, renditions (R), Sketch and ObjectNet.
DISTRIBUTIONS = {
    "web": WEB,
    "reference": REFERENCE,
    "v2": replace(
        REFERENCE,
        favourites={name: value - 0.15 for name, value in _FAVOURITES.items()},
        tilt=18.0,
        scale=(0.55, 0.85),
        shift=0.16,
        noise=(0.04, 0.14),
        faded=0.75,
        occluded=0.3,
    ),
    "renditions": Distribution(
        styles=_RENDITIONS,
        tilt=25.0,
        scale=(0.5, 0.85),
        shift=0.2,
        occluded=0.3,
        noise=(0.04, 0.14),
    ),
    "sketch": Distribution(
        styles={"sketch": 1.0},
        tilt=25.0,
        scale=(0.45, 0.8),
        shift=0.25,
        occluded=0.4,
        noise=(0.08, 0.2),
    ),
    "objectnet": Distribution(
        tilt=40.0,
        free_rotation=0.5,
        scale=(0.45, 0.9),
        shift=0.3,
        shear=0.25,
        faded=0.5,
        occluded=0.3,
    ),
    "typeset": Distribution(
        tilt=6.0,
        scale=(0.6, 0.85),
        wobble=0.02,
        shear=0.05,
        faded=0.2,
    ),
    "wide": Distribution(
        styles={"photo": 4.0, "cartoon": 0.5, "painting": 0.5},
        tilt=30.0,
        free_rotation=0.25,
        scale=(0.5, 0.9),
        shift=0.25,
        faded=0.5,
        occluded=0.3,
    ),
}
