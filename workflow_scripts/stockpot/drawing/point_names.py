"""Names beside points: each where it covers least, and none over another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from .texts import fit_text, text_width

MANY = 20  # of more models, figures name only those that a reader looks for
LONGEST = 110  # points of width that a name may take
LINE_HEIGHT = 1.15  # of a line of text, over the size of its type
POINT_RADIUS = 2.5  # half the width of a point, in points of type
LINE_RADIUS = 0.6  # half the width of a line
FAR = 8  # points of offset from which on a line joins a name to its point


class Placement(NamedTuple):
    """Where a name may stand beside its point.

    Attributes:
        horizontal: Side of the name that is at the offset: "left", "center" or "right".
        vertical: The same: "bottom", "center" or "top".
        dx: Offset to the right of the point, in points of type.
        dy: Offset upwards.
    """

    horizontal: str
    vertical: str
    dx: float
    dy: float


class Box(NamedTuple):
    """A rectangle on the page, in points of type.

    Attributes:
        left: Of x.
        bottom: Of y.
        right: Of x.
        top: Of y.
    """

    left: float
    bottom: float
    right: float
    top: float


_NEAREST = (
    Placement("left", "center", 4, 0),
    Placement("right", "center", -4, 0),
    Placement("center", "bottom", 0, 3.5),
    Placement("center", "top", 0, -3.5),
    Placement("left", "bottom", 3, 2.5),
    Placement("right", "bottom", -3, 2.5),
    Placement("left", "top", 3, -2.5),
    Placement("right", "top", -3, -2.5),
)


def _placements() -> list[Placement]:
    """All placements that are tried: near the point first, then farther and farther away."""
    placements = []
    for factor in (1, 2.2, 3.6, 5):
        for nearest in _NEAREST:
            farther = nearest._replace(
                dx=nearest.dx * factor,
                dy=nearest.dy * factor,
            )
            placements.append(farther)
    return placements


PLACEMENTS = _placements()


@dataclass(frozen=True)
class PointName:
    """The name of a point.

    Attributes:
        text: The name.
        x: Of the point, in data coordinates.
        y: Of the point, in data coordinates.
        colour: Of the text.
    """

    text: str
    x: float
    y: float
    colour: str


def draw_names(
    axes: Axes,
    names: list[PointName],
    size: float,
    points: np.ndarray | None = None,
    lines: Sequence[np.ndarray] = (),
    **properties: Any,
) -> list[str]:
    """Draw names where they cover least; of two that would overlap the first stays.

    Args:
        axes: Of the points; their limits and their position must be final.
        names: In the order of their importance.
        size: Of the type, in points.
        points: [n, 2], all that names better not cover; the points of the names if not given.
        lines: [n, 2] each, lines that names better not cover.
        properties: Further ones of the texts.

    Returns:
        Texts of the names for which there was no room.
    """
    if not names:
        return []
    named_points = np.array([(name.x, name.y) for name in names])
    centres = _on_page(axes, named_points)
    if points is None:
        points = named_points
    covered = _covered(axes, points, lines)
    points_per_pixel = 72 / axes.figure.dpi
    frame = Box(*(axes.bbox.extents * points_per_pixel))
    taken: list[Box] = []
    left_out = []
    for centre, name in zip(centres, names):
        short_name = fit_text(name.text, LONGEST, size)
        extent = (text_width(short_name, size), LINE_HEIGHT * size)
        free = _free_placements(centre, extent, frame, taken)
        if not free:
            left_out.append(name.text)
            continue
        costs = [_cost(box, placement, covered) for box, placement in free]
        # Of equals the first, which is nearest to the point.
        cheapest = costs.index(min(costs))
        box, placement = free[cheapest]
        taken.append(box)
        _annotate(axes, name, short_name, size, placement, properties)
    return left_out


def _covered(
    axes: Axes,
    points: np.ndarray,
    lines: Sequence[np.ndarray],
) -> list[Box]:
    """Boxes of all points and lines that names better not cover."""
    covered = []
    for x, y in _on_page(axes, points):
        covered.append(_around(x, y, POINT_RADIUS))
    for line in lines:
        line_on_page = _on_page(axes, line)
        covered += _along(line_on_page)
    return covered


def _on_page(axes: Axes, positions: np.ndarray) -> np.ndarray:
    """Positions [n, 2] in data coordinates as positions on the page, in points of type."""
    pixels = axes.transData.transform(positions)
    return pixels * (72 / axes.figure.dpi)


def _free_placements(
    centre: tuple[float, float],
    extent: tuple[float, float],
    frame: Box,
    taken: list[Box],
) -> list[tuple[Box, Placement]]:
    """Placements, with their boxes, that are inside the frame and overlap no name."""
    width, height = extent
    free = []
    for placement in PLACEMENTS:
        box = _box(centre, extent, placement)
        # Less than 1, as areas are rounded.
        is_inside = _overlap(box, frame) > 0.999 * width * height
        if not is_inside:
            continue
        # Of two names that would overlap the earlier one, which is more important, stays.
        is_taken = any(_overlap(box, other) > 0 for other in taken)
        if not is_taken:
            free.append((box, placement))
    return free


def _annotate(
    axes: Axes,
    name: PointName,
    text: str,
    size: float,
    placement: Placement,
    properties: dict[str, Any],
) -> None:
    """Draw one name, joined to its point by a thin line where it stands far away."""
    line = {
        "arrowstyle": "-",
        "lw": 0.3,
        "color": name.colour,
        "shrinkA": 0,
        "shrinkB": 2,
    }
    is_far = abs(placement.dx) + abs(placement.dy) > FAR
    axes.annotate(
        text,
        (name.x, name.y),
        (placement.dx, placement.dy),
        textcoords="offset points",
        ha=placement.horizontal,
        va=placement.vertical,
        fontsize=size,
        color=name.colour,
        zorder=6,
        arrowprops=line if is_far else None,
        **properties,
    )


def _around(
    x: float,
    y: float,
    radius: float,
) -> Box:
    """A square around a point."""
    return Box(x - radius, y - radius, x + radius, y + radius)


def _along(line: np.ndarray) -> list[Box]:
    """Small boxes along a line [n, 2], in points."""
    corner_count = len(line)
    # 40 boxes for each corner of the line, so that they touch each other.
    steps = np.linspace(0, corner_count - 1, 40 * corner_count)
    corners = np.arange(corner_count)
    x_values = np.interp(steps, corners, line[:, 0])
    y_values = np.interp(steps, corners, line[:, 1])
    return [_around(x, y, LINE_RADIUS) for x, y in zip(x_values, y_values)]


def _box(
    centre: tuple[float, float],
    extent: tuple[float, float],
    placement: Placement,
) -> Box:
    """The box of a name of this width and height beside its point."""
    x, y = centre
    width, height = extent
    to_left = {
        "left": 0,
        "center": width / 2,
        "right": width,
    }
    to_bottom = {
        "bottom": 0,
        "center": height / 2,
        "top": height,
    }
    left = x + placement.dx - to_left[placement.horizontal]
    bottom = y + placement.dy - to_bottom[placement.vertical]
    return Box(
        left=left,
        bottom=bottom,
        right=left + width,
        top=bottom + height,
    )


def _cost(
    box: Box,
    placement: Placement,
    covered: list[Box],
) -> float:
    """What speaks against a placement: the area that it covers, and the way from the point."""
    # The way only decides between placements that cover about the same.
    area = sum(_overlap(box, other) for other in covered)
    distance = abs(placement.dx) + abs(placement.dy)
    return 10 * area + 0.3 * distance


def _overlap(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.top, other.top) - max(one.bottom, other.bottom)
    return max(0.0, width) * max(0.0, height)
