"""From scenes to images: float32 in blocks that stay in the cache, uint8 out."""

import numpy as np

from . import glyphs, patterns, shapes, styles
from .scene import KINDS, Scenes
from .vocabulary import COLOURS

SIDE = 32
_BLOCK = 64
_PALETTE = np.float32(list(COLOURS.values()))
_X, _Y = (
    a.reshape(-1)
    for a in np.meshgrid(
        (np.arange(SIDE, dtype=np.float32) + 0.5) * (2 / SIDE) - 1,
        1 - (np.arange(SIDE, dtype=np.float32) + 0.5) * (2 / SIDE),
    )
)
_OBJECT, _GLYPH, _SWATCH = range(len(KINDS))


def _groups(keys: np.ndarray):
    """(key, rows) for every value of an integer array."""
    order = np.argsort(keys, kind="stable")
    cuts = np.flatnonzero(np.diff(keys[order])) + 1
    for rows in np.split(order, cuts):
        if len(rows):
            yield keys[rows[0]], rows


def _grid(s: Scenes) -> tuple[np.ndarray, np.ndarray]:
    """Image coordinates [n, pixels], snapped or warped where the style asks for it."""
    x, y = (np.repeat(a[None], len(s), 0) for a in (_X, _Y))
    for style, cells in styles.SNAPPED.items():
        rows = s.style == style
        if rows.any():
            x[rows] = (np.floor((_X + 1) * (cells / 2)) + 0.5) * (2 / cells) - 1
            y[rows] = (np.floor((_Y + 1) * (cells / 2)) + 0.5) * (2 / cells) - 1
    for style, amount in styles.WARPED.items():
        rows = s.style == style
        if rows.any():
            x[rows] += amount * np.sin(11 * _Y + 6.3 * s.phase[rows, 2:3])
            y[rows] += amount * np.sin(13 * _X + 6.3 * s.phase[rows, 3:4])
    return x, y


def _object_coordinates(s: Scenes, x: np.ndarray, y: np.ndarray):
    cos, sin = np.cos(s.angle) / s.scale, np.sin(s.angle) / s.scale
    x, y = x - s.shift[:, :1], y - s.shift[:, 1:]
    u = x * cos[:, None] + y * sin[:, None]
    v = y * cos[:, None] - x * sin[:, None]
    flip = s.mirrored & (s.kind == _OBJECT)
    u *= np.where(flip, np.float32(-1), np.float32(1))[:, None]
    u += s.shear[:, None] * v
    amplitude = (
        s.wobble[:, :1]
        * np.where(s.kind == _GLYPH, np.float32(2), np.float32(1))[:, None]
    )
    return (
        u + amplitude * np.sin(3 * v + s.wobble[:, 1:2]),
        v + amplitude * np.sin(3 * u + s.wobble[:, 2:3]),
    )


def _distance(s: Scenes, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Signed distance in image units, [n, pixels]; a swatch is inside everywhere."""
    d = np.full_like(u, -4)
    things = np.where(s.kind == _OBJECT, s.shape, -1)
    for shape, rows in _groups(things):
        if shape >= 0:
            d[rows] = shapes.FIELDS[shape](u[rows], v[rows], s.variation[rows])
    rows = np.flatnonzero(s.kind == _GLYPH)
    if len(rows):
        fields = glyphs.atlas()[s.typeface[rows], s.glyph[rows]]
        weight = 0.12 * (s.variation[rows, :1] - 0.35)
        d[rows] = glyphs.sample(fields, u[rows], v[rows]) - weight
    return d * s.scale[:, None]


def _pattern(names: np.ndarray, u, v, frequency, phase) -> np.ndarray:
    out = np.empty_like(u)
    for name, rows in _groups(names):
        f = frequency[rows, None]
        out[rows] = patterns.FIELDS[name](
            u[rows] * f + phase[rows, :1], v[rows] * f + phase[rows, 1:]
        )
    return out


def _draw(s: Scenes, noise: np.random.Generator) -> np.ndarray:
    """One block: float32 [n, 3, pixels]."""
    x, y = _grid(s)
    u, v = _object_coordinates(s, x, y)
    d = _distance(s, u, v)
    m = _pattern(s.material, u, v, s.frequency[:, 0], s.phase[:, :2])
    b = _pattern(s.background, x, y, s.frequency[:, 1], s.phase[:, 2:])
    ground = np.clip(_PALETTE[s.background_colour] + s.tint[:, 1], 0.05, 1)
    colour = np.clip(_PALETTE[s.colour] + s.tint[:, 0], 0.05, 1)
    colour = colour + s.faint[:, None] * (ground - colour)
    image = np.empty((len(s), 3, SIDE * SIDE), np.float32)
    for style, rows in _groups(s.style):
        canvas = styles.Canvas(
            d=d[rows],
            m=m[rows],
            b=b[rows],
            colour=colour[rows, :, None],
            ground=ground[rows, :, None],
            soft=s.softness[rows, None],
            light=s.light[rows],
            phase=s.phase[rows],
            x=_X,
            y=_Y,
        )
        image[rows] = styles.STYLE_FUNCTIONS[style](canvas)
    barred = np.flatnonzero(s.bar[:, 2] > 0)
    if len(barred):
        angle, offset, width = (s.bar[barred, i : i + 1] for i in range(3))
        across = np.abs(_X * np.cos(angle) + _Y * np.sin(angle) - offset)
        alpha = np.clip((width - across) * 12, 0, 1)[:, None]
        image[barred] += (
            0.25 + 0.5 * s.phase[barred, :3, None] - image[barred]
        ) * alpha
    image -= 0.5
    image *= s.contrast[:, None, None]
    image += 0.5
    image += noise.standard_normal(image.shape, np.float32) * s.noise[:, None, None]
    return image


def render(scenes: Scenes) -> np.ndarray:
    """Draw the scenes: uint8 [n, 32, 32, 3]. The same scenes give the same bytes."""
    n = len(scenes)
    out = np.empty((n, SIDE, SIDE, 3), np.uint8)
    for start in range(0, n, _BLOCK):
        block = scenes.take(np.arange(start, min(start + _BLOCK, n)))
        image = _draw(block, np.random.default_rng(block.grain))
        image *= 255
        image += 0.5
        np.clip(image, 0, 255, out=image)
        out[start : start + len(block)] = (
            image.astype(np.uint8)
            .reshape(len(block), 3, SIDE, SIDE)
            .transpose(0, 2, 3, 1)
        )
    return out
