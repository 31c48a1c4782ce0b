"""Surface patterns: a value in [0, 1] per pixel, 1 where the second colour shows."""

import numpy as np

from .vocabulary import PATTERNS

TAU = np.float32(2 * np.pi)


def _soft_step(wave):
    return np.clip(wave * 2.5 + 0.5, 0, 1)


def plain(u, v):
    return np.zeros_like(u)


def striped(u, v):
    return _soft_step(np.sin(TAU * u))


def dotted(u, v):
    return _soft_step(np.cos(TAU * u) + np.cos(TAU * v) - 0.7)


def checkered(u, v):
    return _soft_step(2 * np.sin(TAU * u / 1.5) * np.sin(TAU * v / 1.5))


def wavy(u, v):
    return _soft_step(np.sin(TAU * (u + 0.3 * np.sin(TAU * v / 1.5))))


def gridded(u, v):
    return _soft_step(np.maximum(np.cos(TAU * u), np.cos(TAU * v)) - 0.75)


def zigzag(u, v):
    fold = np.abs(v / 1.5 - np.round(v / 1.5))
    return _soft_step(np.sin(TAU * (u + 1.2 * fold)))


def ringed(u, v):
    return _soft_step(np.sin(TAU * np.sqrt(u * u + v * v)))


FIELDS = tuple(globals()[name] for name in PATTERNS)
