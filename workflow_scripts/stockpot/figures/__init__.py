"""Figures by name: one file each, which registers itself.

A figure is a module here with ``@figure("its-name")`` on a function
``draw(tables, style) -> (matplotlib Figure, DataFrame of the data drawn)``. ``tables`` has
the data frames "measurements", "fits" and "rho" of ``stockpot.statistics.tables``; ``style``
the figure's own options, each with a default.
"""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path

_HELPERS = {"__init__", "style", "robustness_axes", "samples"}
_REGISTRY: dict[str, Callable] = {}


def figure(name: str):
    """Register a draw function; it runs under the shared style whatever the user's own is."""

    def register(draw):
        @wraps(draw)
        def styled(tables: dict, style: dict | None = None):
            from .style import context

            with context():
                drawn, data = draw(tables, style or {})
                # Laid out once, or else each file would depend on those saved before it.
                drawn.draw_without_rendering()
                drawn.set_layout_engine("none")
                return drawn, data

        _REGISTRY[name] = styled
        return styled

    return register


def names() -> list[str]:
    """Names of all figures, from the files of this folder; imports none of them."""
    modules = {path.stem for path in Path(__file__).parent.glob("*.py")} - _HELPERS
    return sorted(module.replace("_", "-") for module in modules)


def load(name: str) -> Callable:
    """The draw function of a figure. ValueError, with the names there are, for another."""
    if name not in names():
        raise ValueError(f"unknown figure {name!r}; allowed: {', '.join(names())}")
    import_module(f"{__name__}.{name.replace('-', '_')}")
    return _REGISTRY[name]
