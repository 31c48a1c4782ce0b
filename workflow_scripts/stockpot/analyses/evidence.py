"""What an analysis looks at: the tables of one study, and what its models answered."""

import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ..evaluation.answers import Answers, answers
from ..files import wait_for
from ..statistics.tables import MEAN, datasets, reference
from . import NOTHING


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
        videos: dict[str, list[int]] | None = None,
    ):
        """measurements: see ``tables.measure``. evaluations: what the evaluate jobs wrote.

        labels: data set -> its labels.npy. models: name -> kind, id, settings (hyperparameters,
        or options of the merge), ingredients (names), images. mixes: cells of the analysis's own
        mixes. geometry: model, other, product: inner products of updates. recipes: soup -> file.
        results: the folder in which the benchmarks of jobs lie. videos: data set -> that of each
        image, where they have any.
        """
        self.measurements, self.models, self.confidence = measurements, models, confidence
        self.geometry, self.recipes = geometry, recipes or {}
        self._results = Path(results)
        self._store, self._labels = Path(store), labels
        self._videos = {name: [] for name in labels} | (videos or {})
        self.cells = pd.DataFrame([cell for found in evaluations for cell in found["cells"]])
        self.mixes = pd.DataFrame(mixes["cells"] if mixes else [])
        every = [self.cells, self.mixes] if len(self.mixes) else [self.cells]
        self._keys = {
            (cell.model, cell.dataset): cell.key for table in every for cell in table.itertuples()
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
        """Reference and mean of the shifts: name -> data sets."""
        return {"reference": [self.reference], "mean of shifts": self.shifts}

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
        wait_for(self._labels[dataset])
        labels, videos = np.load(self._labels[dataset], allow_pickle=False), self._videos[dataset]
        return labels[np.unique(videos, return_index=True)[1]] if videos else labels

    def known(self, model: str) -> bool:
        return all((model, dataset) in self._keys for dataset in self.tests)

    def accuracy(self, model: str, dataset: str) -> float:
        """Of a model on one data set, or on the mean of the shifts (``tables.MEAN``)."""
        return float(self._values[model, dataset])

    @cached_property
    def _values(self) -> pd.Series:
        table = pd.concat([self.measurements, self._mixed()])
        return table.drop_duplicates(["model", "dataset"]).set_index(["model", "dataset"])["value"]

    def _mixed(self) -> pd.DataFrame:
        """Accuracies of the mixes, with the mean over the shifts where all are there."""
        if self.mixes.empty:
            return pd.DataFrame(columns=["model", "dataset", "value"])
        table = self.mixes[["model", "dataset", "value"]]
        shifts = table[table["dataset"].isin(self.shifts)].groupby("model")["value"]
        mean = shifts.mean()[shifts.size() == len(self.shifts)].rename("value").reset_index()
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
        return bool(settings.get("joint")) or (start != "zero-shot" and self.saw_shift(start))

    @cached_property
    def best_single(self) -> str:
        """The end-to-end run that is best on held-out data; "" without any."""
        runs = self.named("end-to-end")
        return max(runs, key=lambda m: self.accuracy(m, self.held_out), default="")

    def curves(self) -> dict[str, pd.DataFrame]:
        """Sweep -> alpha and model of its points, from the zero-shot model up."""
        points = self.measurements[self.measurements["curve"] != ""]
        points = points[["curve", "alpha", "model"]].drop_duplicates().sort_values("alpha")
        return {
            curve: group[["alpha", "model"]].reset_index(drop=True)
            for curve, group in points.groupby("curve", sort=True)
        }

    def benchmark(self, model: str) -> Path:
        """Where the time and memory of the job that made a model are."""
        return self._results / "benchmarks" / f"{self.models[model].get('id', '')}.tsv"

    def recipe(self, soup: str) -> dict:
        """How a soup was found, as its method wrote it."""
        return json.loads(Path(self.recipes[soup]).read_text())
