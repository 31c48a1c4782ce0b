"""The plane through three models: loss and error around them (Model soups, figure 2).

Points of the plane are start + s (first - start) + t (second - start), each a mix of the three.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..tables.evidence import Evidence, Nothing
from ..tables.measurements import MEAN
from . import Analysis
from ._options import Names


class Options(PluginOptions):
    models: Names = Field(
        [],
        max_length=2,
        description="two runs; empty: the two end-to-end runs that are best on held-out data",
    )
    points: int = Field(7, ge=2, description="number of points along a side")
    train_images: int = Field(
        10000, ge=1, description="number of images of the training set, for its loss"
    )
    margin: float = Field(
        0.35,
        ge=0,
        description="how far the plane goes beyond the models, in lengths of an update",
    )


ANALYSIS = Analysis(
    options=Options, needs=("geometry",), evaluates=("train", "reference", "shift")
)


def mixes(models: dict[str, str], context, options: dict):
    """The grid; the far corner, which is far from all three models, is left out."""
    from ..merging.recipe import single, total

    start, runs = (
        models["zero-shot"],
        {n: s for n, s in models.items() if n != "zero-shot"},
    )
    if len(runs) < 2:
        return
    given = [name for name in options["models"] if name in runs]
    if len(given) < 2:
        given = sorted(
            runs, key=lambda name: (-context.held_out(single(runs[name]))[0], name)
        )
    one, other = given[:2]
    side = np.linspace(-options["margin"], 1 + options["margin"], options["points"])
    sides = sorted({*np.round(side, 4).tolist(), 0.0, 1.0})
    for s in sides:
        for t in sides:
            if s + t <= 1 + options["margin"] + 1e-9:
                parts = [(1 - s - t, start), (s, runs[one]), (t, runs[other])]
                recipe = total([(share, single(sha)) for share, sha in parts])
                labels = {
                    "model": f"plane {s:g} {t:g}",
                    "s": s,
                    "t": t,
                    "one": one,
                    "other": other,
                }
                yield labels, recipe


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per point of the grid.

    one, other: the runs; s, t: their shares; x, y: place in the plane, start at 0, in lengths
    of the first update. train_loss in nats, reference_error and shift_error as fractions.
    """
    if evidence.mixes.empty:
        raise Nothing("a plane needs two end-to-end runs")
    evidence.note_own()
    points = evidence.mixes.drop_duplicates("model")
    one, other = points[["one", "other"]].iloc[0]
    products = {(r.model, r.other): r.product for r in evidence.geometry.itertuples()}
    length = np.sqrt(products[one, one])
    along = products[one, other] / length**2
    aside = np.sqrt(max(products[other, other] / length**2 - along**2, 0))
    if aside < 1e-6:
        raise Nothing(
            f"the updates of {one} and {other} are parallel, so there is no plane"
        )
    train = evidence.mixes.loc[evidence.mixes["role"] == "train", "dataset"].iloc[0]
    reference = [evidence.accuracy(m, evidence.reference) for m in points["model"]]
    return pd.DataFrame(
        {
            "one": one,
            "other": other,
            "s": points["s"],
            "t": points["t"],
            "x": points["s"] + along * points["t"],
            "y": aside * points["t"],
            "train_loss": [
                float(evidence.answers(m, train).loss.mean()) for m in points["model"]
            ],
            "reference_error": [1 - accuracy for accuracy in reference],
            "shift_error": [1 - evidence.accuracy(m, MEAN) for m in points["model"]],
        }
    )


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The three models and the best point of each kind (oracle)."""
    one, other = table[["one", "other"]].iloc[0]
    corners = {"zero-shot": (0, 0), one: (1, 0), other: (0, 1)}
    rows = [
        {
            "point": name,
            **table[np.isclose(table["s"], s) & np.isclose(table["t"], t)].iloc[0],
        }
        for name, (s, t) in corners.items()
    ]
    for what in ("train_loss", "reference_error", "shift_error"):
        named = f"least {what.replace('_', ' ')} (oracle)"
        rows.append({"point": named, **table.loc[table[what].idxmin()]})
    found = pd.DataFrame(rows)
    return pd.DataFrame(
        {
            "point": found["point"],
            "s": [f"{x:.2f}" for x in found["s"]],
            "t": [f"{x:.2f}" for x in found["t"]],
            "train loss": [f"{x:.3f}" for x in found["train_loss"]],
            "reference error": [f"{100 * x:.1f}" for x in found["reference_error"]],
            "shift error": [f"{100 * x:.1f}" for x in found["shift_error"]],
        }
    )
