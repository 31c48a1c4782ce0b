"""What an analysis looks at: the tables of one study, and what its models answered."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ..datasets.dataset import Scoring, read_array
from ..evaluation.answers import Answers, answers
from ..evaluation.scored import error_of, right_answers, scored
from ..metrics import Score
from ..runtime.sealed import read_sealed
from .measurements import ACCURACY, MEAN, datasets, reference
from .shared_names import NOTHING


class Nothing(Exception):
    """The study has nothing that this analysis could look at; the text says what it lacks."""

    def table(self) -> pd.DataFrame:
        """Of one sentence."""
        return pd.DataFrame({NOTHING: [f"Nothing to show: {self}."]})


class Evidence:
    """One study: its tables, its models, and their stored answers."""

    def __init__(
        self,
        measurements: pd.DataFrame,
        evaluations: Iterable[dict],
        store: Path,
        labels: dict[str, Path],
        models: dict[str, dict],
        confidence: float = 0.95,
        mixes: dict | None = None,
        geometry: pd.DataFrame | None = None,
        recipes: dict[str, Path] | None = None,
        results: Path = Path(),
        scorings: dict[str, dict] | None = None,
        label_digests: dict[str, str] | None = None,
    ):
        """measurements: see ``tables.measure``. evaluations: what the evaluate jobs wrote.

        labels: data set -> its labels.npy. models: name -> kind, id, settings (hyperparameters,
        or options of the merge), ingredients (names), images. mixes: cells of the analysis's own
        mixes. geometry: model, other, product: inner products of updates. recipes: soup -> file.
        results: the folder in which the benchmarks of jobs lie. scorings: data set -> what its
        card says of its scoring, see ``dataset.Scoring``. label_digests: data set -> that of its
        labels, to check them.
        """
        self.notes: list[str] = []  # sentences that stand under the table
        self.measurements, self.models, self.confidence = (
            measurements,
            models,
            confidence,
        )
        self.geometry, self.recipes = geometry, recipes or {}
        self._results = Path(results)
        self._store, self._labels = Path(store), labels
        self._scorings = {
            name: Scoring(**said) for name, said in (scorings or {}).items()
        }
        self._label_digests = label_digests or {}
        self.cells = pd.DataFrame(
            [cell for found in evaluations for cell in found["cells"]]
        )
        self.mixes = pd.DataFrame(mixes["cells"] if mixes else [])
        every = [self.cells, self.mixes] if len(self.mixes) else [self.cells]
        self._keys = {
            (cell.model, cell.dataset): cell.key
            for table in every
            for cell in table.itertuples()
        }

    @cached_property
    def reference(self) -> str:
        return reference(self.measurements)

    @cached_property
    def shifts(self) -> list[str]:
        return datasets(self.measurements, "shift")

    @cached_property
    def held_out(self) -> str:
        return datasets(self.measurements, "held-out")[0]

    @cached_property
    def corrupted(self) -> list[str]:
        return datasets(self.measurements, "corrupted")

    @property
    def tests(self) -> list[str]:
        """The reference, then the shifts."""
        return [self.reference, *self.shifts]

    @property
    def sets(self) -> dict[str, list[str]]:
        """Every test set by itself, and the mean of the shifts where there are several."""
        each = {name: [name] for name in self.tests}
        return each | ({"mean of shifts": self.shifts} if len(self.shifts) > 1 else {})

    @property
    def places(self) -> dict[str, list[str]]:
        """Reference, and the mean of the shifts or the one that there is: name -> data sets."""
        under_shift = self.shifts[0] if len(self.shifts) == 1 else "mean of shifts"
        return {"reference": [self.reference], under_shift: self.shifts}

    def note(self, sentence: str) -> None:
        """Say something under the table, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def scoring(self, dataset: str) -> Scoring:
        return self._scorings.get(dataset, Scoring())

    def metric(self, dataset: str) -> str:
        """The data set's own metric."""
        rows = self.measurements.loc[self.measurements["dataset"] == dataset, "metric"]
        return str(rows.iloc[0]) if len(rows) else ACCURACY

    def scored_otherwise(self, *datasets: str) -> dict[str, str]:
        """Data set -> metric, of those that are not scored by plain accuracy."""
        metrics = {dataset: self.metric(dataset) for dataset in datasets}
        return {
            dataset: metric for dataset, metric in metrics.items() if metric != ACCURACY
        }

    def note_plain(self, *datasets: str) -> None:
        """Say that the table has plain accuracies where a data set has another metric.

        datasets: that the table is about; the test sets by default.
        """
        if others := self.scored_otherwise(*(datasets or self.tests)):
            self.note(
                "Every accuracy in this table is plain accuracy, the share of right answers, also "
                f"where a data set is scored otherwise ({_named(others)})."
            )

    def note_own(self) -> None:
        """Say by which metric a test set's numbers are, where that is no plain accuracy."""
        if others := self.scored_otherwise(*self.tests):
            self.note(
                f"What is called accuracy is the data set's own metric: {_named(others)}."
            )

    def by_image(self) -> list[str]:
        """The test sets on which every model answers for the same images.

        Of a video the store has one frame, the one that a model gets least right by its label: not
        the same one of two models, and not one that could be known without the label. Such shifts
        are left out, with a note. Raises Nothing where the reference or the held-out set is one.
        """
        videos = [d for d in (self.held_out, *self.tests) if self.scoring(d).videos]
        why = "of a video each model keeps the frame that it gets least right by its label"
        for dataset in (self.held_out, self.reference):
            if dataset in videos:
                raise Nothing(f"{dataset} is scored by videos, and {why}")
        if videos:
            self.note(
                f"Without {', '.join(videos)}: {why}, so that no two answer for one image."
            )
        return [dataset for dataset in self.tests if dataset not in videos]

    def answers(self, model: str, dataset: str) -> Answers:
        """What a model, a point of a sweep or a mix answered."""
        return answers(self._store, self._keys[model, dataset])

    def correct(self, model: str, dataset: str) -> np.ndarray:
        """bool [n]"""
        return self.answers(model, dataset).correct

    def labels(self, dataset: str) -> np.ndarray:
        """int64 [n], indices into the classes of the data set, as the logits' columns.

        Of videos, of which each is one example, the labels of their first images.
        """
        labels = read_array(self._labels[dataset], self._label_digests.get(dataset))
        videos = self.scoring(dataset).videos
        return labels[np.unique(videos, return_index=True)[1]] if videos else labels

    def known(self, model: str) -> bool:
        return all((model, dataset) in self._keys for dataset in self.tests)

    def accuracy(self, model: str, dataset: str) -> float:
        """Of a model on one data set, or on the mean of the shifts (``tables.MEAN``)."""
        return float(self._values[model, dataset])

    def plain_accuracy(self, model: str, dataset: str) -> float:
        """The share of right answers on a data set, or its mean over the shifts."""
        sets = self.shifts if dataset == MEAN else [dataset]
        if not self.scored_otherwise(*sets):
            return self.accuracy(model, dataset)
        return float(np.mean([self.correct(model, name).mean() for name in sets]))

    def score(self, dataset: str, predicted: np.ndarray) -> Score:
        """Answers to the images, int [n], by the data set's own metric: a model's or a mix's."""
        scoring, labels = self.scoring(dataset), self.labels(dataset)
        return scored(
            scoring, labels, predicted, right_answers(scoring, labels, predicted)
        )

    def right(self, dataset: str, predicted: np.ndarray) -> np.ndarray:
        """bool [n]: which of these answers to the images are right."""
        return right_answers(self.scoring(dataset), self.labels(dataset), predicted)

    def held_out_curve(self, points: pd.DataFrame) -> pd.DataFrame:
        """What a sweep does on held-out data, as ``alpha.selectors`` read it.

        points: alpha and model.
        """
        dataset = self.held_out
        labels = self.labels(dataset)
        values = [self.accuracy(model, dataset) for model in points["model"]]
        table = pd.DataFrame(
            {"alpha": points["alpha"], "held_out": values, "n": len(labels)}
        )
        if self.scored_otherwise(dataset):
            found = [self.answers(model, dataset) for model in points["model"]]
            table["error"] = [
                error_of(self.scoring(dataset), labels, a.predicted, a.correct)
                for a in found
            ]
        return table

    @cached_property
    def _values(self) -> pd.Series:
        table = pd.concat([self.measurements, self._mixed()])
        return table.drop_duplicates(["model", "dataset"]).set_index(
            ["model", "dataset"]
        )["value"]

    def _mixed(self) -> pd.DataFrame:
        """Accuracies of the mixes, with the mean over the shifts where all are there."""
        if self.mixes.empty:
            return pd.DataFrame(columns=["model", "dataset", "value"])
        table = self.mixes[["model", "dataset", "value"]]
        shifts = table[table["dataset"].isin(self.shifts)].groupby("model")["value"]
        mean = (
            shifts.mean()[shifts.size() == len(self.shifts)]
            .rename("value")
            .reset_index()
        )
        return pd.concat([table, mean.assign(dataset=MEAN)])

    def named(self, *kinds: str) -> list[str]:
        """Models of these kinds that have a result, without points of sweeps."""
        table = self.measurements
        own = table[(table["curve"] == "") & table["kind"].isin(kinds)]
        return [model for model in own["model"].drop_duplicates() if self.known(model)]

    def check(self, models: list[str]) -> None:
        """Raises Nothing naming the models that have no result."""
        if missing := [name for name in models if not self.known(name)]:
            raise Nothing(f"there is no result of {', '.join(missing)}")

    def tuned(self, given: list[str] | None = None) -> list[str]:
        """End-to-end runs with a result, or those given. Raises Nothing for a name unknown."""
        if not given:
            return self.named("end-to-end")
        self.check(given)
        return list(given)

    def saw_shift(self, model: str) -> bool:
        """Was it, or a run that it starts from, trained on a second data set?"""
        settings = self.models.get(model, {}).get("settings", {})
        start = settings.get("start", "zero-shot")
        return bool(settings.get("joint")) or (
            start != "zero-shot" and self.saw_shift(start)
        )

    @cached_property
    def best_single(self) -> str:
        """The end-to-end run that is best on held-out data; "" without any."""
        runs = self.named("end-to-end")
        return max(runs, key=lambda m: self.accuracy(m, self.held_out), default="")

    def curves(self) -> dict[str, pd.DataFrame]:
        """Sweep -> alpha and model of its points, from the zero-shot model up."""
        points = self.measurements[self.measurements["curve"] != ""]
        points = (
            points[["curve", "alpha", "model"]].drop_duplicates().sort_values("alpha")
        )
        return {
            curve: group[["alpha", "model"]].reset_index(drop=True)
            for curve, group in points.groupby("curve", sort=True)
        }

    def benchmark(self, model: str) -> Path:
        """Where the time and memory of the job that made a model are."""
        return self._results / "benchmarks" / f"{self.models[model].get('id', '')}.tsv"

    def recipe(self, soup: str) -> dict:
        """How a soup was found, as its method wrote it."""
        return read_sealed(self.recipes[soup])


def _named(metrics: dict[str, str]) -> str:
    """As "a by macro f1, b by worst group"."""
    return ", ".join(
        f"{name} by {metric.replace('-', ' ')}" for name, metric in metrics.items()
    )
