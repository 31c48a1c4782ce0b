"""Surface patterns: a value in [0, 1] per pixel, 1 where the second colour shows.

Each function takes two coordinates u and v (float32 [n, pixels], one period per unit of length) and
returns float32 [n, pixels].
"""

import numpy as np

from .vocabulary import PATTERNS

# One value per pixel, float32 [n, pixels].
Field = np.ndarray
# A full turn, 2 pi.
TAU = np.float32(2 * np.pi)


def _soft_step(wave: Field) -> Field:
    """0 where the wave is below -0.2, 1 where it is above 0.2, and linear between."""
    return np.clip(wave * 2.5 + 0.5, 0, 1)


def _plain(u: Field, v: Field) -> Field:
    return np.zeros_like(u)


def _striped(u: Field, v: Field) -> Field:
    return _soft_step(np.sin(TAU * u))


def _dotted(u: Field, v: Field) -> Field:
    return _soft_step(np.cos(TAU * u) + np.cos(TAU * v) - 0.7)


def _checkered(u: Field, v: Field) -> Field:
    return _soft_step(2 * np.sin(TAU * u / 1.5) * np.sin(TAU * v / 1.5))


def _wavy(u: Field, v: Field) -> Field:
    """Stripes whose position is a wave along the stripes."""
    displacement = 0.3 * np.sin(TAU * v / 1.5)
    return _soft_step(np.sin(TAU * (u + displacement)))


def _gridded(u: Field, v: Field) -> Field:
    return _soft_step(np.maximum(np.cos(TAU * u), np.cos(TAU * v)) - 0.75)


def _zigzag(u: Field, v: Field) -> Field:
    """Stripes whose position is a triangle wave along the stripes."""
    triangle_wave = np.abs(v / 1.5 - np.round(v / 1.5))
    return _soft_step(np.sin(TAU * (u + 1.2 * triangle_wave)))


def _ringed(u: Field, v: Field) -> Field:
    radius = np.sqrt(u * u + v * v)
    return _soft_step(np.sin(TAU * radius))


_FUNCTIONS = {
    "plain": _plain,
    "striped": _striped,
    "dotted": _dotted,
    "checkered": _checkered,
    "wavy": _wavy,
    "gridded": _gridded,
    "zigzag": _zigzag,
    "ringed": _ringed,
}
# In the order of the vocabulary, so that the index of a pattern finds its function.
PATTERN_FUNCTIONS = tuple(_FUNCTIONS[name] for name in PATTERNS)
