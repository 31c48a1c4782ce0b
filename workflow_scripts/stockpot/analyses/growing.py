"""More and more ingredients: accuracy and calibration of soups and ensembles of the first k.

Model soups, figure B.1 (accuracy) and B.2 (calibration: ensembles gain, soups do not).
"""

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import Count, PluginOptions
from ..statistics import calibration
from ..tables.evidence import Evidence, Nothing
from . import Analysis
from ._options import Names


class Options(PluginOptions):
    models: Names = Field(
        [], description="runs, in order; empty: the end-to-end runs by name"
    )
    sizes: list[Count] = Field(
        [],
        description="numbers of ingredients; empty: 1, 2, 3, … 12, and then fewer, up to all",
    )


ANALYSIS = Analysis(
    options=Options, needs=("logits",), evaluates=("reference", "shift")
)


def mixes(models: dict[str, str], context, options: dict):
    """The uniform and the greedy soup of the first k."""
    from ..merging.methods import greedy
    from ..merging.recipe import uniform
    from ..runtime.options import schemas
    from ..runtime.registry import defaults

    order = options["models"] or sorted(name for name in models if name != "zero-shot")
    order = [name for name in order if name in models]
    context.spec = context.spec | defaults(schemas(greedy.METHOD.options))
    for k in sizes(order, options):
        first = {name: models[name] for name in order[:k]}
        labels = {"k": k, "members": k, "last": order[k - 1]}
        yield {"model": f"uniform of {k}", **labels}, uniform(list(first.values()))
        found = greedy.find(first, context)
        labels["members"] = len(found["members"])
        yield (
            {"model": f"greedy of {k}", **labels},
            {key: found[key] for key in CONTENT},
        )


CONTENT = ("rule", "ingredients")


def sizes(order: list[str], options: dict) -> list[int]:
    """As asked for; else all up to 12, and then ever fewer, to the number of runs."""
    most = len(order)
    thin = [k for k in range(1, most) if k <= 12 or k % 2 ** (k.bit_length() - 2) == 0]
    return [k for k in options["sizes"] or [*thin, most] if k <= most]


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per k, method and place (reference, mean of shifts).

    Methods: uniform soup, greedy soup, logit ensemble, and the best single model of the first k on
    held-out data. accuracy (by the data set's own metric), ece, nll (nats), members that the method
    kept.
    """
    order = [
        m for m in options["models"] or sorted(evidence.tuned()) if evidence.known(m)
    ]
    if evidence.mixes.empty or len(order) < 2:
        raise Nothing("a growing soup needs two end-to-end runs")
    tests = evidence.by_image()
    evidence.note_own()
    kept = evidence.mixes.drop_duplicates("model").set_index("model")["members"]
    held_out = {m: evidence.accuracy(m, evidence.held_out) for m in order}
    best = {k: max(order[:k], key=held_out.get) for k in range(1, len(order) + 1)}
    scores = {d: _on(evidence, d, order, sizes(order, options), best) for d in tests}
    rows = []
    for method, k in next(iter(scores.values())):
        members = kept[f"greedy of {k}"] if method == "greedy soup" else k
        for place, wanted in evidence.places.items():
            sets = [d for d in wanted if d in tests]
            if not sets:
                continue
            means = np.mean([scores[d][method, k] for d in sets], axis=0)
            rows.append(
                {
                    "k": k,
                    "method": method,
                    "members": 1 if method == "best single" else members,
                    "on": place,
                    **dict(zip(("accuracy", "ece", "nll"), means)),
                    "n": sum(len(evidence.labels(d)) for d in sets),
                }
            )
    return pd.DataFrame(rows)


def _on(
    evidence: Evidence, dataset: str, order: list[str], wanted: list[int], best: dict
) -> dict:
    """(method, k) -> scores on one data set. Logits of two models at most are in memory."""
    total, alone, found = 0.0, {}, {}

    def logits(model: str) -> np.ndarray:
        return evidence.answers(model, dataset).logits.astype(float)

    for k, model in enumerate(order, 1):
        own = logits(model)
        total, alone[model] = total + own, _scores(evidence, dataset, own)
        if k in wanted:
            for kind in ("uniform", "greedy"):
                found[f"{kind} soup", k] = _scores(
                    evidence, dataset, logits(f"{kind} of {k}")
                )
            found["logit ensemble", k] = _scores(evidence, dataset, total / k)
            found["best single", k] = alone[best[k]]
    return found


def _scores(
    evidence: Evidence, dataset: str, logits: np.ndarray
) -> tuple[float, float, float]:
    """The data set's own metric, ECE and NLL."""
    predicted = logits.argmax(1)
    error = calibration.ece(
        calibration.confidences(logits), evidence.right(dataset, predicted)
    )
    loss = calibration.nll(logits, evidence.labels(dataset))
    return evidence.score(dataset, predicted).value, error, loss


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The first, and the last, number of ingredients."""
    ends = table[table["k"].isin([table["k"].min(), table["k"].max()])]
    return ends.assign(
        accuracy=[f"{100 * x:.1f}" for x in ends["accuracy"]],
        ece=[f"{100 * x:.1f}" for x in ends["ece"]],
        nll=[f"{x:.3f}" for x in ends["nll"]],
    )
