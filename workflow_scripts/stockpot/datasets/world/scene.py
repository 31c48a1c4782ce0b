"""Scenes: the parameters of n images, sampled all at once."""

from dataclasses import dataclass, fields

import numpy as np

from .distributions import Distribution
from .glyphs import TYPEFACES
from .vocabulary import COLOURS, GLYPHS, PATTERNS, SHAPES, STYLES

KINDS = ("object", "glyph", "swatch")
# Attribute of a scene -> number of its values.
SIZES = {
    "shape": len(SHAPES),
    "glyph": len(GLYPHS),
    "style": len(STYLES),
    "colour": len(COLOURS),
    "background_colour": len(COLOURS),
    "material": len(PATTERNS),
    "background": len(PATTERNS),
}
# Attribute -> the favourite value of a class, from its label. A favourite fits several classes, so
# that it makes a class likelier and never certain.
_FAVOURITES = {
    "background": lambda label: label,
    "background_colour": lambda label: label + 3,
    "colour": lambda label: label // 2 + 3 * (label % 2),
    "material": lambda label: label // 4,
    "shape": lambda label: 2 * label + 1,
}
# An object on a background of its own colour could not be seen, so the background's index is
# increased by this.
_OTHER_COLOUR = 4


@dataclass
class Scenes:
    """The parameters of n images, one array per parameter; see ``sample_scenes``.

    Attributes:
        kind: int [n], index into ``KINDS``.
        shape: int [n], index into ``SHAPES``.
        glyph: int [n], index into ``GLYPHS``.
        typeface: int [n], index into ``TYPEFACES``.
        style: int [n], index into ``STYLES``.
        colour: int [n], colour of the object, index into ``COLOURS``.
        background_colour: int [n], index into ``COLOURS``.
        material: int [n], pattern of the object, index into ``PATTERNS``.
        background: int [n], pattern of the background, index into ``PATTERNS``.
        angle: float32 [n], rotation in radians.
        scale: float32 [n], size of the object; lengths are in units of half the image side.
        shift: float32 [n, 2], position of the object.
        shear: float32 [n].
        mirrored: bool [n].
        wobble: float32 [n, 3], amplitude and two phases of the waves that deform the object.
        variation: float32 [n, 4], parameters that vary within a class, 0 to 1.
        frequency: float32 [n, 2], of the patterns of material and background.
        phase: float32 [n, 4], of patterns and of the waves of styles, 0 to 1.
        tint: float32 [n, 2, 3], change of the colours of object and background.
        fading: float32 [n], how far the object's colour is drawn towards the background's.
        light: float32 [n, 2], lighting gradient along x and y.
        contrast: float32 [n].
        noise: float32 [n], standard deviation of the pixel noise.
        softness: float32 [n], width of edges.
        bar: float32 [n, 3], angle, offset and half width of a bar over the image; width 0 for none.
        noise_seed: uint32 [n], seed of the pixel noise.
    """

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
    shift: np.ndarray
    shear: np.ndarray
    mirrored: np.ndarray
    wobble: np.ndarray
    variation: np.ndarray
    frequency: np.ndarray
    phase: np.ndarray
    tint: np.ndarray
    fading: np.ndarray
    light: np.ndarray
    contrast: np.ndarray
    noise: np.ndarray
    softness: np.ndarray
    bar: np.ndarray
    noise_seed: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, index: np.ndarray) -> "Scenes":
        """Select some of the scenes.

        Args:
            index: int [k], rows in the order of the result.

        Returns:
            k scenes.
        """
        columns = {}
        for column in fields(self):
            columns[column.name] = getattr(self, column.name)[index]
        return Scenes(**columns)


class _Sampler:
    """Draws one value per scene from a random generator."""

    def __init__(self, rng: np.random.Generator, n: int) -> None:
        self.rng = rng
        self.n = n

    def uniform(
        self,
        low: float,
        high: float,
        *shape: int,
    ) -> np.ndarray:
        """Draw evenly distributed numbers.

        Args:
            low: Smallest number.
            high: Largest number.
            *shape: Shape of what is drawn for one scene.

        Returns:
            float32 [n, *shape].
        """
        return self.rng.uniform(low, high, (self.n, *shape)).astype(np.float32)

    def chance(self, probability: float) -> np.ndarray:
        """Draw whether something happens.

        Args:
            probability: How likely it is.

        Returns:
            bool [n].
        """
        return self.rng.random(self.n) < probability

    def choice(self, weights: dict[str, float], names: tuple[str, ...]) -> np.ndarray:
        """Draw names.

        Args:
            weights: Name -> relative frequency; names without a weight do not occur.
            names: All names.

        Returns:
            int [n], indices into ``names``.
        """
        weight = np.array([weights.get(name, 0.0) for name in names])
        return self.rng.choice(
            len(names),
            self.n,
            p=weight / weight.sum(),
        )


