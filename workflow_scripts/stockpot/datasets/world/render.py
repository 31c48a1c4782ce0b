"""Draw scenes: float32 in blocks that stay in the processor's cache, uint8 images as a result."""

from collections.abc import Iterator

import numpy as np

from . import glyphs, patterns, shapes, styles
from .scene import KINDS, Scenes
from .vocabulary import COLOURS

# Side of an image in pixels.
SIDE = 32
# Images that are drawn at once.
_BLOCK = 64
_PALETTE = np.float32(list(COLOURS.values()))
# Coordinates of the middle of each pixel, from -1 to 1, float32 [SIDE]; y points upwards.
_STEPS = (np.arange(SIDE, dtype=np.float32) + 0.5) * (2 / SIDE)
_GRID_X, _GRID_Y = np.meshgrid(_STEPS - 1, 1 - _STEPS)
# float32 [SIDE * SIDE].
_X = _GRID_X.reshape(-1)
_Y = _GRID_Y.reshape(-1)
_OBJECT, _GLYPH, _SWATCH = range(len(KINDS))


def render(scenes: Scenes) -> np.ndarray:
    """Draw scenes.

    Args:
        scenes: The scenes. The same scenes give the same bytes.

    Returns:
        uint8 [n, 32, 32, 3].
    """
    scene_count = len(scenes)
    images = np.empty((scene_count, SIDE, SIDE, 3), np.uint8)
    for start in range(0, scene_count, _BLOCK):
        stop = min(start + _BLOCK, scene_count)
        block = scenes.take(np.arange(start, stop))
        drawn = _draw(block, np.random.default_rng(block.noise_seed))
        # Adding 0.5 makes the conversion to integers round.
        drawn *= 255
        drawn += 0.5
        np.clip(drawn, 0, 255, out=drawn)
        channels_first = drawn.astype(np.uint8).reshape(
            stop - start,
            3,
            SIDE,
            SIDE,
        )
        images[start:stop] = channels_first.transpose(0, 2, 3, 1)
    return images


def _draw(scenes: Scenes, rng: np.random.Generator) -> np.ndarray:
    """Draw one block: float32 [n, 3, pixels], about 0 to 1."""
    image = _draw_styles(scenes)
    _draw_bars(image, scenes)
    # Contrast is scaled around middle grey.
    image -= 0.5
    image *= scenes.contrast[:, None, None]
    image += 0.5
    noise = rng.standard_normal(image.shape, np.float32)
    image += noise * scenes.noise[:, None, None]
    return image


def _draw_styles(scenes: Scenes) -> np.ndarray:
    """Draw object and background of each scene in its style: float32 [n, 3, pixels]."""
    x, y = _grid(scenes)
    u, v = _object_coordinates(scenes, x, y)
    distance = _distance(scenes, u, v)
    material = _pattern(
        scenes.material,
        u,
        v,
        scenes.frequency[:, 0],
        scenes.phase[:, :2],
    )
    background = _pattern(
        scenes.background,
        x,
        y,
        scenes.frequency[:, 1],
        scenes.phase[:, 2:],
    )
    ground = np.clip(_PALETTE[scenes.background_colour] + scenes.tint[:, 1], 0.05, 1)
    colour = np.clip(_PALETTE[scenes.colour] + scenes.tint[:, 0], 0.05, 1)
    colour = colour + scenes.fading[:, None] * (ground - colour)
    image = np.empty((len(scenes), 3, SIDE * SIDE), np.float32)
    for style, rows in _groups(scenes.style):
        canvas = styles.Canvas(
            distance=distance[rows],
            material=material[rows],
            background=background[rows],
            colour=colour[rows, :, None],
            ground=ground[rows, :, None],
            edge_width=scenes.softness[rows, None],
            light=scenes.light[rows],
            phase=scenes.phase[rows],
            x=_X,
            y=_Y,
        )
        image[rows] = styles.STYLE_FUNCTIONS[style](canvas)
    return image


def _draw_bars(image: np.ndarray, scenes: Scenes) -> None:
    """Draw a bar over the images of scenes that have one."""
    rows = np.flatnonzero(scenes.bar[:, 2] > 0)
    if not len(rows):
        return
    angle = scenes.bar[rows, 0:1]
    offset = scenes.bar[rows, 1:2]
    half_width = scenes.bar[rows, 2:3]
    # Distance of each pixel from the middle line of the bar.
    across = np.abs(_X * np.cos(angle) + _Y * np.sin(angle) - offset)
    alpha = np.clip((half_width - across) * 12, 0, 1)[:, None]
    colour = 0.25 + 0.5 * scenes.phase[rows, :3, None]
    image[rows] += (colour - image[rows]) * alpha


