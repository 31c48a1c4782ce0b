"""Why did my soup fail? What its ingredients tell about their mix, a sentence per finding."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import Field

from ..statistics.intervals import clopper_pearson
from ..statistics.paired import PairedEstimate, paired_mean
from ..tables.display import interval_in_points
from ..tables.evidence import ZERO_SHOT, Evidence, NothingToShowError, inner_products
from . import Analysis
from ._options import MaxPairs, SampledPairs
from .pairs import cosines, sampled_pairs

if TYPE_CHECKING:
    from ..merging.methods import Context


class Options(SampledPairs):
    """Options of the analysis.

    Attributes:
        soup: Name of a soup.
        max_pairs: Largest number of pairs of ingredients.
        max_barrier: The highest barrier that is not remarked upon, in points.
    """

    soup: str = Field(
        "",
        description="the soup whose ingredients are compared; empty: all end-to-end "
        "runs",
    )
    max_pairs: MaxPairs = 200
    max_barrier: float = Field(
        1.0,
        ge=0,
        description="largest barrier that is not reported: how many points of held-out "
        "accuracy the mean of the weights lies below the mean of the two "
        "models",
    )


ANALYSIS = Analysis(
    options=Options,
    needs=("geometry", "recipes"),
    evaluates=("held-out",),
)

# An update this many times as long as the median is called long.
LONG_UPDATE = 3.0
# Below this cosine two updates undo each other.
OPPOSED_COSINE = 0.0
# A run this much worse than the best, as a fraction, is named.
MUCH_WORSE = 0.05

# (one ingredient, another) -> bool [n], which held-out answers of their mean are right; the
# ingredient itself where both are the same, the mean of all where both are "".
MixCorrect = dict[tuple[str, str], np.ndarray]


def mixes(
    models: dict[str, str],
    context: "Context",
    options: dict[str, Any],
) -> Iterator[tuple[dict[str, str], dict]]:
    """Yield every run by itself, the mean of every two runs, and the mean of all.

    Args:
        models: Name -> SHA-256 of the zero-shot model and the usable runs.
        context: Not used.
        options: See ``Options``.

    Yields:
        Labels (model, run, other_run) and the recipe.
    """
    from ..merging.recipe import single, uniform

    runs = {name: sha for name, sha in models.items() if name != ZERO_SHOT}
    if not runs:
        return
    for name, sha in runs.items():
        yield (
            {
                "model": f"alone {name}",
                "run": name,
                "other_run": name,
            },
            single(sha),
        )
    for one, other in sampled_pairs(runs, options):
        labels = {
            "model": f"mean of {one} and {other}",
            "run": one,
            "other_run": other,
        }
        yield labels, uniform([runs[one], runs[other]])
    yield (
        {
            "model": "mean of all",
            "run": "",
            "other_run": "",
        },
        uniform(list(runs.values())),
    )


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Measure the ingredients and their mixes on held-out data, and say what follows.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        Rows of what was measured, then of conclusions. row_type: "update_norm" (over the
        median), "cosine" (between two updates), "barrier" (points of held-out accuracy that the
        mean of two lies below the mean of their accuracies, with its paired interval),
        "accuracy" (of an ingredient on the held-out set), "greedy_step" (of the greedy soup:
        held-out accuracy with the candidate), or "conclusion". model, other_model: the
        ingredients that it is about. value, low, high, n; text: the sentence, and of a greedy
        step "accepted" or "rejected".

    Raises:
        NothingToShowError: If there are no two ingredients with a result.
    """
    names = _ingredients(evidence, options["soup"])
    if len(names) < 2 or evidence.mixes.empty:
        raise NothingToShowError("a diagnosis needs two ingredients with a result")
    correct = {}
    for mix in evidence.mixes.itertuples():
        pair = (mix.run, mix.other_run)
        correct[pair] = evidence.correct(mix.model, evidence.held_out)
    trace = _greedy_trace(evidence, names)
    # First all that is measured, in the order of the docstring; findings follow from it.
    rows = _geometry_rows(evidence.geometry, names)
    for name in names:
        # Under (name, name) are the answers of the ingredient itself.
        rows.append(_accuracy_row(name, correct[name, name], evidence.confidence))
    rows += _barrier_rows(names, correct, evidence.confidence)
    rows += _step_rows(evidence, trace)
    table = pd.DataFrame(rows)
    diagnosis = _Diagnosis(
        evidence,
        names,
        table,
        correct,
        trace,
        options["max_barrier"],
    )
    return pd.concat([table, pd.DataFrame(diagnosis.findings())], ignore_index=True)


