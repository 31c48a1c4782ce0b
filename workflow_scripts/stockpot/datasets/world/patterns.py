"""Surface patterns: a value in [0, 1] per pixel, 1 where the second colour shows.

Each function takes two coordinates u and v (float32 [n, pixels], one period per unit of length) and
returns float32 [n, pixels].
"""

import numpy as np

from .vocabulary import PATTERNS

# A full turn, 2 pi.
TAU = np.float32(2 * np.pi)


def _soft_step(wave: np.ndarray) -> np.ndarray:
    """0 where the wave is below -0.2, 1 where it is above 0.2, and linear between."""
    return np.clip(wave * 2.5 + 0.5, 0, 1)


def _plain(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.zeros_like(u)


def _striped(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _soft_step(np.sin(TAU * u))


def _dotted(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _soft_step(np.cos(TAU * u) + np.cos(TAU * v) - 0.7)


def _checkered(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _soft_step(2 * np.sin(TAU * u / 1.5) * np.sin(TAU * v / 1.5))


def _wavy(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Stripes whose position is a wave along the stripes."""
    displacement = 0.3 * np.sin(TAU * v / 1.5)
    return _soft_step(np.sin(TAU * (u + displacement)))


def _gridded(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _soft_step(np.maximum(np.cos(TAU * u), np.cos(TAU * v)) - 0.75)


def _zigzag(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Stripes whose position is a triangle wave along the stripes."""
    triangle_wave = np.abs(v / 1.5 - np.round(v / 1.5))
    return _soft_step(np.sin(TAU * (u + 1.2 * triangle_wave)))


def _ringed(u: np.ndarray, v: np.ndarray) -> np.ndarray:
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
