"""The plane through three models: loss and error around them (Model soups, figure 2).

Points of the plane are zero-shot + s (first - zero-shot) + t (second - zero-shot), each a mix of
the three.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..tables.display import percents
from ..tables.evidence import ZERO_SHOT, Evidence, NothingToShowError, inner_products
from ..tables.measurements import SHIFT_MEAN
from . import Analysis
from ._options import Names

if TYPE_CHECKING:
    from ..merging.methods import Context


class Options(PluginOptions):
    """Options of the analysis.

    Attributes:
        models: Names of two runs.
        points_per_side: Number of points along a side of the grid.
        train_images: Number of training images on which the loss is computed.
        margin: How far the grid goes beyond the models, in lengths of an update.
    """

    models: Names = Field(
        [],
        max_length=2,
        description="two runs; empty: the two end-to-end runs that are best on held-out data",
    )
    points_per_side: int = Field(
        7,
        ge=2,
        description="number of points along a side",
    )
    train_images: int = Field(
        10000,
        ge=1,
        description="number of training images on which the training loss is computed",
    )
    margin: float = Field(
        0.35,
        ge=0,
        description="how far the plane goes beyond the models, as a share of the length "
        "of an update",
    )


ANALYSIS = Analysis(
    options=Options,
    needs=("geometry",),
    evaluates=("train", "reference", "shift"),
)

# Rounding may move the sum of two coefficients past the edge of the grid by this much.
ROUNDING = 1e-9
# Updates closer to parallel than this span no plane.
PARALLEL = 1e-6


def mixes(
    models: dict[str, str],
    context: "Context",
    options: dict[str, Any],
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the points of the grid.

    The far corner of the grid is far from all three models and is left out.

    Args:
        models: Name -> SHA-256 of the zero-shot model and the usable runs.
        context: Evaluates models on held-out data, to find the two best.
        options: See ``Options``.

    Yields:
        Labels (model; coefficient and other_coefficient; run and other_run) and the recipe.
    """
    from ..merging.recipe import linear_combination, single

    runs = {name: sha for name, sha in models.items() if name != ZERO_SHOT}
    if len(runs) < 2:
        return
    one, other = _two_runs(runs, context, options["models"])
    corners = (models[ZERO_SHOT], runs[one], runs[other])
    recipes = [single(sha) for sha in corners]
    for s, t in _grid(options["points_per_side"], options["margin"]):
        # zero-shot + s (one - zero-shot) + t (other - zero-shot).
        coefficients = (1 - s - t, s, t)
        labels = {
            "model": f"plane {s:g} {t:g}",
            "coefficient": s,
            "other_coefficient": t,
            "run": one,
            "other_run": other,
        }
        terms = list(zip(coefficients, recipes))
        yield labels, linear_combination(terms)


def _two_runs(
    runs: dict[str, str],
    context: "Context",
    named_runs: list[str],
) -> tuple[str, str]:
    """The two runs that the config names; without them, the two best on held-out data."""
    from ..merging.recipe import single

    names = [name for name in named_runs if name in runs]
    if len(names) >= 2:
        return names[0], names[1]
    # The best first; of equally good runs the first by name.
    ranks = []
    for name, sha in runs.items():
        held_out = context.held_out(single(sha))
        correct_count = held_out[0]
        ranks.append((-correct_count, name))
    sorted_names = [name for _, name in sorted(ranks)]
    return sorted_names[0], sorted_names[1]


def _grid(
    point_count: int,
    margin: float,
) -> list[tuple[float, float]]:
    """Coefficients s and t of the grid's points; 0 and 1, the models, are among them."""
    side = np.linspace(-margin, 1 + margin, point_count)
    # Rounded, so that names are short and 0 and 1 are not listed twice.
    rounded = np.round(side, 4).tolist()
    coefficients = sorted({*rounded, 0.0, 1.0})
    points = []
    for s in coefficients:
        for t in coefficients:
            if s + t <= 1 + margin + ROUNDING:
                points.append((s, t))
    return points


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Tabulate loss and error of the points of the grid.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        A row per point. model, other_model: the runs; coefficient, other_coefficient: theirs.
        x, y: position in the plane, with the zero-shot model at 0, in lengths of the first
        update. train_loss: in nats. reference_error, shift_error: fractions.

    Raises:
        NothingToShowError: If there are no two runs, or their updates are parallel.
    """
    if evidence.mixes.empty:
        raise NothingToShowError("a plane needs two end-to-end runs")
    evidence.note_own_metrics()
    points = evidence.mixes.drop_duplicates("model")
    one, other = points[["run", "other_run"]].iloc[0]
    # The second update, in lengths of the first: its part along the first, and the rest.
    products = inner_products(evidence.geometry)
    length = np.sqrt(products[one, one])
    along = products[one, other] / length**2
    # Pythagoras: aside^2 = (second length / first length)^2 - along^2.
    aside_squared = products[other, other] / length**2 - along**2
    # Rounding may make the square slightly negative.
    aside = np.sqrt(max(aside_squared, 0))
    if aside < PARALLEL:
        raise NothingToShowError(
            f"the updates of {one} and {other} are parallel, so there is no plane"
        )
    is_train = evidence.mixes["role"] == "train"
    train = evidence.mixes.loc[is_train, "dataset"].iloc[0]
    # The loss is of the training set, the errors are of the test sets.
    models = list(points["model"])
    reference = [evidence.accuracy(model, evidence.reference) for model in models]
    shifts = [evidence.accuracy(model, SHIFT_MEAN) for model in models]
    losses = [evidence.answers(model, train).loss.mean() for model in models]
    s = points["coefficient"]
    t = points["other_coefficient"]
    return pd.DataFrame(
        {
            "model": one,
            "other_model": other,
            "coefficient": s,
            "other_coefficient": t,
            "x": s + along * t,
            "y": aside * t,
            "train_loss": [float(loss) for loss in losses],
            "reference_error": [1 - accuracy for accuracy in reference],
            "shift_error": [1 - accuracy for accuracy in shifts],
        }
    )


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table: the three models, and the best point of each kind (oracle).

    Args:
        table: What ``tabulate`` gave.

    Returns:
        Six rows.
    """
    one, other = table[["model", "other_model"]].iloc[0]
    # Name -> coefficients s and t.
    corners = {
        ZERO_SHOT: (0, 0),
        one: (1, 0),
        other: (0, 1),
    }
    rows = []
    for name, (s, t) in corners.items():
        has_s = np.isclose(table["coefficient"], s)
        has_t = np.isclose(table["other_coefficient"], t)
        corner = table[has_s & has_t].iloc[0]
        rows.append({"point": name, **corner})
    for column in ("train_loss", "reference_error", "shift_error"):
        column_text = column.replace("_", " ")
        title = f"least {column_text} (oracle)"
        best = table.loc[table[column].idxmin()]
        rows.append({"point": title, **best})
    points = pd.DataFrame(rows)
    return pd.DataFrame(
        {
            "point": points["point"],
            "coefficient": [f"{s:.2f}" for s in points["coefficient"]],
            "other_coefficient": [f"{t:.2f}" for t in points["other_coefficient"]],
            "train loss": [f"{loss:.3f}" for loss in points["train_loss"]],
            "reference error": percents(points["reference_error"]),
            "shift error": percents(points["shift_error"]),
        }
    )
