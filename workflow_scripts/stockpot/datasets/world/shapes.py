"""Signed distance fields of the object classes.

Every function of a class takes object coordinates x and y (float32 [n, pixels], about -1 to 1, y
upwards) and v (float32 [n, 4], 0 to 1), the parameters that vary within a class. It returns a field
[n, pixels] that is negative inside the shape and grows by about 1 per unit of length outside.

The union of two shapes is the minimum of their fields. The intersection is the maximum. A minus
turns a field inside out.
"""

import numpy as np

from .vocabulary import SHAPES

# One value per pixel, float32 [n, pixels]; or one per image, float32 [n, 1].
Field = np.ndarray
# A length may also be the same for all images.
Length = Field | float


def _disc(x: Field, y: Field, radius: Length) -> Field:
    return np.sqrt(x * x + y * y) - radius


def _rectangle(
    x: Field,
    y: Field,
    half_width: Length,
    half_height: Length,
) -> Field:
    return np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)


def _fold(
    x: Field,
    y: Field,
    n: int,
) -> tuple[Field, Field]:
    """Polar coordinates (radius, angle) folded into one of n equal sectors: -pi/n to pi/n."""
    sector = np.float32(2 * np.pi / n)
    angle = np.arctan2(x, y)
    angle -= sector * np.round(angle / sector)
    return np.sqrt(x * x + y * y), angle


def _triangle(
    x: Field,
    y: Field,
    half_base: Length,
    bottom: Length,
    top: Length,
) -> Field:
    """Isosceles triangle that stands on y = bottom with its tip at y = top."""
    height = top - bottom
    norm = np.sqrt(half_base**2 + height**2)
    side = (np.abs(x) * height + (y - top) * half_base) / norm
    return np.maximum(side, bottom - y)


def _ball(x: Field, y: Field, v: Field) -> Field:
    stretch = 0.85 + 0.3 * v[:, :1]
    return _disc(x * stretch, y / stretch, 0.8)


def _box(x: Field, y: Field, v: Field) -> Field:
    half_width = 0.58 + 0.25 * v[:, :1]
    half_height = 0.58 + 0.25 * v[:, 1:2]
    return _rectangle(x, y, half_width, half_height)


def _pyramid(x: Field, y: Field, v: Field) -> Field:
    half_base = 0.7 + 0.25 * v[:, :1]
    top = 0.6 + 0.35 * v[:, 1:2]
    return _triangle(x, y, half_base, -0.7, top)


def _star(x: Field, y: Field, v: Field) -> Field:
    """Star with five tips: distance to the edge from a tip to the next inner corner."""
    radius, angle = _fold(x, y, 5)
    inner_radius = 0.34 + 0.12 * v[:, :1]
    half_sector = np.float32(np.pi / 5)
    tip_x = 0.0
    tip_y = 0.95
    inner_x = inner_radius * np.sin(half_sector)
    inner_y = inner_radius * np.cos(half_sector)
    # The normal of that edge.
    normal_x = tip_y - inner_y
    normal_y = inner_x - tip_x
    norm = np.sqrt(normal_x**2 + normal_y**2)
    folded_x = radius * np.abs(np.sin(angle))
    folded_y = radius * np.cos(angle)
    return (folded_x * normal_x + (folded_y - tip_y) * normal_y) / norm


def _ring(x: Field, y: Field, v: Field) -> Field:
    stretch = 0.9 + 0.2 * v[:, :1]
    half_width = 0.14 + 0.12 * v[:, 1:2]
    return np.abs(_disc(x * stretch, y / stretch, 0.6)) - half_width


def _cross(x: Field, y: Field, v: Field) -> Field:
    half_width = 0.2 + 0.12 * v[:, :1]
    upright = _rectangle(x, y, half_width, 0.85)
    crossbar = _rectangle(x, y - 0.25 * v[:, 1:2], 0.8, half_width)
    return np.minimum(upright, crossbar)


def _moon(x: Field, y: Field, v: Field) -> Field:
    bite_x = 0.35 + 0.2 * v[:, :1]
    bite_radius = 0.65 + 0.1 * v[:, 1:2]
    bite = _disc(x - bite_x, y - 0.1, bite_radius)
    return np.maximum(_disc(x, y, 0.85), -bite)