def _groups(keys: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (value, rows) for every value of an integer array."""
    # Sorting by value finds all groups at once.
    order = np.argsort(keys, kind="stable")
    cuts = np.flatnonzero(np.diff(keys[order])) + 1
    for rows in np.split(order, cuts):
        if len(rows):
            yield keys[rows[0]], rows


def _grid(scenes: Scenes) -> tuple[np.ndarray, np.ndarray]:
    """Image coordinates x and y [n, pixels], snapped or warped where the style asks for it."""
    x = np.repeat(
        _X[None],
        len(scenes),
        0,
    )
    y = np.repeat(
        _Y[None],
        len(scenes),
        0,
    )
    for style, cell_count in styles.SNAPPED.items():
        rows = scenes.style == style
        if rows.any():
            x[rows] = _snap(_X, cell_count)
            y[rows] = _snap(_Y, cell_count)
    for style, amount in styles.WARPED.items():
        rows = scenes.style == style
        if rows.any():
            x[rows] += amount * np.sin(11 * _Y + 6.3 * scenes.phase[rows, 2:3])
            y[rows] += amount * np.sin(13 * _X + 6.3 * scenes.phase[rows, 3:4])
    return x, y


def _snap(coordinate: np.ndarray, cell_count: float) -> np.ndarray:
    """Move coordinates to the middle of their cell; cells divide -1 to 1."""
    cell = np.floor((coordinate + 1) * (cell_count / 2))
    return (cell + 0.5) * (2 / cell_count) - 1


def _object_coordinates(
    scenes: Scenes,
    x: np.ndarray,
    y: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates u and v [n, pixels] in which the object is upright and about -1 to 1.

    They undo shift, rotation, scale, mirroring, shear and wobble, in this order.
    """
    cos = np.cos(scenes.angle) / scenes.scale
    sin = np.sin(scenes.angle) / scenes.scale
    x = x - scenes.shift[:, :1]
    y = y - scenes.shift[:, 1:]
    u = x * cos[:, None] + y * sin[:, None]
    v = y * cos[:, None] - x * sin[:, None]
    # Glyphs are not mirrored, as that would change what they mean.
    is_flipped = scenes.mirrored & (scenes.kind == _OBJECT)
    u *= np.where(
        is_flipped,
        np.float32(-1),
        np.float32(1),
    )[:, None]
    u += scenes.shear[:, None] * v
    is_glyph = scenes.kind == _GLYPH
    factor = np.where(
        is_glyph,
        np.float32(2),
        np.float32(1),
    )[:, None]
    amplitude = scenes.wobble[:, :1] * factor
    wobbled_u = u + amplitude * np.sin(3 * v + scenes.wobble[:, 1:2])
    wobbled_v = v + amplitude * np.sin(3 * u + scenes.wobble[:, 2:3])
    return wobbled_u, wobbled_v


def _distance(
    scenes: Scenes,
    u: np.ndarray,
    v: np.ndarray,
) -> np.ndarray:
    """Signed distance in image units, [n, pixels]; a swatch is inside everywhere."""
    distance = np.full_like(u, -4)
    # -1 stands for scenes that show no object.
    shape_indices = np.where(
        scenes.kind == _OBJECT,
        scenes.shape,
        -1,
    )
    for shape, rows in _groups(shape_indices):
        if shape >= 0:
            shape_function = shapes.SHAPE_FUNCTIONS[shape]
            distance[rows] = shape_function(
                u[rows],
                v[rows],
                scenes.variation[rows],
            )
    rows = np.flatnonzero(scenes.kind == _GLYPH)
    if len(rows):
        fields = glyphs.atlas()[scenes.typeface[rows], scenes.glyph[rows]]
        # Subtracting from a distance makes strokes thicker.
        weight = 0.12 * (scenes.variation[rows, :1] - 0.35)
        distance[rows] = (
            glyphs.sample(
                fields,
                u[rows],
                v[rows],
            )
            - weight
        )
    return distance * scenes.scale[:, None]


def _pattern(
    names: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    frequency: np.ndarray,
    phase: np.ndarray,
) -> np.ndarray:
    """Values of the pattern of each scene: float32 [n, pixels].

    ``names`` are indices into ``PATTERNS`` [n], ``frequency`` is [n] and ``phase`` [n, 2].
    """
    values = np.empty_like(u)
    for name, rows in _groups(names):
        scale = frequency[rows, None]
        scaled_u = u[rows] * scale + phase[rows, :1]
        scaled_v = v[rows] * scale + phase[rows, 1:]
        values[rows] = patterns.PATTERN_FUNCTIONS[name](scaled_u, scaled_v)
    return values