def _row(
    row_type: str,
    model: str = "",
    other: str = "",
    value: float = np.nan,
    low: float = np.nan,
    high: float = np.nan,
    n: int | None = None,
    text: str = "",
) -> dict[str, Any]:
    """A row of the table."""
    return {
        "row_type": row_type,
        "model": model,
        "other_model": other,
        "value": value,
        "low": low,
        "high": high,
        "n": n,
        "text": text,
    }


def _accuracy_row(
    name: str,
    correct: np.ndarray,
    confidence: float,
) -> dict[str, Any]:
    """Held-out accuracy of an ingredient by itself."""
    k = int(correct.sum())
    n = len(correct)
    low, high = clopper_pearson(k, n, confidence)
    return _row(
        "accuracy",
        name,
        value=k / n,
        low=float(low),
        high=float(high),
        n=n,
    )


def _ingredients(evidence: Evidence, soup: str) -> list[str]:
    """The ingredients of a soup, or all end-to-end runs, that are in the mixes."""
    if soup and soup not in evidence.models:
        raise NothingToShowError(f"analyses.diagnosis.soup: there is no soup {soup!r}")
    names = evidence.models[soup]["ingredients"] if soup else evidence.end_to_end_runs()
    if evidence.mixes.empty:
        return []
    measured = set(evidence.mixes["run"])
    return [name for name in sorted(names) if name in measured]


def _geometry_rows(
    geometry: pd.DataFrame,
    names: list[str],
) -> list[dict[str, Any]]:
    """Lengths of the updates over their median, and the cosines between them."""
    products = inner_products(geometry)
    norms = {name: np.sqrt(products[name, name]) for name in names}
    median = np.median(list(norms.values()))
    rows = []
    for name, norm in norms.items():
        # If no run moved, the median is 0.
        ratio = norm / median if median else np.nan
        rows.append(_row("update_norm", name, value=ratio))
    cosine_of = cosines(geometry)
    for one, other in combinations(names, 2):
        cosine = cosine_of.get((one, other), np.nan)
        rows.append(_row("cosine", one, other, value=cosine))
    return rows


def _barrier_rows(
    names: list[str],
    correct: MixCorrect,
    confidence: float,
) -> list[dict[str, Any]]:
    """How far the mean of two lies below the mean of their accuracies, in points."""
    rows = []
    for one, other in combinations(names, 2):
        # Where there are many pairs, only some were mixed.
        if (one, other) not in correct:
            continue
        terms = [
            (0.5, [correct[one, one]]),
            (0.5, [correct[other, other]]),
            (-1, [correct[one, other]]),
        ]
        barrier = paired_mean(terms, confidence)
        rows.append(
            _row(
                "barrier",
                one,
                other,
                value=100 * barrier.value,
                low=100 * barrier.low,
                high=100 * barrier.high,
            )
        )
    return rows


def _greedy_trace(
    evidence: Evidence,
    names: list[str],
) -> list[dict[str, Any]]:
    """Steps of the greedy soup that was made of just these."""
    for soup in evidence.recipes:
        recipe = evidence.recipe(soup)
        if recipe.get("method") != "greedy":
            continue
        # A greedy soup of other candidates tells nothing about these.
        if set(recipe["ingredient_names"]) == set(names):
            return recipe["trace"]
    return []


