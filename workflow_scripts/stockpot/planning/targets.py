"""The files that a study ends in, and those that they follow from."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from ..models import formats
from .data_jobs import DatasetJob
from .jobs import Job, evaluation_file, recipe_file
from .model_jobs import exported_vocabulary
from .plan import Plan
from .study_jobs import (
    AnalysisJob,
    ExportJob,
    FigureJob,
    GeometryJob,
    MixesJob,
    StudyPlan,
    study_file,
)

TABLES = ("measurements.csv", "robustness.csv", "fits.csv", "findings.csv")
MAIN_TABLES = ("main_table.md", "main_table.tex")
ANALYSIS_FORMATS = ("csv", "md", "tex", "html")
FIGURE_FORMATS = ("pdf", "png", "csv")


def targets(plan: Plan) -> list[str]:
    """All files that ``rule all`` asks for."""
    files = sources(plan)
    for study in plan.studies.values():
        files += _tables(plan, study)
    for job in plan.study_jobs:
        files += _outputs(plan, job)
    name = plan.config["study"]
    return [*files, study_file(name, "summary.md"), study_file(name, "summary.html")]


def _tables(plan: Plan, study: StudyPlan) -> list[str]:
    """Tables and pages that every study has."""
    pages = [f"{page}.html" for page in plan.config["pages"]]
    samples = [f"figures/samples.{form}" for form in FIGURE_FORMATS]
    return [
        study_file(study.id, name) for name in (*MAIN_TABLES, *TABLES, *pages, *samples)
    ]


def _outputs(plan: Plan, job: Job) -> list[str]:
    """What people look at of an analysis, a figure or an export; its page too."""
    if isinstance(job, AnalysisJob):
        return [
            job.file("analyses", f"{job.entry}.{form}") for form in ANALYSIS_FORMATS
        ]
    if isinstance(job, FigureJob):
        return [job.file("figures", f"{job.entry}.{form}") for form in FIGURE_FORMATS]
    if isinstance(job, ExportJob):
        names = exported_files(plan, job.spec["format"])
        return [job.file("exports", job.entry, name) for name in names]
    return []


def exported_files(plan: Plan, form: str) -> list[str]:
    """Names of the files of a format; the model's own vocabulary is among open_clip's.

    Args:
        plan: The plan.
        form: Name of the format.
    """
    vocabulary = exported_vocabulary(plan.model) if form == "open-clip" else []
    return formats.files(form) + vocabulary


def sources(plan: Plan) -> list[str]:
    """Files that tell of each thing which the results follow from.

    Snakemake asks for no file behind a result that is newer than its inputs; yet a job that fails
    while it renews such a file takes the old one away, and the result, now stale, would stay. So
    all of them are asked for. Weights and images are not, and may be deleted.
    """
    return [
        plan.model.outputs()["weights"],
        *(f"<results>/downloads/{id}.json" for id in plan.downloads),
        *(f"<results>/datasets/{id}/dataset.json" for id in _used_data(plan)),
        *(f"<results>/classifiers/{id}/classifier.json" for id in _classifiers(plan)),
        *(recipe_file(id) for id in plan.soups if plan.is_recipe(id)),
        *(evaluation_file(id) for id in plan.evaluations),
        *_sources_of_studies(plan),
    ]


def _sources_of_studies(plan: Plan) -> list[str]:
    files = []
    for study in plan.studies:
        files += [
            study_file(study, "overlap.csv"),
            study_file(study, "shared-images.csv"),
        ]
    for job in plan.study_jobs:
        if isinstance(job, MixesJob):
            files.append(job.file("mixes", f"{job.entry}.json"))
        if isinstance(job, GeometryJob) and plan.needs_geometry():
            files.append(job.file("geometry.csv"))
    return files


def _classifiers(plan: Plan) -> list[str]:
    merges = [id for id in plan.soups if not plan.is_recipe(id)]
    return [*plan.zero_shots, *plan.runs, *plan.checkpoints, *merges]


def _used_data(plan: Plan) -> list[str]:
    """Ids of the sets that some job looks at, and of those that they are made of."""
    used: set[str] = set()
    for run in plan.runs.values():
        used.update(run.training_sets, [run.held_out])
    for soup in plan.soups.values():
        used.update(soup.training_sets)
    for study in plan.studies.values():
        used.update(study.held_out)
        used.update(
            id for part in study.sets if part != "train" for id in study.sets[part]
        )
    return _with_origins(plan.datasets[id] for id in used)


def _with_origins(jobs: Iterable[DatasetJob]) -> list[str]:
    """Ids of these sets and of the sets whose images they have."""
    return sorted({id for job in jobs for id in (job.id, job.origin)})


def page_to_read(plan: Plan, study: str) -> PurePosixPath:
    """What to read first of a study, below the working directory."""
    page = "overview.html" if "overview" in plan.config["pages"] else "main_table.md"
    return PurePosixPath("results/studies", study, page)