def sample_scenes(
    distribution: Distribution,
    n: int,
    rng: np.random.Generator,
    kinds: dict[str, float] | None = None,
    attribute: str = "shape",
    classes: int | None = None,
) -> Scenes:
    """Draw n scenes of a distribution.

    The order of the draws decides which scenes a seed gives, so it must stay as it is.

    Args:
        distribution: How parameters are distributed.
        n: Number of scenes.
        rng: Random generator.
        kinds: Kind of scene -> relative frequency. By default all are objects.
        attribute: Name of the attribute that is the class.
        classes: Number of classes, which are equally frequent. If None, the attribute is drawn like
            all others, and classes have no favourites (web images).

    Returns:
        The scenes.
    """
    sampler = _Sampler(rng, n)
    attributes = _sample_attributes(distribution, sampler, attribute, classes)
    # A few objects are rotated freely.
    is_free = sampler.chance(distribution.free_rotation)
    largest_tilt = np.where(is_free, 180.0, distribution.tilt)
    angle = np.radians(largest_tilt) * rng.uniform(-1, 1, n)
    kind = sampler.choice(kinds or {"object": 1.0}, KINDS)
    typeface_names = list(TYPEFACES)
    typefaces = distribution.typefaces or typeface_names
    allowed = np.array([typeface_names.index(name) for name in typefaces])
    typeface = allowed[rng.integers(0, len(allowed), n)]
    # Keyword arguments are drawn in the order in which they stand here.
    return Scenes(
        kind=kind,
        typeface=typeface,
        **attributes,
        angle=angle.astype(np.float32),
        scale=sampler.uniform(*distribution.scale),
        shift=sampler.uniform(-distribution.shift, distribution.shift, 2),
        shear=sampler.uniform(-distribution.shear, distribution.shear),
        mirrored=sampler.chance(0.5),
        wobble=_sample_wobble(distribution, sampler),
        variation=sampler.uniform(0, 1, 4),
        frequency=sampler.uniform(1.8, 2.8, 2),
        phase=sampler.uniform(0, 1, 4),
        tint=sampler.uniform(
            -0.08,
            0.08,
            2,
            3,
        ),
        fading=sampler.uniform(0.3, 0.72) * sampler.chance(distribution.faded),
        light=sampler.uniform(-distribution.light, distribution.light, 2),
        contrast=sampler.uniform(*distribution.contrast),
        noise=sampler.uniform(*distribution.noise),
        softness=sampler.uniform(*distribution.softness),
        bar=_sample_bar(distribution, sampler),
        noise_seed=rng.integers(
            0,
            2**32,
            n,
            dtype=np.uint32,
        ),
    )


def _sample_attributes(
    distribution: Distribution,
    sampler: _Sampler,
    attribute: str,
    classes: int | None,
) -> dict[str, np.ndarray]:
    """Draw the attributes of ``SIZES``, each int [n]."""
    rng = sampler.rng
    n = sampler.n
    drawn = {name: rng.integers(0, size, n) for name, size in SIZES.items()}
    drawn["style"] = sampler.choice(distribution.styles, STYLES)
    if classes is not None:
        # Each label occurs equally often, in random order.
        label = rng.permutation(np.arange(n) % classes)
        drawn[attribute] = label
        for name, probability in distribution.favourites.items():
            if name == attribute:
                continue
            has_favourite = sampler.chance(probability)
            favourite = _FAVOURITES[name](label) % SIZES[name]
            drawn[name] = np.where(has_favourite, favourite, drawn[name])
    if attribute != "background_colour":
        is_same = drawn["colour"] == drawn["background_colour"]
        changed = drawn["background_colour"] + _OTHER_COLOUR * is_same
        drawn["background_colour"] = changed % len(COLOURS)
    return drawn


def _sample_wobble(distribution: Distribution, sampler: _Sampler) -> np.ndarray:
    """Amplitude and two phases, float32 [n, 3]."""
    largest = np.float32([distribution.wobble, 6.28, 6.28])
    return sampler.uniform(0, 1, 3) * largest


def _sample_bar(distribution: Distribution, sampler: _Sampler) -> np.ndarray:
    """Angle, offset and half width, float32 [n, 3]; the width is 0 where there is no bar."""
    rng = sampler.rng
    n = sampler.n
    angle = rng.uniform(0, np.pi, n)
    offset = rng.uniform(-0.45, 0.45, n)
    half_width = rng.uniform(0.08, 0.2, n) * sampler.chance(distribution.occluded)
    return np.stack([angle, offset, half_width], axis=1).astype(np.float32)
