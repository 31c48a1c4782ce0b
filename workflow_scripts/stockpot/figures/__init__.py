"""Figures: one module each, found by its file name.

A figure module defines ``draw(tables, style) -> (matplotlib Figure, DataFrame of the data
drawn)``. ``tables`` has the data frames "measurements", "fits" and "rho" of
``stockpot.statistics.tables``, or, where the literal ``DRAWS`` names an analysis, that one's
table under "table"; ``style`` the figure's options. Its literal ``OPTIONS`` are their JSON
schemas, each with a default (see ``registry.options``). Its literal ``CAPTION`` says how to read
it; {level}, {axis}, {drawn} and {sizes} stand for the confidence in percent, the axis of the fits,
that of the figure, and the numbers of images.
"""

from collections.abc import Callable
from functools import wraps

from .. import registry
from ..analyses import NOTHING

_HELPERS = {"style", "robustness-axes", "samples"}


def names() -> list[str]:
    return [name for name in registry.names(__file__) if name not in _HELPERS]


def options(name: str) -> dict[str, dict]:
    return registry.options(__file__, name)


def draws(name: str) -> str:
    """The analysis whose table the figure draws; "" where it draws the main tables."""
    return registry.literal(__file__, name, "DRAWS") or ""


def caption(name: str, level: str, axis: str, sizes: str, style: dict) -> str:
    """How to read the figure, with the facts of the study filled in."""
    text = registry.literal(__file__, name, "CAPTION") or ""
    drawn = style.get("axis") or axis
    return " ".join(text.split()).format(level=level, axis=axis, drawn=drawn, sizes=sizes)


def load(name: str) -> Callable:
    """A figure's ``draw``, under the shared style whatever the user's own is.

    Options that are not given have their defaults. StockpotError for an unknown figure,
    ValueError for an unknown option.
    """
    draw = registry.load(__name__, __file__, name, "draw", "figure", but=_HELPERS)
    known = options(name)

    @wraps(draw)
    def styled(tables: dict, style: dict | None = None):
        from .style import context, sentence

        given = style or {}
        for option in given:
            if option not in known:
                raise ValueError(
                    f"unknown option {option!r} of {name}; allowed: {', '.join(known) or 'none'}"
                )
        with context():
            if NOTHING in tables.get("table", ()):
                drawn, data = sentence(tables["table"][NOTHING].iloc[0]), tables["table"]
            else:
                drawn, data = draw(tables, registry.defaults(known) | given)
            # Laid out once, or else each file would depend on those saved before it.
            # The first pass learns how large the texts are, the second finds their places.
            for _ in range(2 if drawn.get_layout_engine() else 1):
                drawn.draw_without_rendering()
            drawn.set_layout_engine("none")
            return drawn, data

    return styled
