"""Is the one model better than the other? Every comparison at once."""

from collections.abc import Callable

import pandas as pd

from .paired import corrected, mcnemar, paired_mean, permutation

COLUMNS = [
    "model",
    "against",
    "on",
    "difference",
    "low",
    "high",
    "p",
    "p_corrected",
    "test",
    "n",
]


def comparisons(
    pairs: list[tuple[str, str]],
    sets: dict[str, list[str]],
    correct: Callable,
    confidence: float,
) -> pd.DataFrame:
    """A row per pair of models and place; columns ``COLUMNS``, accuracies as fractions.

    sets: name of the place -> data sets whose unweighted mean it is; correct: (model, data set)
    -> bool [n]. The interval is the paired bootstrap of the examples. p is of the exact McNemar
    test, for a mean of several sets of the permutation test; p_corrected is corrected for all
    rows of the table (Holm), so that the chance of even one false alarm is at most 1 - confidence.
    """
    rows = []
    for one, other in pairs:
        for place, names in sets.items():
            right = [[correct(model, name) for name in names] for model in (one, other)]
            found = paired_mean([(1, right[0]), (-1, right[1])], confidence)
            exact = len(names) == 1
            p = mcnemar(right[0][0], right[1][0]) if exact else permutation(*right)
            test = "exact McNemar" if exact else "permutation"
            n = sum(map(len, right[0]))
            rows.append(
                [
                    one,
                    other,
                    place,
                    found.value,
                    found.low,
                    found.high,
                    p,
                    None,
                    test,
                    n,
                ]
            )
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(p_corrected=corrected(table["p"]))


def as_good_as_the_best(
    values: pd.Series, correct: Callable, confidence: float
) -> tuple[str, set[str]]:
    """(the best model, all models that are not significantly worse), as the papers set in bold.

    values: accuracy by model, in one column of a table; correct: model -> list of bool arrays, one
    per data set of the column. Tests as in ``comparisons``. As the best is picked from the same
    answers, p is corrected for all pairs of the column (Bonferroni), not for those with it alone.
    """
    best = values.idxmax()
    others = [model for model in values.index if model != best]
    right = correct(best)
    p = [
        mcnemar(right[0], correct(other)[0])
        if len(right) == 1
        else permutation(right, correct(other))
        for other in others
    ]
    level = (1 - confidence) / max(1, len(values) * (len(values) - 1) / 2)
    return best, {best} | {m for m, value in zip(others, p) if value > level}
