"""Rendering styles: from distances and patterns to colours.

The function of a style takes a ``Canvas`` with n images of that style and returns float32
[n, 3, pixels] in about [0, 1]. ``SNAPPED`` and ``WARPED`` list the styles that distort the pixel
grid first.
"""

from dataclasses import dataclass

import numpy as np

from .vocabulary import STYLES

# A full turn, 2 pi, of the phase of a wave.
_TURN = 6.3


@dataclass
class Canvas:
    """What images of one style are drawn from.

    Attributes:
        distance: Signed distance to the object in image units, float32 [n, pixels].
        material: Pattern of the object, float32 [n, pixels].
        background: Pattern of the background, float32 [n, pixels].
        colour: Colour of the object, float32 [n, 3, 1].
        ground: Colour of the background, float32 [n, 3, 1].
        edge_width: Width over which the edge of the object is blurred, float32 [n, 1].
        light: Lighting gradient along x and y, float32 [n, 2].
        phase: Random phases of waves, float32 [n, 4].
        x: Horizontal coordinates of the pixels, float32 [pixels].
        y: Vertical coordinates of the pixels, float32 [pixels].
    """

    distance: np.ndarray
    material: np.ndarray
    background: np.ndarray
    colour: np.ndarray
    ground: np.ndarray
    edge_width: np.ndarray
    light: np.ndarray
    phase: np.ndarray
    x: np.ndarray
    y: np.ndarray

    def inside(self) -> np.ndarray:
        """Compute the mask of the object.

        Returns:
            float32 [n, 1, pixels], 1 inside the object, 0 outside.
        """
        return np.clip(0.5 - self.distance / self.edge_width, 0, 1)[:, None]

    def line(self, width: float) -> np.ndarray:
        """Compute the mask of the outline of the object.

        Args:
            width: Half the width of the line in image units.

        Returns:
            float32 [n, 1, pixels], 1 on the outline, 0 elsewhere.
        """
        return np.clip(1.2 - np.abs(self.distance) / width, 0, 1)[:, None]

    def filled(self, ground_depth: float, colour_depth: float) -> np.ndarray:
        """Draw the object on the background, each with its pattern.

        Args:
            ground_depth: How much the pattern darkens the background, 0 to 1.
            colour_depth: How much the pattern darkens the object, 0 to 1.

        Returns:
            float32 [n, 3, pixels].
        """
        ground = _shaded(self.ground, self.background, ground_depth)
        object_colour = _shaded(self.colour, self.material, colour_depth)
        return _over(ground, object_colour, self.inside())

    def over_pixels(self, image: np.ndarray) -> np.ndarray:
        """Broadcast an image to the shape of a result.

        Args:
            image: float32 [n, 1 or 3, 1 or pixels].

        Returns:
            float32 [n, 3, pixels].
        """
        image_count, pixel_count = self.distance.shape
        return np.broadcast_to(image, (image_count, 3, pixel_count))


