"""Named image distributions: what the web, the reference and every shift look like.

A distribution says how scenes are sampled. Nothing here is about classes; the ties of
the reference (a class's favourite background, colour and material) are what a model
can learn from reference images and what the shifts take away.
"""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Distribution:
    """Sampling ranges of one distribution; lengths in units of half the image side.

    styles: relative weights. ties: attribute -> probability of the class's favourite
    value. tilt, any_angle: spread of the rotation (degrees) and probability of a free
    one. scale, shift, shear, wobble: pose and deformation. noise: range of the pixel
    noise. light: strength of the lighting gradient. contrast: range. faint: probability
    that the object's colour is drawn towards the background. occluded: probability of a
    bar over the object. softness: range of the edge width.
    """

    styles: dict[str, float] = field(default_factory=lambda: {"photo": 1.0})
    ties: dict[str, float] = field(default_factory=dict)
    tilt: float = 12.0
    any_angle: float = 0.0
    scale: tuple[float, float] = (0.62, 0.85)
    shift: float = 0.1
    shear: float = 0.15
    wobble: float = 0.06
    noise: tuple[float, float] = (0.02, 0.08)
    light: float = 0.35
    contrast: tuple[float, float] = (0.8, 1.1)
    faint: float = 0.0
    occluded: float = 0.0
    softness: tuple[float, float] = (0.06, 0.11)
    typefaces: tuple[str, ...] | None = None


_RENDITIONS = {
    style: 1.0
    for style in (
        "cartoon",
        "painting",
        "pixel",
        "silhouette",
        "neon",
        "chalk",
        "mosaic",
    )
}
_TIES = {"background": 0.8, "background_colour": 0.8, "colour": 0.7, "material": 0.6}

WEB = Distribution(
    styles={**_RENDITIONS, "photo": 3.0, "sketch": 1.0, "blueprint": 1.0},
    tilt=20.0,
    any_angle=0.1,
    scale=(0.5, 0.95),
    shift=0.2,
    noise=(0.0, 0.09),
    faint=0.3,
    occluded=0.08,
)
REFERENCE = Distribution(ties=_TIES, noise=(0.03, 0.12), faint=0.6, occluded=0.2)
DISTRIBUTIONS = {
    "web": WEB,
    "reference": REFERENCE,
    "v2": replace(
        REFERENCE,
        ties={name: p - 0.15 for name, p in _TIES.items()},
        tilt=18.0,
        scale=(0.55, 0.85),
        shift=0.16,
        noise=(0.04, 0.14),
        faint=0.75,
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
        any_angle=0.5,
        scale=(0.45, 0.9),
        shift=0.3,
        shear=0.25,
        faint=0.5,
        occluded=0.3,
    ),
    "typeset": Distribution(
        tilt=6.0, scale=(0.6, 0.85), wobble=0.02, shear=0.05, faint=0.2
    ),
    "wide": Distribution(
        styles={"photo": 4.0, "cartoon": 0.5, "painting": 0.5},
        tilt=30.0,
        any_angle=0.25,
        scale=(0.5, 0.9),
        shift=0.25,
        faint=0.5,
        occluded=0.3,
    ),
}