def _heart(x: Field, y: Field, v: Field) -> Field:
    """Disc that is bent upwards on both sides."""
    lobe = 0.45 + 0.2 * v[:, :1]
    return _disc(x * 0.92, y + 0.12 - lobe * np.sqrt(np.abs(x)), 0.68)


def _arrow(x: Field, y: Field, v: Field) -> Field:
    neck = 0.05 + 0.3 * v[:, :1]
    shaft = _rectangle(x, y + 0.45, 0.12 + 0.12 * v[:, 1:2], 0.45 + neck)
    head = _triangle(x, y, 0.55 + 0.2 * v[:, 2:3], neck, 0.95)
    return np.minimum(shaft, head)


def _hourglass(x: Field, y: Field, v: Field) -> Field:
    waist = 0.06 + 0.1 * v[:, :1]
    slope = 0.6 + 0.2 * v[:, 1:2]
    flank = (np.abs(x) - waist - slope * np.abs(y)) * 0.8
    return np.maximum(flank, np.abs(y) - 0.85)


def _flower(x: Field, y: Field, v: Field) -> Field:
    radius, angle = _fold(x, y, 6)
    folded_x = radius * np.sin(angle)
    folded_y = radius * np.cos(angle)
    petals = _disc(folded_x, folded_y - 0.58, 0.25 + 0.06 * v[:, :1])
    core = np.abs(radius - 0.13) - 0.1
    return np.minimum(petals, core)


def _gear(x: Field, y: Field, v: Field) -> Field:
    radius, angle = _fold(x, y, 8)
    rim = np.abs(radius - 0.5) - (0.16 + 0.06 * v[:, :1])
    tooth_sides = np.abs(radius * np.sin(angle)) - 0.13
    tooth_ends = np.abs(radius - 0.72) - 0.18
    return np.minimum(rim, np.maximum(tooth_sides, tooth_ends))


def _house(x: Field, y: Field, v: Field) -> Field:
    wall = _rectangle(x, y + 0.35, 0.5 + 0.1 * v[:, :1], 0.45)
    roof = _triangle(x, y, 0.8, 0.05, 0.65 + 0.25 * v[:, 1:2])
    door = _rectangle(x - 0.3 * (v[:, 2:3] - 0.5), y + 0.55, 0.13, 0.26)
    return np.maximum(np.minimum(wall, roof), -door)


def _mushroom(x: Field, y: Field, v: Field) -> Field:
    brim = 0.05 + 0.1 * v[:, :1]
    cap = np.maximum(_disc(x, (y - 0.05) * 1.15, 0.8), brim - y)
    stem = _rectangle(x, y + 0.35, 0.17 + 0.12 * v[:, 1:2], 0.5)
    return np.minimum(cap, stem)


def _key(x: Field, y: Field, v: Field) -> Field:
    bow = np.abs(_disc(x, y - 0.5, 0.3)) - 0.11
    shaft = _rectangle(x, y + 0.35, 0.1, 0.55)
    first_bit = _rectangle(x - 0.22, y + 0.78, 0.16, 0.09)
    second_bit = _rectangle(x - 0.2, y + 0.4 + 0.12 * v[:, :1], 0.14, 0.08)
    return np.minimum(np.minimum(bow, shaft), np.minimum(first_bit, second_bit))


def _fish(x: Field, y: Field, v: Field) -> Field:
    body = _disc((x - 0.15) * 0.95, y * (1.5 + 0.5 * v[:, :1]), 0.66)
    fin_slope = 0.8 + 0.4 * v[:, 1:2]
    fin_sides = (np.abs(y) - (-x - 0.25) * fin_slope) * 0.8
    fin = np.maximum(fin_sides, -x - 0.92)
    eye = _disc(x - 0.48, y - 0.1, 0.09)
    return np.maximum(np.minimum(body, fin), -eye)


_FUNCTIONS = {
    "ball": _ball,
    "box": _box,
    "pyramid": _pyramid,
    "star": _star,
    "ring": _ring,
    "cross": _cross,
    "moon": _moon,
    "heart": _heart,
    "arrow": _arrow,
    "hourglass": _hourglass,
    "flower": _flower,
    "gear": _gear,
    "house": _house,
    "mushroom": _mushroom,
    "key": _key,
    "fish": _fish,
}
# In the order of the vocabulary, so that the index of a shape finds its function.
SHAPE_FUNCTIONS = tuple(_FUNCTIONS[name] for name in SHAPES)
