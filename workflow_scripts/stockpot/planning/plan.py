"""The plan of a study: all of its jobs, and what they need to know of each other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .. import analyses
from . import resources
from .data_jobs import DatasetJob, DownloadJob, FilteredDataset
from .evaluation_jobs import EvaluationJob
from .jobs import Config, Job
from .model_jobs import CheckpointJob, ModelJob, RunJob, SoupJob, ZeroShotJob
from .study_jobs import AnalysisJob, FigureJob, StudyJob, StudyPlan

UNKNOWN_IMAGES = 10_000  # of a data set whose images were not counted
# How predictions are spread over jobs changes nothing in them.
SPREAD = ("models_per_job", "sweeps_per_job")


@dataclass
class Plan:
    """All jobs of a study, of all its seeds.

    Attributes:
        config: What it was made from.
        model: The pretrained model.
        sizes: Data set -> images, of those that figures show.
        counts: Data set -> images, of all.
        summary: Lines to read before the work begins.
        class_notes: Test set that lacks classes -> which answers it has.
        held_out_note: What readers must know of the held-out set.
        published_models: The table of published models: path, digest, how to read it.
        downloads: Id -> the job; so are data sets to evaluations.
        studies: Id, "<study>/seed<seed>" -> the study of a seed.
        study_jobs: Jobs of the studies: tables, analyses, figures, pages, exports.
    """

    config: Config
    model: ModelJob
    sizes: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    summary: list[str] = field(default_factory=list)
    class_notes: dict[str, str] = field(default_factory=dict)
    held_out_note: str = ""
    published_models: dict[str, Any] = field(default_factory=dict)
    downloads: dict[str, DownloadJob] = field(default_factory=dict)
    datasets: dict[str, DatasetJob] = field(default_factory=dict)
    zero_shots: dict[str, ZeroShotJob] = field(default_factory=dict)
    runs: dict[str, RunJob] = field(default_factory=dict)
    checkpoints: dict[str, CheckpointJob] = field(default_factory=dict)
    soups: dict[str, SoupJob] = field(default_factory=dict)
    evaluations: dict[str, EvaluationJob] = field(default_factory=dict)
    studies: dict[str, StudyPlan] = field(default_factory=dict)
    study_jobs: list[StudyJob] = field(default_factory=list)

    def jobs(self) -> list[Job]:
        """All jobs of the plan.

        Returns:
            The jobs, those that others follow from first. A model that is given has no rule.
        """
        return [
            self.model,
            *self.downloads.values(),
            *self.datasets.values(),
            *self.zero_shots.values(),
            *self.runs.values(),
            *self.checkpoints.values(),
            *self.soups.values(),
            *self.evaluations.values(),
            *self.study_jobs,
        ]

    # The plan is complete before any of what follows is asked, so that answers can be kept.

    @cached_property
    def size(self) -> resources.ModelSize:
        """Size of the pretrained model, from which memory and time are estimated.

        Returns:
            Its parameters and tokens.
        """
        return resources.model_size(self.model.architecture)

    def images_of(self, ids: Iterable[str]) -> int:
        """Count the images of data sets.

        Args:
            ids: Of the data sets.

        Returns:
            How many images they have together.
        """
        # Data sets that were not counted are estimated, as memory and time are.
        total = 0
        for dataset in ids:
            name = self.datasets[dataset].name
            total += self.counts.get(name, UNKNOWN_IMAGES)
        return total

    @cached_property
    def adversaries(self) -> frozenset[str]:
        """The runs whose mistakes make a data set.

        Returns:
            Ids of the runs.
        """
        runs = set()
        # Only adversarial sets are filtered, each by the mistakes of one run.
        for job in self.datasets.values():
            if isinstance(job, FilteredDataset):
                runs.add(job.adversary)
        return frozenset(runs)

    def is_recipe(self, model: str) -> bool:
        """Is this model a recipe over others, and not a classifier of its own?

        Args:
            model: Id of the model.

        Returns:
            False for runs, checkpoints, zero-shot models and merges that write weights.
        """
        soup = self.soups.get(model)
        return soup is not None and not soup.writes_weights

    def classifiers_of(self, model: str) -> tuple[str, ...]:
        """List the classifiers that a model consists of.

        Args:
            model: Id of the model.

        Returns:
            Ids: its own, or those of all that its recipe may name.
        """
        if self.is_recipe(model):
            return self.soups[model].classifiers
        return (model,)

    @cached_property
    def _evaluations_by_model(self) -> dict[str, list[str]]:
        """Id of a model -> the evaluations of it by itself."""
        evaluations: dict[str, list[str]] = {}
        for job in self.evaluations.values():
            if job.sweep_start:
                continue  # a sweep
            for model in job.models:
                evaluations.setdefault(model, []).append(job.id)
        return evaluations

    def evaluations_of(self, models: Iterable[str]) -> list[str]:
        """List the evaluations of some models: who waits for them finds their cells stored.

        Args:
            models: Ids of the models.

        Returns:
            Ids of the evaluations, each once.
        """
        evaluations: list[str] = []
        for model in models:
            evaluations += self._evaluations_by_model.get(model, [])
        # Models of one job have one evaluation, which is named once.
        return list(dict.fromkeys(evaluations))

    @cached_property
    def figures(self) -> dict[tuple[str, str], FigureJob]:
        """The figures of all studies.

        Returns:
            (id of the study, name of the figure) -> the job that draws it.
        """
        figures = {}
        for job in self.study_jobs:
            if isinstance(job, FigureJob):
                figures[job.study, job.entry] = job
        return figures

    def needs_geometry(self) -> bool:
        """Does an analysis look at lengths and angles of updates?

        Returns:
            True if the table of them is to be made.
        """
        for job in self.study_jobs:
            if not isinstance(job, AnalysisJob):
                continue
            if "geometry" in analyses.needs(job.analysis):
                return True
        return False

    def prediction_settings(self) -> dict[str, Any]:
        """How predictions are made; see the function of this name.

        Returns:
            Settings of the config.
        """
        return prediction_settings(self.config)


def prediction_settings(config: Config) -> dict[str, Any]:
    """Take the settings that say how predictions are made.

    Args:
        config: A config that was checked.

    Returns:
        The settings of ``evaluation``, except those that spread predictions over jobs.
    """
    settings = {}
    for key, value in config["evaluation"].items():
        if key not in SPREAD:
            settings[key] = value
    return settings