def _over(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lay one colour over another; alpha is 1 where only the upper one shows."""
    return below + (above - below) * alpha


def _shaded(colour: np.ndarray, pattern: np.ndarray, depth: float) -> np.ndarray:
    """Darken a colour where the pattern is 1."""
    return colour * (1 - depth * pattern[:, None])


def _photo(canvas: Canvas) -> np.ndarray:
    image = canvas.filled(0.5, 0.55)
    light_x = canvas.light[:, :1] * canvas.x
    light_y = canvas.light[:, 1:] * canvas.y
    image *= (1 + light_x + light_y)[:, None]
    return image


def _cartoon(canvas: Canvas) -> np.ndarray:
    """Bright and plain background, black outline."""
    ground = canvas.over_pixels(0.45 + 0.55 * canvas.ground)
    object_colour = _shaded(canvas.colour, canvas.material, 0.4)
    image = _over(ground, object_colour, canvas.inside())
    return image * (1 - canvas.line(0.09))


def _painting(canvas: Canvas) -> np.ndarray:
    """Pale colours with broad brush strokes."""
    image = canvas.filled(0.3, 0.4)
    stroke_x = np.sin(9 * canvas.x + _TURN * canvas.phase[:, :1])
    stroke_y = np.sin(7 * canvas.y + _TURN * canvas.phase[:, 1:2])
    brush = stroke_x * stroke_y
    return 0.12 + 0.76 * image + 0.12 * brush[:, None]


def _pixel(canvas: Canvas) -> np.ndarray:
    """Five levels per channel; ``SNAPPED`` makes the large pixels."""
    image = canvas.filled(0.4, 0.45)
    return np.round(image * 4) * 0.25


def _silhouette(canvas: Canvas) -> np.ndarray:
    bright = 0.55 + 0.45 * canvas.ground
    dark = 0.06 + 0.1 * canvas.material[:, None]
    return _over(bright, dark, canvas.inside())


def _neon(canvas: Canvas) -> np.ndarray:
    """Glowing outline on a dark background."""
    # The glow falls off as a Gaussian on both sides of the outline.
    glow = np.exp(-np.square(canvas.distance / 0.13))[:, None]
    core = canvas.line(0.05)
    fill = 0.22 * canvas.inside() * canvas.material[:, None]
    tube = (0.25 + 0.75 * canvas.colour) * (glow + fill)
    return 0.04 + 0.05 * canvas.ground + tube + 0.4 * core


def _chalk(canvas: Canvas) -> np.ndarray:
    """Grainy lines on a green blackboard."""
    grain = 0.7 + 0.3 * np.sin(
        57 * canvas.x + 31 * canvas.y + _TURN * canvas.phase[:, :1]
    )
    fill = 0.5 * canvas.inside() * canvas.material[:, None]
    stroke = np.maximum(canvas.line(0.085), fill) * grain[:, None]
    board = np.float32([0.13, 0.2, 0.17])[:, None] + 0.05 * canvas.ground
    return _over(board, 0.55 + 0.4 * canvas.colour, stroke)


def _mosaic(canvas: Canvas) -> np.ndarray:
    """Tiles of varying brightness with dark joints."""
    image = canvas.filled(0.4, 0.45)
    tile_x = (canvas.x + 1) * 5.333
    tile_y = (canvas.y + 1) * 5.333
    # The sine of a large number is as good as random; it is the same for all pixels of a tile.
    jitter = np.sin(
        12.9 * np.floor(tile_x) + 78.2 * np.floor(tile_y) + _TURN * canvas.phase[:, :1]
    )
    # 6.2832 is 2 pi: one joint per tile.
    is_joint = np.maximum(np.cos(6.2832 * tile_x), np.cos(6.2832 * tile_y)) > 0.8
    return (image * (1 + 0.18 * jitter[:, None])) * np.where(is_joint, 0.45, 1.0)


def _sketch(canvas: Canvas) -> np.ndarray:
    """Grey pencil lines with hatching on white paper."""
    wave = np.sin(24 * (canvas.x - canvas.y) + _TURN * canvas.phase[:, :1])
    # Strokes are where the wave is high.
    hatch = np.clip(3 * wave - 1.2, 0, 1)
    fill = canvas.inside() * (0.35 * hatch + 0.45 * canvas.material)[:, None]
    ink = np.maximum(canvas.line(0.07), fill)
    return canvas.over_pixels(0.93 - 0.8 * ink)


def _blueprint(canvas: Canvas) -> np.ndarray:
    """White lines on blue paper with a grid."""
    # 25.13 is 8 pi: eight lines along each side.
    is_grid = np.maximum(np.cos(25.13 * canvas.x), np.cos(25.13 * canvas.y)) > 0.85
    paper = np.float32([0.1, 0.24, 0.52])[:, None] + 0.12 * is_grid
    fill = 0.45 * canvas.inside() * canvas.material[:, None]
    ink = np.maximum(canvas.line(0.075), fill)
    return _over(paper, np.float32(0.92), ink)


_FUNCTIONS = {
    "photo": _photo,
    "cartoon": _cartoon,
    "painting": _painting,
    "pixel": _pixel,
    "silhouette": _silhouette,
    "neon": _neon,
    "chalk": _chalk,
    "mosaic": _mosaic,
    "sketch": _sketch,
    "blueprint": _blueprint,
}
# In the order of the vocabulary, so that the index of a style finds its function.
STYLE_FUNCTIONS = tuple(_FUNCTIONS[name] for name in STYLES)
# Index of a style -> number of large pixels along a side.
SNAPPED = {STYLES.index("pixel"): 10.0, STYLES.index("mosaic"): 16.0}
# Index of a style -> how far waves displace pixels, in image units.
WARPED = {
    STYLES.index("painting"): 0.05,
    STYLES.index("chalk"): 0.025,
    STYLES.index("sketch"): 0.03,
}
