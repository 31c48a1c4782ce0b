"""Colour and mark of every kind of model, and of every rule that chooses alpha: the only table.

A family of kinds has one colour in all figures, and each of its kinds a mark of its own. To change
the colour of soups, change ``SOUP``. What a kind looks like depends on nothing but its name, so
that a new merge method changes no other look; it may be listed in ``LOOKS``, or else gets a mark
that no listed kind has.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from ..merging import methods
from ..training import variants
from .style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

Marker = str | tuple[int, int, int]  # a tuple: corners, 0 (polygon) or 1 (star), angle

# One colour per family.
ZERO_SHOT = BLACK
FINE_TUNED = BLUE
LINEAR = ORANGE
WISE_FT = VERMILION
SOUP = GREEN
ENSEMBLE = SKY
STANDARD = GREY
OTHER = PURPLE

# What a family is called where its colour stands for it.
FAMILIES = {
    ZERO_SHOT: "Zero-shot",
    FINE_TUNED: "Fine-tuned end-to-end",
    LINEAR: "Linear classifier",
    WISE_FT: "WiSE-FT",
    SOUP: "Weights mixed",
    ENSEMBLE: "Outputs mixed",
    STANDARD: "Standard models",
    OTHER: "Other",
}


@dataclass(frozen=True)
class Look:
    """Legend text, mark, colour and size in points of one kind of model."""

    label: str
    marker: Marker
    colour: str
    size: float = 5.0

    @property
    def mark(self) -> dict:
        """Properties of its points, for ``plot`` and for a legend."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "markersize": self.size,
            "ls": "",
            "markeredgecolor": "white",
            "markeredgewidth": 0.4,
        }

    @property
    def small_mark(self) -> dict:
        """The same where names stand beside the points."""
        return {**self.mark, "markersize": 0.75 * self.size, "markeredgewidth": 0.3}


LOOKS = {
    "zero-shot": Look("Zero-shot", "*", ZERO_SHOT, 9.5),
    "end-to-end": Look("Fine-tuned end-to-end", "o", FINE_TUNED, 4.0),
    "linear-classifier": Look("Linear classifier", "s", LINEAR),
    "linear-search": Look("Best linear classifier", "p", LINEAR, 6.0),
    "from-scratch": Look("Standard models", "o", STANDARD, 3.5),
    "wise-ft": Look("WiSE-FT", "o", WISE_FT, 4.0),
    "uniform": Look("Uniform soup", "^", SOUP, 6.0),
    "greedy": Look("Greedy soup", "D", SOUP),
    "learned": Look("Learned soup", "P", SOUP, 6.0),
    "task-arithmetic": Look("Task arithmetic", "v", SOUP, 6.0),
    "model-stock": Look("Model stock", "h", SOUP, 6.0),
    "mono-soup": Look("Mono soup", "8", SOUP, 6.0),
    "lines": Look("Lines", "<", SOUP, 6.0),
    "slerp": Look("Slerp", ">", SOUP, 6.0),
    "ties": Look("Ties", "p", SOUP, 6.0),
    "dare": Look("Dare", "d", SOUP, 6.0),
    "fisher": Look("Fisher", "H", SOUP, 6.0),
    "ema": Look("Ema", "s", SOUP),
    "swa": Look("Swa", "*", SOUP, 8.0),
    "logit-ensemble": Look("Logit ensemble", "X", ENSEMBLE, 6.0),
    "softmax-ensemble": Look("Softmax ensemble", "P", ENSEMBLE, 6.0),
    "greedy-ensemble": Look("Greedy ensemble", "D", ENSEMBLE),
    "random-interpolation": Look("Random interpolation", "s", ENSEMBLE),
}
# Marks of kinds that are not listed; no listed kind has one of them.
SPARE_MARKERS = (
    (4, 1, 0),
    (4, 1, 45),
    (6, 1, 0),
    (7, 0, 0),
    (8, 1, 0),
    (5, 0, 180),
    (3, 1, 0),
    (3, 1, 180),
    (10, 1, 0),
)

# Selector of alpha -> colour.
SELECTORS = {
    "half": PURPLE,
    "held-out": VERMILION,
    "within-error": ORANGE,
    "within-point": GREEN,
}
# For those that are not listed.
SPARE_COLOURS = ("#882255", "#999933", "#332288", "#44AA99", "#661100", "#6699CC")


def look(kind: str) -> Look:
    """The look of a kind of model, also of one that nothing here knows."""
    if kind in LOOKS:
        return LOOKS[kind]
    marker = SPARE_MARKERS[_stable(kind, len(SPARE_MARKERS))]
    return Look(kind.replace("-", " ").capitalize(), marker, _family(kind), 6.0)


def looks(kinds: Iterable[str]) -> dict[str, Look]:
    """The looks of these kinds, in their order."""
    return {kind: look(kind) for kind in kinds}


def _family(kind: str) -> str:
    """The colour of a kind that is not listed."""
    if kind in methods.names():
        return ENSEMBLE if methods.mixes(kind) == "outputs" else SOUP
    if kind in variants.names():
        return LINEAR if kind.startswith("linear") else FINE_TUNED
    return OTHER


def selector_colour(name: str) -> str:
    """The colour of a rule that chooses alpha."""
    return SELECTORS.get(name) or SPARE_COLOURS[_stable(name, len(SPARE_COLOURS))]


def _stable(name: str, n: int) -> int:
    """A number below n that depends on the name alone."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % n


@dataclass(frozen=True)
class Sweep:
    """Legend text, colour and dashes of one curve."""

    label: str
    colour: str
    dashes: str

    @property
    def line(self) -> dict:
        """Properties of its line and small points, for ``plot`` and for a legend."""
        return {
            "color": self.colour,
            "ls": self.dashes,
            "marker": "o",
            "markersize": 1.8,
        }


def sweeps(measurements: pd.DataFrame) -> dict[tuple[str, str], Sweep]:
    """(kind, curve) -> look: a sweep has the colour of the model it goes to.

    Sweeps of one colour differ by their dashes.
    """
    single = measurements[measurements["curve"] == ""]
    target = dict(zip(single["model"], single["kind"]))
    drawn = {}
    used = []
    curves = measurements.loc[
        measurements["curve"] != "", ["kind", "curve"]
    ].drop_duplicates()
    for kind, curve in curves.itertuples(index=False):
        colour = look(target.get(curve, kind)).colour
        dashes = ("-", "--", "-.", ":")[used.count(colour) % 4]
        used.append(colour)
        drawn[kind, curve] = Sweep(f"{look(kind).label} to {curve}", colour, dashes)
    return drawn
