"""Signed distance fields of the object classes.

Every function takes object coordinates ``x``, ``y`` (float32, [n, pixels], about
[-1, 1], y upwards) and ``v`` (float32, [n, 4], in [0, 1]), the parameters that vary
within a class, and returns a field [n, pixels] that is negative inside the shape and
grows by about 1 per unit of length outside.
"""

import numpy as np

from .vocabulary import SHAPES


def _disc(x, y, radius):
    return np.sqrt(x * x + y * y) - radius


def _rectangle(x, y, half_width, half_height):
    return np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)


def _fold(x, y, n):
    """Polar coordinates folded into one of ``n`` equal sectors, angle within +-pi/n."""
    sector = np.float32(2 * np.pi / n)
    angle = np.arctan2(x, y)
    angle -= sector * np.round(angle / sector)
    return np.sqrt(x * x + y * y), angle


def _triangle(x, y, half_base, bottom, top):
    """Isosceles triangle standing on y = bottom with its tip at y = top."""
    height = top - bottom
    norm = np.sqrt(half_base**2 + height**2)
    side = (np.abs(x) * height + (y - top) * half_base) / norm
    return np.maximum(side, bottom - y)


def ball(x, y, v):
    stretch = 0.85 + 0.3 * v[:, :1]
    return _disc(x * stretch, y / stretch, 0.8)


def box(x, y, v):
    return _rectangle(x, y, 0.58 + 0.25 * v[:, :1], 0.58 + 0.25 * v[:, 1:2])


def pyramid(x, y, v):
    return _triangle(x, y, 0.7 + 0.25 * v[:, :1], -0.7, 0.6 + 0.35 * v[:, 1:2])


def star(x, y, v):
    r, angle = _fold(x, y, 5)
    inner = 0.34 + 0.12 * v[:, :1]
    half = np.float32(np.pi / 5)
    tip_x, tip_y = 0.0, 0.95
    inner_x, inner_y = inner * np.sin(half), inner * np.cos(half)
    normal_x, normal_y = tip_y - inner_y, inner_x - tip_x
    norm = np.sqrt(normal_x**2 + normal_y**2)
    px, py = r * np.abs(np.sin(angle)), r * np.cos(angle)
    return (px * normal_x + (py - tip_y) * normal_y) / norm


def ring(x, y, v):
    stretch = 0.9 + 0.2 * v[:, :1]
    return np.abs(_disc(x * stretch, y / stretch, 0.6)) - (0.14 + 0.12 * v[:, 1:2])


def cross(x, y, v):
    arm = 0.2 + 0.12 * v[:, :1]
    return np.minimum(
        _rectangle(x, y, arm, 0.85), _rectangle(x, y - 0.25 * v[:, 1:2], 0.8, arm)
    )


def moon(x, y, v):
    bite = 0.35 + 0.2 * v[:, :1]
    return np.maximum(
        _disc(x, y, 0.85), -_disc(x - bite, y - 0.1, 0.65 + 0.1 * v[:, 1:2])
    )


def heart(x, y, v):
    lobe = 0.45 + 0.2 * v[:, :1]
    return _disc(x * 0.92, y + 0.12 - lobe * np.sqrt(np.abs(x)), 0.68)


def arrow(x, y, v):
    neck = 0.05 + 0.3 * v[:, :1]
    shaft = _rectangle(x, y + 0.45, 0.12 + 0.12 * v[:, 1:2], 0.45 + neck)
    return np.minimum(shaft, _triangle(x, y, 0.55 + 0.2 * v[:, 2:3], neck, 0.95))


def hourglass(x, y, v):
    waist = 0.06 + 0.1 * v[:, :1]
    flank = (np.abs(x) - waist - (0.6 + 0.2 * v[:, 1:2]) * np.abs(y)) * 0.8
    return np.maximum(flank, np.abs(y) - 0.85)


def flower(x, y, v):
    r, angle = _fold(x, y, 6)
    px, py = r * np.sin(angle), r * np.cos(angle)
    petals = _disc(px, py - 0.58, 0.25 + 0.06 * v[:, :1])
    core = np.abs(r - 0.13) - 0.1
    return np.minimum(petals, core)


def gear(x, y, v):
    r, angle = _fold(x, y, 8)
    rim = np.abs(r - 0.5) - (0.16 + 0.06 * v[:, :1])
    teeth = np.maximum(np.abs(r * np.sin(angle)) - 0.13, np.abs(r - 0.72) - 0.18)
    return np.minimum(rim, teeth)


def house(x, y, v):
    wall = _rectangle(x, y + 0.35, 0.5 + 0.1 * v[:, :1], 0.45)
    roof = _triangle(x, y, 0.8, 0.05, 0.65 + 0.25 * v[:, 1:2])
    door = _rectangle(x - 0.3 * (v[:, 2:3] - 0.5), y + 0.55, 0.13, 0.26)
    return np.maximum(np.minimum(wall, roof), -door)


def mushroom(x, y, v):
    cap = np.maximum(_disc(x, (y - 0.05) * 1.15, 0.8), 0.05 + 0.1 * v[:, :1] - y)
    stem = _rectangle(x, y + 0.35, 0.17 + 0.12 * v[:, 1:2], 0.5)
    return np.minimum(cap, stem)


def key(x, y, v):
    bow = np.abs(_disc(x, y - 0.5, 0.3)) - 0.11
    shaft = _rectangle(x, y + 0.35, 0.1, 0.55)
    bit = _rectangle(x - 0.22, y + 0.78, 0.16, 0.09)
    second = _rectangle(x - 0.2, y + 0.4 + 0.12 * v[:, :1], 0.14, 0.08)
    return np.minimum(np.minimum(bow, shaft), np.minimum(bit, second))


def fish(x, y, v):
    body = _disc((x - 0.15) * 0.95, y * (1.5 + 0.5 * v[:, :1]), 0.66)
    fin = np.maximum(
        (np.abs(y) - (-x - 0.25) * (0.8 + 0.4 * v[:, 1:2])) * 0.8, -x - 0.92
    )
    eye = _disc(x - 0.48, y - 0.1, 0.09)
    return np.maximum(np.minimum(body, fin), -eye)


FIELDS = tuple(globals()[name] for name in SHAPES)
