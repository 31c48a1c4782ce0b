"""Names beside points: each where it covers least, and none over another."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from .texts import fit, width

MANY = 20  # of more models, figures name those alone that a reader looks for
LONGEST = 110  # points of width that a name may take
# Where a name may stand beside its point: horizontal and vertical alignment, offset in points.
PLACES = [
    (h, v, dx * far, dy * far)
    for far in (1, 2.2, 3.6, 5)
    for h, v, dx, dy in (
        ("left", "center", 4, 0),
        ("right", "center", -4, 0),
        ("center", "bottom", 0, 3.5),
        ("center", "top", 0, -3.5),
        ("left", "bottom", 3, 2.5),
        ("right", "bottom", -3, 2.5),
        ("left", "top", 3, -2.5),
        ("right", "top", -3, -2.5),
    )
]


@dataclass(frozen=True)
class Name:
    """A text for the point (x, y), in data coordinates."""

    text: str
    x: float
    y: float
    colour: str


def draw_names(
    axes: Axes,
    names: list[Name],
    size: float,
    points: np.ndarray | None = None,
    curves: list[np.ndarray] = (),
    **properties,
) -> list[str]:
    """Draw names, the first where they like best; of two that would overlap the first stays.

    The limits and the place of the axes must be final.

    Args:
        axes: Of the points.
        names: In the order of their importance.
        size: Of the type, in points.
        points: [n, 2], all that names better not cover; the points of the names if not given.
        curves: [n, 2] each, lines that names better not cover.
        properties: Further ones of the texts.

    Returns:
        Texts of the names for which there was no room.
    """
    if not names:
        return []
    scale = 72 / axes.figure.dpi
    to_points = axes.transData.transform
    at = [tuple(to_points((name.x, name.y)) * scale) for name in names]
    others = at if points is None else to_points(points) * scale
    frame = axes.bbox.extents * scale
    covered = [(x - 2.5, y - 2.5, x + 2.5, y + 2.5) for x, y in others]
    for curve in curves:
        covered += _along(to_points(curve) * scale)
    taken, left_out = [], []
    for (x, y), name in zip(at, names):
        text = fit(name.text, LONGEST, size)
        wide, high = width(text, size), 1.15 * size
        boxes = [(_box(x, y, wide, high, *place), place) for place in PLACES]
        free = [
            (box, place)
            for box, place in boxes
            if _overlap(box, frame) > 0.999 * wide * high
            and not any(_overlap(box, other) > 0 for other in taken)
        ]
        if not free:
            left_out.append(name.text)
            continue
        box, (h, v, dx, dy) = min(free, key=lambda found: _cost(*found, covered))
        taken.append(box)
        far = abs(dx) + abs(dy) > 8
        line = {
            "arrowstyle": "-",
            "lw": 0.3,
            "color": name.colour,
            "shrinkA": 0,
            "shrinkB": 2,
        }
        axes.annotate(
            text,
            (name.x, name.y),
            (dx, dy),
            textcoords="offset points",
            ha=h,
            va=v,
            fontsize=size,
            color=name.colour,
            zorder=6,
            arrowprops=line if far else None,
            **properties,
        )
    return left_out


def _along(curve: np.ndarray) -> list[tuple[float, float, float, float]]:
    """Small boxes along a line, in points."""
    steps = np.linspace(0, len(curve) - 1, 40 * len(curve))
    x, y = (np.interp(steps, np.arange(len(curve)), curve[:, i]) for i in (0, 1))
    return [(a - 0.6, b - 0.6, a + 0.6, b + 0.6) for a, b in zip(x, y)]


def _box(x, y, wide, high, h, v, dx, dy) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of a name."""
    left = x + dx - {"left": 0, "center": wide / 2, "right": wide}[h]
    bottom = y + dy - {"bottom": 0, "center": high / 2, "top": high}[v]
    return left, bottom, left + wide, bottom + high


def _cost(box, place, covered) -> float:
    """Area of points and lines that a name covers, and its way from its point."""
    area = sum(_overlap(box, other) for other in covered)
    return 10 * area + 0.3 * (abs(place[2]) + abs(place[3]))


def _overlap(a, b) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, wide) * max(0.0, high)