def _step_rows(
    evidence: Evidence,
    trace: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Held-out accuracy at each step of the greedy soup, and notes on what accuracy is."""
    held_out = evidence.held_out
    evidence.note_plain_accuracy(held_out)
    # Only a number of right answers has a binomial interval.
    is_count = not evidence.other_metrics(held_out)
    if trace and not is_count:
        evidence.note("The greedy soup's steps are in the held-out set's own metric.")
    rows = []
    for step in trace:
        # Without a count there is no interval.
        low = np.nan
        high = np.nan
        if is_count:
            low, high = clopper_pearson(
                step["soup_k"],
                step["n"],
                evidence.confidence,
            )
        rows.append(
            _row(
                "greedy_step",
                step["candidate"],
                value=step["soup_k"] / step["n"],
                low=low,
                high=high,
                n=step["n"],
                text="accepted" if step["accepted"] else "rejected",
            )
        )
    return rows


class _Diagnosis:
    """What the measured rows say.

    Attributes:
        evidence: The study.
        names: The ingredients.
        table: The measured rows.
        correct: Which held-out answers of the mixes are right.
        trace: Steps of the greedy soup.
        max_barrier: The highest barrier that is not remarked upon, in points.
    """

    def __init__(
        self,
        evidence: Evidence,
        names: list[str],
        table: pd.DataFrame,
        correct: MixCorrect,
        trace: list[dict[str, Any]],
        max_barrier: float,
    ):
        # No dataclass: annotations of its fields would make all code of ``Evidence`` count for
        # the mixes too, which never look at it.
        self.evidence = evidence
        self.names = names
        self.table = table
        self.correct = correct
        self.trace = trace
        self.max_barrier = max_barrier

    def findings(self) -> list[dict[str, Any]]:
        """Write all findings.

        Returns:
            A row per sentence.
        """
        # In the order in which the sentences are read.
        sections: list[Callable[[], Iterator[tuple[str, str]]]] = [
            self._starts,
            self._norms,
            self._cosines,
            self._barriers,
            self._worst_ingredient,
            self._mean_of_all,
            self._greedy_soup,
        ]
        rows = []
        for section in sections:
            for text, model in section():
                rows.append(_row("conclusion", model, text=text))
        return rows

    def _measured(self, row_type: str) -> pd.DataFrame:
        return self.table[self.table["row_type"] == row_type]

    def _starts(self) -> Iterator[tuple[str, str]]:
        """Do the runs start from one model?"""
        starts = {
            self.evidence.settings(name).get("init_from", ZERO_SHOT)
            for name in self.names
        }
        if len(starts) > 1:
            text = (
                f"The runs have different initial weights ({', '.join(sorted(starts))}). A "
                "mean is best if all runs have the same."
            )
        else:
            text = (
                f"All {len(self.names)} runs have the same initial weights ({starts.pop()}), "
                "as they must."
            )
        yield text, ""

    def _norms(self) -> Iterator[tuple[str, str]]:
        """Is an update much longer than the others?"""
        # Norms are over their median, so that 1 is usual.
        norms = self._measured("update_norm")
        long_updates = norms[norms["value"] > LONG_UPDATE]
        for row in long_updates.itertuples():
            text = (
                f"{row.model} moved {row.value:.1f} times as far from its initial weights as "
                "the median ingredient: its learning rate is high or its training is long, "
                "and it dominates a mean."
            )
            yield text, row.model
        if long_updates.empty:
            spread = f"{norms['value'].min():.1f} to {norms['value'].max():.1f}"
            yield f"No update is unusually long ({spread} times the median).", ""

    def _cosines(self) -> Iterator[tuple[str, str]]:
        """Do two updates point away from each other?"""
        table = self._measured("cosine")
        values = table["value"]
        if (values < OPPOSED_COSINE).any():
            worst = table.loc[values.idxmin()]
            text = (
                f"The updates of {worst['model']} and {worst['other_model']} point away from "
                f"each other (cosine {worst['value']:.2f}): their mean undoes both."
            )
            yield text, ""
        elif values.notna().any():
            text = (
                f"No two updates oppose each other: the cosines are between {values.min():.2f} "
                f"and {values.max():.2f}. The closer to 0, the more a mean can gain; near 1 "
                "the models are nearly the same, and there is little to average."
            )
            yield text, ""

    def _barriers(self) -> Iterator[tuple[str, str]]:
        """Are there barriers between two ingredients, and is one ingredient in all of them?"""
        barriers = self._measured("barrier")
        if barriers.empty:
            # ``max_pairs`` pairs were sampled of those of all runs, and none is of this soup.
            yield "No pair of these ingredients was among the sampled pairs.", ""
            return
        # The highest barrier is named, whether it is above the limit or not.
        limit = self.max_barrier
        worst = barriers.loc[barriers["value"].idxmax()]
        pair = f"{worst['model']} and {worst['other_model']}"
        numbers = (
            f"{worst['value']:.1f} points [{worst['low']:.1f}, {worst['high']:.1f}]"
        )
        high = barriers[barriers["value"] > limit]
        if high.empty:
            yield (
                f"No pair has a barrier above {limit:g} points; the highest is {numbers}, {pair}.",
                "",
            )
            return
        text = (
            f"{len(high)} of {len(barriers)} pairs have a barrier above {limit:g} points; the "
            f"highest is {numbers}, {pair}."
        )
        counts = pd.concat([high["model"], high["other_model"]]).value_counts()
        culprit = counts.index[0]
        # A single barrier has two ingredients, and neither is more to blame.
        if len(high) > 1 and counts.iloc[0] == len(high):
            yield f"{text} All these pairs contain {culprit}: leave it out.", culprit
        else:
            yield text, ""

    def _best_and_worst(self) -> tuple[pd.Series, str, str]:
        """Held-out accuracies by ingredient, and the best and the worst of them."""
        accuracies = self._measured("accuracy").set_index("model")["value"]
        return accuracies, accuracies.idxmax(), accuracies.idxmin()

    def _worst_ingredient(self) -> Iterator[tuple[str, str]]:
        """Is an ingredient much worse than the best?"""
        accuracies, best, worst = self._best_and_worst()
        # A uniform soup takes every ingredient, also one that is much worse.
        gap = accuracies[best] - accuracies[worst]
        if gap > MUCH_WORSE:
            text = (
                f"{worst} is {100 * gap:.1f} points worse than {best} on held-out data: a "
                "uniform soup contains it, a greedy soup may leave it out."
            )
            yield text, worst

    def _mean_of_all(self) -> Iterator[tuple[str, str]]:
        """Is the mean of all better than the best ingredient?"""
        _, best, _ = self._best_and_worst()
        # ("", "") is the mean of all.
        terms = [(1, [self.correct["", ""]]), (-1, [self.correct[best, best]])]
        gain = paired_mean(terms, self.evidence.confidence)
        interval = interval_in_points(gain.low, gain.high)
        text = (
            f"The mean of all {len(self.names)} is {_verdict(gain)} the best ingredient "
            f"({best}) on held-out data: {100 * gain.value:+.1f} points {interval}."
        )
        yield text, ""

    def _greedy_soup(self) -> Iterator[tuple[str, str]]:
        """What did the greedy soup keep?"""
        if not self.trace:
            return
        kept = [step["candidate"] for step in self.trace if step["accepted"]]
        text = (
            f"The greedy soup kept {len(kept)} of {len(self.trace)}: {', '.join(kept)}."
        )
        if len(kept) == 1:
            text += " A soup of one ingredient is that model."
        yield text, ""


def _verdict(gain: PairedEstimate) -> str:
    if gain.low > 0:
        return "better than"
    if gain.high < 0:
        return "worse than"
    return "not clearly different from"


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table to its findings.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A sentence per row.
    """
    sentences = table.loc[table["row_type"] == "conclusion", ["text"]]
    return sentences.rename(columns={"text": "conclusion"})
