"""What an analysis looks at: the tables of one study, and what its models answered."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..datasets.dataset import Scoring, read_array
from ..evaluation.scored import right_answers, score_answers, score_error
from ..evaluation.stored_predictions import StoredPredictions, answers
from ..metrics import Score
from ..runtime.sealed import read_sealed
from .measurements import ACCURACY, SHIFT_MEAN, datasets, reference
from .shared_names import MEAN_OF_SHIFTS, NOTHING

# The name of the zero-shot model.
ZERO_SHOT = "zero-shot"


class NothingToShowError(Exception):
    """The study lacks what this analysis looks at; the text says what that is."""

    def table(self) -> pd.DataFrame:
        """Make the table that stands in place of that of the analysis.

        Returns:
            One row of one column, a sentence.
        """
        sentence = f"Nothing to show: {self}."
        return pd.DataFrame({NOTHING: [sentence]})


class Evidence:
    """One study: its tables, its models, and their stored predictions.

    Attributes:
        measurements: A row per model and data set; see ``measurements.measure``.
        models: Name -> what is known of a model: ``kind``, ``id``, ``settings``
            (hyperparameters, or options of the merge), ``ingredients`` (names) and ``images``.
        confidence: Of all intervals, such as 0.95.
        geometry: Inner products of updates, with columns model, other_model and inner_product.
        recipes: Name of a soup -> the file that says how it was found.
        cells: A row per model and data set, with the key of its stored prediction.
        mixes: The same for the analysis's own mixes, with their labels; empty without any.
        notes: Sentences that stand under the table.
    """

    def __init__(
        self,
        measurements: pd.DataFrame,
        evaluations: Iterable[dict[str, Any]],
        store: Path,
        labels: dict[str, Path],
        models: dict[str, dict[str, Any]],
        confidence: float = 0.95,
        mixes: dict[str, Any] | None = None,
        geometry: pd.DataFrame | None = None,
        recipes: dict[str, Path] | None = None,
        results: Path = Path(),
        scorings: dict[str, dict[str, Any]] | None = None,
        label_digests: dict[str, str] | None = None,
    ):
        """Collect what is known of a study.

        Args:
            measurements: See ``measurements.measure``.
            evaluations: What the evaluations wrote.
            store: Folder of the predictions.
            labels: Data set -> its labels.npy.
            models: Name -> what is known of the model.
            confidence: Of all intervals.
            mixes: What the evaluation of the analysis's own mixes wrote.
            geometry: Inner products of updates.
            recipes: Soup -> its recipe.
            results: Folder in which the benchmarks of jobs lie.
            scorings: Data set -> what its card says of its scoring; see ``dataset.Scoring``.
            label_digests: Data set -> digest of its labels, to check them.
        """
        self.notes: list[str] = []
        self.measurements = measurements
        self.models = models
        self.confidence = confidence
        self.geometry = geometry
        self.recipes = recipes or {}
        self._results = Path(results)
        self._store = Path(store)
        self._labels = labels
        self._label_digests = label_digests or {}
        self._scorings: dict[str, Scoring] = {}
        for name, scoring in (scorings or {}).items():
            self._scorings[name] = Scoring(**scoring)
        # The key of a cell finds its prediction in the store.
        model_cells: list[dict[str, Any]] = []
        for evaluation in evaluations:
            model_cells += evaluation["cells"]
        mixed_cells: list[dict[str, Any]] = []
        if mixes:
            mixed_cells = mixes["cells"]
        self.cells = pd.DataFrame(model_cells)
        self.mixes = pd.DataFrame(mixed_cells)
        self._keys = _keys(self.cells)
        if len(self.mixes):
            self._keys |= _keys(self.mixes)

    @cached_property
    def reference(self) -> str:
        """Name of the reference."""
        return reference(self.measurements)

    @cached_property
    def shifts(self) -> list[str]:
        """Names of the shifts."""
        return datasets(self.measurements, "shift")

    @cached_property
    def held_out(self) -> str:
        """Name of the held-out set."""
        names = datasets(self.measurements, "held-out")
        return names[0]

    @cached_property
    def corrupted(self) -> list[str]:
        """Names of the corrupted sets."""
        return datasets(self.measurements, "corrupted")

    @property
    def test_sets(self) -> list[str]:
        """The reference, then the shifts."""
        return [self.reference, *self.shifts]

    @property
    def sets_and_mean(self) -> dict[str, list[str]]:
        """Every test set by itself, and the mean of the shifts where there are several."""
        names = {}
        for name in self.test_sets:
            names[name] = [name]
        if len(self.shifts) > 1:
            names[MEAN_OF_SHIFTS] = self.shifts
        return names

    @property
    def reference_and_shifts(self) -> dict[str, list[str]]:
        """The reference, and the mean of the shifts or the only shift: name -> data sets."""
        under_shift = MEAN_OF_SHIFTS
        if len(self.shifts) == 1:
            under_shift = self.shifts[0]
        return {
            "reference": [self.reference],
            under_shift: self.shifts,
        }

    def note(self, sentence: str) -> None:
        """Put a sentence under the table, once.

        Args:
            sentence: The sentence.
        """
        if sentence not in self.notes:
            self.notes.append(sentence)

    def scoring(self, dataset: str) -> Scoring:
        """Look up how a data set is scored.

        Args:
            dataset: Its name.

        Returns:
            Its scoring; plain accuracy where nothing else is known.
        """
        plain_accuracy = Scoring()
        return self._scorings.get(dataset, plain_accuracy)

    def metric(self, dataset: str) -> str:
        """Look up the data set's own metric.

        Args:
            dataset: Its name.

        Returns:
            The name of the metric.
        """
        table = self.measurements
        is_dataset = table["dataset"] == dataset
        metrics = table.loc[is_dataset, "metric"]
        if metrics.empty:
            return ACCURACY
        return str(metrics.iloc[0])

    def other_metrics(self, *datasets: str) -> dict[str, str]:
        """Find the data sets that are not scored by plain accuracy.

        Args:
            datasets: Where to look.

        Returns:
            Data set -> its metric.
        """
        others = {}
        for dataset in datasets:
            metric = self.metric(dataset)
            if metric != ACCURACY:
                others[dataset] = metric
        return others

    def note_plain_accuracy(self, *datasets: str) -> None:
        """Note that the table has plain accuracies where a data set has another metric.

        Args:
            datasets: What the table is about; the test sets by default.
        """
        shown_sets = datasets or self.test_sets
        others = self.other_metrics(*shown_sets)
        if others:
            metrics_text = _metrics_text(others)
            self.note(
                "All accuracies in this table are plain accuracies (the share of right "
                "answers), also for data sets that are scored by another metric "
                f"({metrics_text})."
            )

    def note_own_metrics(self) -> None:
        """Note by which metric the numbers of a test set are, if not by plain accuracy."""
        others = self.other_metrics(*self.test_sets)
        if others:
            metrics_text = _metrics_text(others)
            self.note(
                f"Here, accuracy means the data set's own metric: {metrics_text}."
            )

    def sets_with_common_images(self) -> list[str]:
        """List the test sets on which every model answers for the same images.

        Of a video the store keeps one frame: the one that a model gets least right by its
        label. Two models need not have the same one, and without the label nobody could know
        which it is. Shifts that are scored by videos are left out, with a note.

        Returns:
            Names of test sets, the reference first.

        Raises:
            NothingToShowError: If the reference or the held-out set is scored by videos.
        """
        # The held-out set counts too: temperatures are fitted on it.
        video_sets = []
        for name in (self.held_out, *self.test_sets):
            scoring = self.scoring(name)
            if scoring.videos:
                video_sets.append(name)
        why = "each model keeps the frame of a video that it gets least right by its label"
        for dataset in (self.held_out, self.reference):
            if dataset in video_sets:
                raise NothingToShowError(f"{dataset} is scored by videos, and {why}")
        if video_sets:
            names = ", ".join(video_sets)
            self.note(
                f"Left out: {names}, because {why}. So models answer for different images."
            )
        return [dataset for dataset in self.test_sets if dataset not in video_sets]

    def answers(
        self,
        model: str,
        dataset: str,
    ) -> StoredPredictions:
        """Read what a model answered.

        Args:
            model: Name of a model, of a point of a sweep, or of a mix.
            dataset: Name of a data set.

        Returns:
            The stored prediction.
        """
        key = self._keys[model, dataset]
        return answers(self._store, key)

    def correct(self, model: str, dataset: str) -> np.ndarray:
        """Read which answers of a model are right.

        Args:
            model: Name of a model, of a point of a sweep, or of a mix.
            dataset: Name of a data set.

        Returns:
            Bool [n].
        """
        prediction = self.answers(model, dataset)
        return prediction.correct

    def correct_on(
        self,
        model: str,
        datasets: list[str],
    ) -> list[np.ndarray]:
        """Read which answers of a model are right on several data sets.

        Args:
            model: Name of a model, of a point of a sweep, or of a mix.
            datasets: Names of data sets.

        Returns:
            Bool [n] per data set.
        """
        return [self.correct(model, dataset) for dataset in datasets]

    def labels(self, dataset: str) -> np.ndarray:
        """Read the labels of a data set.

        Args:
            dataset: Its name.

        Returns:
            Int64 [n], class indices as in the columns of the logits. A video is one example;
            its label is that of its first image.
        """
        path = self._labels[dataset]
        digest = self._label_digests.get(dataset)
        labels = read_array(path, digest)
        videos = self.scoring(dataset).videos
        if not videos:
            return labels
        # np.unique gives, for every video, the index of its first image.
        _, first_images = np.unique(videos, return_index=True)
        return labels[first_images]

    def has_results(self, model: str) -> bool:
        """Tell whether a model was evaluated on all test sets.

        Args:
            model: Its name.

        Returns:
            True if it was.
        """
        return all((model, dataset) in self._keys for dataset in self.test_sets)

    def accuracy(self, model: str, dataset: str) -> float:
        """Look up a model's score by the data set's own metric.

        Args:
            model: Name of a model, of a point of a sweep, or of a mix.
            dataset: Name of a data set, or ``measurements.SHIFT_MEAN`` for the mean of the shifts.

        Returns:
            A fraction.
        """
        value = self._values[model, dataset]
        return float(value)

    def plain_accuracy(self, model: str, dataset: str) -> float:
        """Compute a model's fraction of right answers, whatever the metric of the data set.

        Args:
            model: Name of a model, of a point of a sweep, or of a mix.
            dataset: Name of a data set, or ``measurements.SHIFT_MEAN`` for the mean of the shifts.

        Returns:
            A fraction.
        """
        sets = [dataset]
        if dataset == SHIFT_MEAN:
            sets = self.shifts
        # The table already has plain accuracies where those are the metric.
        if not self.other_metrics(*sets):
            return self.accuracy(model, dataset)
        correct_by_set = self.correct_on(model, sets)
        accuracies = [correct.mean() for correct in correct_by_set]
        return float(np.mean(accuracies))

    def score(
        self,
        dataset: str,
        predicted: np.ndarray,
    ) -> Score:
        """Score predicted classes by the data set's own metric.

        Args:
            dataset: Name of a data set.
            predicted: Int [n], a class per image.

        Returns:
            The score.
        """
        scoring = self.scoring(dataset)
        labels = self.labels(dataset)
        correct = right_answers(scoring, labels, predicted)
        return score_answers(scoring, labels, predicted, correct)

    def is_correct(
        self,
        dataset: str,
        predicted: np.ndarray,
    ) -> np.ndarray:
        """Tell which predicted classes are right.

        Args:
            dataset: Name of a data set.
            predicted: Int [n], a class per image.

        Returns:
            Bool [n].
        """
        scoring = self.scoring(dataset)
        labels = self.labels(dataset)
        return right_answers(scoring, labels, predicted)

    def held_out_sweep(self, points: pd.DataFrame) -> pd.DataFrame:
        """Tabulate a sweep on held-out data, as ``alpha.selectors`` read it.

        Args:
            points: alpha and model of the sweep's points.

        Returns:
            alpha, held_out and n; and standard_error, where the metric is not plain accuracy.
        """
        dataset = self.held_out
        labels = self.labels(dataset)
        values = [self.accuracy(model, dataset) for model in points["model"]]
        table = pd.DataFrame(
            {
                "alpha": points["alpha"],
                "held_out": values,
                "n": len(labels),
            }
        )
        # For plain accuracy selectors know the standard error from n.
        if not self.other_metrics(dataset):
            return table
        scoring = self.scoring(dataset)
        errors = []
        for model in points["model"]:
            prediction = self.answers(model, dataset)
            error = score_error(
                scoring,
                labels,
                prediction.predicted,
                prediction.correct,
            )
            errors.append(error)
        table["standard_error"] = errors
        return table

    @cached_property
    def _values(self) -> pd.Series:
        """Scores of models and mixes by (model, data set)."""
        # Where a mix has the name of a model, the score of the model counts.
        key = ["model", "dataset"]
        table = pd.concat([self.measurements, self._mixed()])
        table = table.drop_duplicates(key)
        by_key = table.set_index(key)
        return by_key["value"]

    def _mixed(self) -> pd.DataFrame:
        """Scores of the mixes, with the mean over the shifts where all shifts are there."""
        if self.mixes.empty:
            return pd.DataFrame(columns=["model", "dataset", "value"])
        table = self.mixes[["model", "dataset", "value"]]
        is_shift = table["dataset"].isin(self.shifts)
        by_model = table[is_shift].groupby("model")["value"]
        # A mean over some of the shifts would not compare with one over all.
        shift_count = len(self.shifts)
        has_all = by_model.size() == shift_count
        means = by_model.mean()[has_all]
        mean_rows = means.rename("value").reset_index()
        mean_rows = mean_rows.assign(dataset=SHIFT_MEAN)
        return pd.concat([table, mean_rows])

    def models_of_kind(self, *kinds: str) -> list[str]:
        """List the models of some kinds that have results.

        Args:
            kinds: Kinds of models, such as "end-to-end".

        Returns:
            Their names, without points of sweeps.
        """
        table = self.measurements
        # A row with a sweep is a point of a sweep.
        is_point = table["sweep"] != ""
        is_of_kind = table["kind"].isin(kinds)
        names = table.loc[is_of_kind & ~is_point, "model"]
        return [name for name in names.drop_duplicates() if self.has_results(name)]

    def require_results(self, models: list[str]) -> None:
        """Check that models have results.

        Args:
            models: Their names.

        Raises:
            NothingToShowError: Names the models that have none.
        """
        missing = []
        for name in models:
            if not self.has_results(name):
                missing.append(name)
        if missing:
            missing_names = ", ".join(missing)
            raise NothingToShowError(f"there is no result of {missing_names}")

    def end_to_end_runs(self, names: list[str] | None = None) -> list[str]:
        """List end-to-end runs that have results.

        Args:
            names: The runs to list; by default all.

        Returns:
            Their names.

        Raises:
            NothingToShowError: If a run that is named has no result.
        """
        if not names:
            return self.models_of_kind("end-to-end")
        self.require_results(names)
        return list(names)

    def settings(self, model: str) -> dict[str, Any]:
        """Look up the hyperparameters of a run, or the options of a merge.

        Args:
            model: Its name.

        Returns:
            Key -> value; empty for a model that is not in ``models``.
        """
        description = self.models.get(model, {})
        return description.get("settings", {})

    def trained_on_shift(self, model: str) -> bool:
        """Tell whether a run, or one that it starts from, was trained on a second data set.

        Args:
            model: Name of the run.

        Returns:
            True if it was.
        """
        settings = self.settings(model)
        # The option second_dataset names the second data set.
        if settings.get("second_dataset"):
            return True
        initial_model = settings.get("init_from", ZERO_SHOT)
        if initial_model == ZERO_SHOT:
            return False
        return self.trained_on_shift(initial_model)

    @cached_property
    def best_run(self) -> str:
        """The end-to-end run that is best on held-out data; "" without any."""

        def held_out_accuracy(run: str) -> float:
            """The score of a run on the held-out set."""
            return self.accuracy(run, self.held_out)

        runs = self.models_of_kind("end-to-end")
        return max(runs, key=held_out_accuracy, default="")

    def sweeps(self) -> dict[str, pd.DataFrame]:
        """Tabulate the points of every sweep.

        Returns:
            Name of the target -> alpha and model of the points, from the zero-shot model up.
        """
        table = self.measurements
        is_point = table["sweep"] != ""
        points = table.loc[is_point, ["sweep", "alpha", "model"]]
        # The table has a row per data set; of each point one is enough.
        points = points.drop_duplicates().sort_values("alpha")
        sweeps = {}
        for target, group in points.groupby("sweep", sort=True):
            sweep = group[["alpha", "model"]]
            sweeps[target] = sweep.reset_index(drop=True)
        return sweeps

    def benchmark(self, model: str) -> Path:
        """Locate the time and the memory of the job that made a model.

        Args:
            model: Its name.

        Returns:
            The file; it need not exist.
        """
        description = self.models[model]
        job_id = description.get("id", "")
        folder = self._results / "benchmarks"
        return folder / f"{job_id}.tsv"

    def recipe(self, soup: str) -> dict[str, Any]:
        """Read how a soup was found.

        Args:
            soup: Its name.

        Returns:
            Its recipe, as the merge method wrote it.
        """
        path = self.recipes[soup]
        return read_sealed(path)


def model_at(points: pd.DataFrame, alpha: float) -> str | None:
    """Find the point of a sweep at an alpha.

    Args:
        points: alpha and model of the sweep's points.
        alpha: Exactly as in the table.

    Returns:
        Name of the point; None where the sweep has none.
    """
    is_at_alpha = points["alpha"] == alpha
    models = points.loc[is_at_alpha, "model"]
    if models.empty:
        return None
    return models.iloc[0]


def mean_accuracy(arrays: list[np.ndarray]) -> float:
    """Compute the unweighted mean over data sets of the fraction of right answers.

    Args:
        arrays: Bool [n] per data set, which answers are right.

    Returns:
        A fraction.
    """
    accuracies = [correct.mean() for correct in arrays]
    return sum(accuracies) / len(accuracies)


def inner_products(geometry: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Look up the inner products of updates by the names of their models.

    Args:
        geometry: Columns model, other_model and inner_product.

    Returns:
        (model, other) -> inner product.
    """
    products = {}
    for row in geometry.itertuples():
        pair = (row.model, row.other_model)
        products[pair] = row.inner_product
    return products


def _keys(cells: pd.DataFrame) -> dict[tuple[str, str], str]:
    """(model, data set) -> key of the stored prediction."""
    keys = {}
    for cell in cells.itertuples():
        keys[cell.model, cell.dataset] = cell.key
    return keys


def _metrics_text(metrics: dict[str, str]) -> str:
    """The metrics as "a by macro f1, b by worst group"."""
    texts = []
    for name, metric in metrics.items():
        metric_text = metric.replace("-", " ")
        texts.append(f"{name} by {metric_text}")
    return ", ".join(texts)
