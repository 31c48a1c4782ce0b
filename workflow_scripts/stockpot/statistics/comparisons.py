"""Is the one model better than the other? Every comparison at once."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from .paired import holm_corrected, mcnemar, paired_mean, permutation

COLUMNS = [
    "model",
    "against",
    "dataset",
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
    correct: Callable[[str, str], np.ndarray],
    confidence: float,
) -> pd.DataFrame:
    """Compare pairs of models on the same examples.

    The interval is the paired bootstrap of the examples. p is of the exact McNemar test; for
    a mean of several sets it is of the permutation test. p_corrected is corrected for all
    rows of the table (Holm): the chance of even one false alarm is at most 1 - confidence.

    Args:
        pairs: A model, and the model that it is compared with.
        sets: Name of a mean -> the data sets whose unweighted mean it is.
        correct: (model, data set) -> bool [n], which of its answers are right.
        confidence: Of the intervals, such as 0.95.

    Returns:
        A row per pair and mean, with the columns ``COLUMNS``; differences are fractions.

    Raises:
        ValueError: If two models did not answer the same examples.
    """
    rows = []
    for model, against in pairs:
        for set_name, datasets in sets.items():
            model_correct = [correct(model, dataset) for dataset in datasets]
            against_correct = [correct(against, dataset) for dataset in datasets]
            row: dict[str, object] = {
                "model": model,
                "against": against,
                "dataset": set_name,
            }
            row |= _comparison(model_correct, against_correct, confidence)
            rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(p_corrected=holm_corrected(table["p"]))


def _comparison(
    model_correct: list[np.ndarray],
    against_correct: list[np.ndarray],
    confidence: float,
) -> dict[str, object]:
    """The difference of two models with its interval and its test; p is not corrected."""
    terms = [(1, model_correct), (-1, against_correct)]
    difference = paired_mean(terms, confidence)
    is_one_set = len(model_correct) == 1
    return {
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
        "p": _p_value(model_correct, against_correct),
        "p_corrected": None,
        "test": "exact McNemar" if is_one_set else "permutation",
        "n": sum(map(len, model_correct)),
    }


def _p_value(
    model_correct: Sequence[np.ndarray],
    against_correct: Sequence[np.ndarray],
) -> float:
    """Compute p of the exact McNemar test for one data set, of the permutation test for several."""
    if len(model_correct) == 1:
        return mcnemar(model_correct[0], against_correct[0])
    return permutation(model_correct, against_correct)


def as_good_as_the_best(
    values: pd.Series,
    correct: Callable[[str], list[np.ndarray]],
    confidence: float,
) -> tuple[str, set[str]]:
    """Find the best model and all that are not significantly worse.

    The papers set these in bold. The tests are those of ``comparisons``. The best model is
    picked from the same answers that the tests look at, so p is corrected for all pairs of
    the column (Bonferroni), not only for the pairs with the best model.

    Args:
        values: Accuracy by model, in one column of a table.
        correct: Model -> a bool array per data set of the column: which answers are right.
        confidence: Of the tests, such as 0.95.

    Returns:
        The best model, and the set of it and those that are not significantly worse.

    Raises:
        ValueError: If two models did not answer the same examples.
    """
    best = values.idxmax()
    best_correct = correct(best)
    pair_count = len(values) * (len(values) - 1) / 2
    # Bonferroni: the level is divided by the number of all pairs.
    level = (1 - confidence) / max(1, pair_count)
    equally_good = {best}
    for model in values.index:
        if model != best and _p_value(best_correct, correct(model)) > level:
            equally_good.add(model)
    return best, equally_good
