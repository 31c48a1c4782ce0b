"""The files that a study ends in, and those that they follow from."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from ..models import formats
from .data_jobs import DatasetJob
from .jobs import Job, download_file, evaluation_file, recipe_file
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
    """Name all files that ``rule all`` asks for.

    Args:
        plan: The plan.

    Returns:
        Paths below the placeholder of the results.
    """
    files = source_files(plan)
    for study in plan.studies.values():
        files += _tables(plan, study)
    for job in plan.study_jobs:
        files += _outputs(plan, job)
    # The summary is of all seeds, and has the name of the study.
    name = plan.config["study"]
    return [
        *files,
        study_file(name, "summary.md"),
        study_file(name, "summary.html"),
    ]


def _tables(
    plan: Plan,
    study: StudyPlan,
) -> list[str]:
    """Tables and pages that every study has."""
    names = [*MAIN_TABLES, *TABLES]
    names += [f"{page}.html" for page in plan.config["pages"]]
    names += [f"figures/samples.{extension}" for extension in FIGURE_FORMATS]
    return [study_file(study.id, name) for name in names]


def _outputs(
    plan: Plan,
    job: Job,
) -> list[str]:
    """What people look at of an analysis, a figure or an export; its page too."""
    if isinstance(job, AnalysisJob):
        names = [f"{job.entry}.{extension}" for extension in ANALYSIS_FORMATS]
        return [job.file("analyses", name) for name in names]
    if isinstance(job, FigureJob):
        names = [f"{job.entry}.{extension}" for extension in FIGURE_FORMATS]
        return [job.file("figures", name) for name in names]
    if isinstance(job, ExportJob):
        # An export is asked for file by file, as it has no table.
        names = exported_files(plan, job.spec["format"])
        return [job.file("exports", job.entry, name) for name in names]
    return []


def exported_files(
    plan: Plan,
    form: str,
) -> list[str]:
    """Name the files of an export.

    Args:
        plan: The plan.
        form: Name of the format.

    Returns:
        Names without folders. The model's own vocabulary is among those of open_clip's format.
    """
    files = formats.files(form)
    if form == "open-clip":
        return files + exported_vocabulary(plan.model)
    return files


def source_files(plan: Plan) -> list[str]:
    """Name files that tell of each thing which the results follow from.

    Snakemake asks for no file behind a result that is newer than its inputs; yet a job that fails
    while it renews such a file takes the old one away, and the result, now stale, would stay. So
    all of them are asked for. Weights and images are not, and may be deleted.

    Args:
        plan: The plan.

    Returns:
        Paths below the placeholder of the results.
    """
    files = [plan.model.outputs()["weights"]]
    files += [download_file(download) for download in plan.downloads]
    for dataset in _used_datasets(plan):
        files.append(f"<results>/datasets/{dataset}/dataset.json")
    for classifier in _classifiers(plan):
        files.append(f"<results>/classifiers/{classifier}/classifier.json")
    files += [recipe_file(soup) for soup in plan.soups if plan.is_recipe(soup)]
    files += [evaluation_file(evaluation) for evaluation in plan.evaluations]
    return files + _study_sources(plan)


def _study_sources(plan: Plan) -> list[str]:
    """Files of the studies that their results follow from."""
    files = []
    # Overlaps stand behind the file that all jobs wait for, see compared.py.
    for study in plan.studies:
        files.append(study_file(study, "overlap.csv"))
        files.append(study_file(study, "shared-images.csv"))
    # Geometry has no table of its own: it is made only for analyses that read it.
    needs_geometry = plan.needs_geometry()
    for job in plan.study_jobs:
        if isinstance(job, MixesJob):
            files.append(job.file("mixes", f"{job.entry}.json"))
        if isinstance(job, GeometryJob) and needs_geometry:
            files.append(job.file("geometry.csv"))
    return files


def _classifiers(plan: Plan) -> list[str]:
    """Ids of all classifiers, among them merges that are no recipes."""
    merges = [soup for soup in plan.soups if not plan.is_recipe(soup)]
    return [*plan.zero_shots, *plan.runs, *plan.checkpoints, *merges]


def _used_datasets(plan: Plan) -> list[str]:
    """Ids of the sets that some job looks at, and of those that they are made of."""
    used: set[str] = set()
    for run in plan.runs.values():
        used.update(run.training_sets)
        used.add(run.held_out)
    for soup in plan.soups.values():
        used.update(soup.training_sets)
    for study in plan.studies.values():
        used.update(study.held_out)
        for role, ids in study.sets.items():
            # A training set counts only where a run or a merge reads it.
            if role != "train":
                used.update(ids)
    return _with_origins(plan.datasets[dataset] for dataset in used)


def _with_origins(jobs: Iterable[DatasetJob]) -> list[str]:
    """Ids of these sets and of the sets whose images they have, sorted."""
    ids = set()
    for job in jobs:
        ids.add(job.id)
        ids.add(job.origin)
    return sorted(ids)


def page_to_read(
    plan: Plan,
    study: str,
) -> PurePosixPath:
    """Name what to read first of a study.

    Args:
        plan: The plan.
        study: Id of the study.

    Returns:
        Path below the working directory.
    """
    page = "main_table.md"
    if "overview" in plan.config["pages"]:
        page = "overview.html"
    return PurePosixPath("results/studies", study, page)
