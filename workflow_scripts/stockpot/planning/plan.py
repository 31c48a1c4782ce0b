"""The plan of a study: all of its jobs, and what they need to know of each other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from .. import analyses
from . import resources
from .data_jobs import DatasetJob, DownloadJob, FilteredDataset
from .evaluation_jobs import EvaluationJob
from .jobs import Job
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
        cloud: The table of published models: path, digest, how to read it.
        downloads: Id -> the job; so are data sets to evaluations.
        studies: Id, "<study>/seed<seed>" -> the study of a seed.
        study_jobs: Jobs of the studies: tables, analyses, figures, pages, exports.
    """

    config: dict
    model: ModelJob
    sizes: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    summary: list[str] = field(default_factory=list)
    class_notes: dict[str, str] = field(default_factory=dict)
    held_out_note: str = ""
    cloud: dict = field(default_factory=dict)
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
        """All jobs, those that others follow from first; a model that is given has no rule."""
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

    @cached_property
    def size(self) -> resources.Model:
        """Parameters and tokens of the model, from which memory and time are estimated."""
        return resources.model(self.model.architecture)

    def images_of(self, ids: Iterable[str]) -> int:
        """How many images these data sets have together."""
        return sum(
            self.counts.get(self.datasets[id].name, UNKNOWN_IMAGES) for id in ids
        )

    @cached_property
    def adversaries(self) -> frozenset[str]:
        """Ids of the runs whose mistakes make a data set."""
        filtered = [
            job for job in self.datasets.values() if isinstance(job, FilteredDataset)
        ]
        return frozenset(job.adversary for job in filtered)

    def is_recipe(self, model: str) -> bool:
        """Is this model a recipe over others, and not a classifier of its own?"""
        return model in self.soups and not self.soups[model].writes_weights

    def classifiers_of(self, model: str) -> tuple[str, ...]:
        """Ids of the classifiers that a model consists of: itself, or all of its recipe."""
        return self.soups[model].classifiers if self.is_recipe(model) else (model,)

    @cached_property
    def _evaluated_by(self) -> dict[str, list[str]]:
        """Id of a model -> the evaluations of it by itself."""
        found: dict[str, list[str]] = {}
        for job in self.evaluations.values():
            for model in [] if job.start else job.models:
                found.setdefault(model, []).append(job.id)
        return found

    def evaluations_of(self, models: Iterable[str]) -> list[str]:
        """Ids of the evaluations of these models: who waits for them finds their cells stored."""
        ids = [id for model in models for id in self._evaluated_by.get(model, [])]
        return list(dict.fromkeys(ids))

    @cached_property
    def figures(self) -> dict[tuple[str, str], FigureJob]:
        """(study, name) -> the figure."""
        jobs = [job for job in self.study_jobs if isinstance(job, FigureJob)]
        return {(job.study, job.entry): job for job in jobs}

    def needs_geometry(self) -> bool:
        """Does an analysis look at lengths and angles of updates?"""
        jobs = [job for job in self.study_jobs if isinstance(job, AnalysisJob)]
        return any("geometry" in analyses.needs(job.analysis) for job in jobs)

    def prediction_settings(self) -> dict:
        """How predictions are made."""
        return prediction_settings(self.config)


def prediction_settings(config: dict) -> dict:
    """How predictions are made; how they are spread over jobs is left out.

    Args:
        config: A config that was checked.
    """
    return {
        key: value for key, value in config["evaluation"].items() if key not in SPREAD
    }
