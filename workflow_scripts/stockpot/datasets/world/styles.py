"""Rendering styles: from distances and patterns to colours.

Every style takes a ``Canvas`` (rows of the same style) and returns float32
[n, 3, pixels] in about [0, 1]. ``warp`` lists the styles that distort the pixel grid first.
"""

from dataclasses import dataclass

import numpy as np

from .vocabulary import STYLES


@dataclass
class Canvas:
    """d: signed distance in image units; m, b: material and background pattern; all [n, pixels].

    colour, ground: [n, 3, 1]. soft: edge width [n, 1]. x, y: the pixel grid [pixels].
    phase: [n, 4].
    """

    d: np.ndarray
    m: np.ndarray
    b: np.ndarray
    colour: np.ndarray
    ground: np.ndarray
    soft: np.ndarray
    light: np.ndarray
    phase: np.ndarray
    x: np.ndarray
    y: np.ndarray

    def inside(self):
        return np.clip(0.5 - self.d / self.soft, 0, 1)[:, None]

    def line(self, width):
        return np.clip(1.2 - np.abs(self.d) / width, 0, 1)[:, None]


def _over(below, above, alpha):
    return below + (above - below) * alpha


def _shaded(colour, pattern, depth):
    return colour * (1 - depth * pattern[:, None])


def photo(c):
    image = _over(_shaded(c.ground, c.b, 0.5), _shaded(c.colour, c.m, 0.55), c.inside())
    image *= (1 + c.light[:, :1] * c.x + c.light[:, 1:] * c.y)[:, None]
    return image


def cartoon(c):
    ground = np.broadcast_to(0.45 + 0.55 * c.ground, (len(c.d), 3, c.d.shape[1]))
    image = _over(ground, _shaded(c.colour, c.m, 0.4), c.inside())
    return image * (1 - c.line(0.09))


def painting(c):
    image = _over(_shaded(c.ground, c.b, 0.3), _shaded(c.colour, c.m, 0.4), c.inside())
    brush = np.sin(9 * c.x + 6.3 * c.phase[:, :1]) * np.sin(
        7 * c.y + 6.3 * c.phase[:, 1:2]
    )
    return 0.12 + 0.76 * image + 0.12 * brush[:, None]


def pixel(c):
    image = _over(_shaded(c.ground, c.b, 0.4), _shaded(c.colour, c.m, 0.45), c.inside())
    return np.round(image * 4) * 0.25


def silhouette(c):
    bright = 0.55 + 0.45 * c.ground
    return _over(bright, 0.06 + 0.1 * c.m[:, None], c.inside())


def neon(c):
    glow = np.exp(-np.square(c.d / 0.13))[:, None]
    core = c.line(0.05)
    fill = 0.22 * c.inside() * c.m[:, None]
    return (
        0.04 + 0.05 * c.ground + (0.25 + 0.75 * c.colour) * (glow + fill) + 0.4 * core
    )


def chalk(c):
    grain = 0.7 + 0.3 * np.sin(57 * c.x + 31 * c.y + 6.3 * c.phase[:, :1])
    stroke = np.maximum(c.line(0.085), 0.5 * c.inside() * c.m[:, None]) * grain[:, None]
    board = np.float32([0.13, 0.2, 0.17])[:, None] + 0.05 * c.ground
    return _over(board, 0.55 + 0.4 * c.colour, stroke)


def mosaic(c):
    image = _over(_shaded(c.ground, c.b, 0.4), _shaded(c.colour, c.m, 0.45), c.inside())
    tile_x, tile_y = (c.x + 1) * 5.333, (c.y + 1) * 5.333
    jitter = np.sin(
        12.9 * np.floor(tile_x) + 78.2 * np.floor(tile_y) + 6.3 * c.phase[:, :1]
    )
    grout = np.maximum(np.cos(6.2832 * tile_x), np.cos(6.2832 * tile_y)) > 0.8
    return (image * (1 + 0.18 * jitter[:, None])) * np.where(grout, 0.45, 1.0)


def sketch(c):
    hatch = np.clip(3 * np.sin(24 * (c.x - c.y) + 6.3 * c.phase[:, :1]) - 1.2, 0, 1)
    fill = c.inside() * (0.35 * hatch + 0.45 * c.m)[:, None]
    ink = np.maximum(c.line(0.07), fill)
    return np.broadcast_to(0.93 - 0.8 * ink, (len(c.d), 3, c.d.shape[1]))


def blueprint(c):
    grid = np.maximum(np.cos(25.13 * c.x), np.cos(25.13 * c.y)) > 0.85
    paper = np.float32([0.1, 0.24, 0.52])[:, None] + 0.12 * grid
    ink = np.maximum(c.line(0.075), 0.45 * c.inside() * c.m[:, None])
    return _over(paper, np.float32(0.92), ink)


STYLE_FUNCTIONS = tuple(globals()[name] for name in STYLES)
SNAPPED = {STYLES.index("pixel"): 10.0, STYLES.index("mosaic"): 16.0}
WARPED = {
    STYLES.index("painting"): 0.05,
    STYLES.index("chalk"): 0.025,
    STYLES.index("sketch"): 0.03,
}
