"""Colour and mark of every kind of model, and of every rule that chooses alpha: the only table.

A family of kinds has one colour in all figures, and each of its kinds has a mark that no other kind
of the family has. To change the colour of soups, change ``SOUP``. The look of a kind depends only
on its name, so that a new merge method changes no other look. A kind that is not listed in
``LOOKS`` gets a mark that no listed kind has.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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
BASELINES = GREY
OTHER = PURPLE

# What a family is called where its colour stands for it.
FAMILIES = {
    ZERO_SHOT: "Zero-shot",
    FINE_TUNED: "Fine-tuned end-to-end",
    LINEAR: "Linear classifier",
    WISE_FT: "WiSE-FT",
    SOUP: "Weights mixed",
    ENSEMBLE: "Outputs mixed",
    BASELINES: "Baselines",
    OTHER: "Other",
}


@dataclass(frozen=True)
class Look:
    """How one kind of model is drawn.

    Attributes:
        label: Text of the legend.
        marker: Mark of its points, as matplotlib takes it.
        colour: Of its family.
        size: Of the mark, in points.
    """

    label: str
    marker: Marker
    colour: str
    size: float = 5.0

    @property
    def mark(self) -> dict[str, Any]:
        """Properties of its points.

        Returns:
            Keyword arguments of ``plot``, and of the legend's ``Line2D``.
        """
        return {
            "color": self.colour,
            "marker": self.marker,
            "markersize": self.size,
            "ls": "",
            "markeredgecolor": "white",
            "markeredgewidth": 0.4,
        }

    @property
    def small_mark(self) -> dict[str, Any]:
        """Properties of its points where names stand beside them.

        Returns:
            Keyword arguments of ``plot``.
        """
        return {
            **self.mark,
            "markersize": 0.75 * self.size,
            "markeredgewidth": 0.3,
        }


LOOKS = {
    "zero-shot": Look("Zero-shot", "*", ZERO_SHOT, 9.5),
    "end-to-end": Look("Fine-tuned end-to-end", "o", FINE_TUNED, 4.0),
    "linear-classifier": Look("Linear classifier", "s", LINEAR),
    "linear-search": Look("Best linear classifier", "p", LINEAR, 6.0),
    "from-scratch": Look("Baselines", "o", BASELINES, 3.5),
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
# Marks of kinds that are not listed; no listed kind has one of them. Corners, 0 (polygon) or
# 1 (star), angle.
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

# Patterns of sweeps of one colour, in their order.
SWEEP_DASHES = ("-", "--", "-.", ":")

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
    """Look up how a kind of model is drawn.

    Args:
        kind: Any name, listed here or not.

    Returns:
        Its look, the same in every study.
    """
    if kind in LOOKS:
        return LOOKS[kind]
    marker = SPARE_MARKERS[_number_of(kind, len(SPARE_MARKERS))]
    # "linear-search" becomes "Linear search".
    label = kind.replace("-", " ").capitalize()
    return Look(label, marker, _family_colour(kind), size=6.0)


def looks(kinds: Iterable[str]) -> dict[str, Look]:
    """Look up how several kinds are drawn.

    Args:
        kinds: Their names; a name may be there several times.

    Returns:
        Kind -> look, in their order.
    """
    return {kind: look(kind) for kind in kinds}


def _family_colour(kind: str) -> str:
    """The colour of a kind that is not listed: merge methods and training variants have theirs."""
    # Plug-ins that somebody adds have the colour of their family.
    if kind in methods.names():
        return ENSEMBLE if methods.mixes(kind) == "outputs" else SOUP
    if kind in variants.names():
        return LINEAR if kind.startswith("linear") else FINE_TUNED
    return OTHER


def selector_colour(name: str) -> str:
    """Look up the colour of a rule that chooses alpha.

    Args:
        name: Of the selector, listed here or not.

    Returns:
        Its colour, the same in every study.
    """
    if name in SELECTORS:
        return SELECTORS[name]
    return SPARE_COLOURS[_number_of(name, len(SPARE_COLOURS))]


def _number_of(name: str, limit: int) -> int:
    """A number below the limit that depends only on the name.

    ``hash`` would not do: it differs from process to process.
    """
    digest = hashlib.sha256(name.encode()).hexdigest()
    return int(digest[:8], 16) % limit


@dataclass(frozen=True)
class SweepLook:
    """How one sweep is drawn.

    Attributes:
        label: Text of the legend.
        colour: That of the model it goes to.
        dashes: Pattern of its line, as matplotlib takes it.
    """

    label: str
    colour: str
    dashes: str

    @property
    def line(self) -> dict[str, Any]:
        """Properties of its line and small points.

        Returns:
            Keyword arguments of ``plot``, and of the legend's ``Line2D``.
        """
        return {
            "color": self.colour,
            "ls": self.dashes,
            "marker": "o",
            "markersize": 1.8,
        }


def sweep_looks(measurements: pd.DataFrame) -> dict[tuple[str, str], SweepLook]:
    """Find out how the sweeps of a study are drawn.

    A sweep has the colour of the model that it goes to. Sweeps of one colour differ by their
    dashes.

    Args:
        measurements: With columns kind, sweep and model; sweep is "" for models on no sweep.

    Returns:
        (kind, target) -> look, in the order of the table.
    """
    is_sweep = measurements["sweep"] != ""
    models = measurements[~is_sweep]
    kind_of_model = dict(zip(models["model"], models["kind"]))
    sweeps = measurements.loc[is_sweep, ["kind", "sweep"]].drop_duplicates()
    sweep_count = Counter()
    drawn = {}
    for kind, target in sweeps.itertuples(index=False):
        # A sweep has the name of its target, which may have no row of its own.
        colour = look(kind_of_model.get(target, kind)).colour
        dashes = SWEEP_DASHES[sweep_count[colour] % len(SWEEP_DASHES)]
        sweep_count[colour] += 1
        label = f"{look(kind).label} to {target}"
        drawn[kind, target] = SweepLook(label, colour, dashes)
    return drawn
