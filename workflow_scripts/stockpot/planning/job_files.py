"""Jobs of a plan as Snakemake sees them: the files that they read and write, their parameters.

Rules name the files that they write as patterns; a test compares them with those here.
"""

from dataclasses import dataclass
from pathlib import Path

from ..runtime.code_digest import code_digest
from ..runtime.code_records import digest_if_kept, digest_if_not_kept
from ..runtime.snakemake_records import NOTES, read_record
from .data_jobs import PreparedDataset
from .evaluation_jobs import EvaluationJob
from .jobs import Inputs, Job, Present, Spec
from .plan import Plan
from .study_jobs import CompareJob, ExportJob
from .targets import exported_files

PLACEHOLDER = "<results>"
RESULTS = "results"

# The first name is a folder below the results, the others are files in it.
DATASET = ("datasets/{id}", "dataset.json", "images.npy", "labels.npy", "digests.npy")
CLASSIFIER = ("classifiers/{id}", "classifier.json", "classifier.safetensors")
TABLES = ("measurements.csv", "fits.csv", "robustness.csv", "findings.csv")
# Rule -> folder below the results, and names of the files that it writes there.
WRITTEN: dict[str, tuple[str, ...]] = {
    "pretrain": ("models/{id}", "open_clip_model.safetensors"),
    "import_model": (
        "imported/{id}",
        "open_clip_config.json",
        "open_clip_model.safetensors",
    ),
    "fetch_dataset": ("downloads", "{id}.json"),
    "prepare_dataset": DATASET,
    "filter_dataset": DATASET,
    "corrupt_dataset": DATASET,
    "overlap": ("studies/{study}", "overlap.csv", "shared-images.csv"),
    "compare": ("", "compared"),
    "zero_shot": CLASSIFIER,
    "adopt_checkpoint": CLASSIFIER,
    "finetune": CLASSIFIER,
    "finetune_with_averages": (*CLASSIFIER, "averages.safetensors"),
    "merge": CLASSIFIER,
    "soup": ("recipes", "{id}.json"),
    "evaluate": ("evaluations", "{id}.json"),
    "sweep": ("evaluations", "{id}.json"),
    "geometry": ("studies/{study}", "geometry.csv"),
    "main_table": ("studies/{study}", *TABLES, "main_table.md", "main_table.tex"),
    "summary": ("studies/{study}", "summary.md", "summary.html"),
    "mixes": ("studies/{study}/mixes", "{entry}.json"),
    "analysis": (
        "studies/{study}/analyses",
        "{entry}.csv",
        "{entry}.md",
        "{entry}.tex",
    ),
    "figure": ("studies/{study}/figures", "{entry}.pdf", "{entry}.png", "{entry}.csv"),
    "samples": ("studies/{study}/figures", "samples.pdf", "samples.png", "samples.csv"),
    "page": ("studies/{study}/analyses", "{entry}.html"),
    "overview": ("studies/{study}", "overview.html"),
    "explore": ("studies/{study}", "explore.html"),
}
# Exports have a rule for each format, but one folder.
EXPORT_FOLDER = "studies/{study}/exports/{entry}"
# These also write how long they took.
BENCHMARKED = ("finetune", "finetune_with_averages", "soup", "merge")


@dataclass(frozen=True, eq=False)
class JobFiles:
    """A job with its files.

    Attributes:
        job: The job of the plan.
        inputs: Files that it reads.
        undated: Those of them that have to be there, while their dates do not count.
        outputs: Files that it writes.
        benchmark: File with the time that it took, "" without one.
        spec: What its script is told.
        code: Digest of the code that makes its outputs, "" without one. ``is_of_present_code``
            of ``runtime.code_records`` tells whether that is the code as it is now.
        parameters: All of its parameters as Snakemake writes and compares them.
    """

    job: Job
    inputs: tuple[str, ...]
    undated: frozenset[str]
    outputs: tuple[str, ...]
    benchmark: str
    spec: Spec
    code: str
    parameters: frozenset[str]

    def parents(self) -> dict[str, list[str]]:
        """The jobs that the artefact is made from, as JSON has them.

        Returns:
            Role -> ids of these jobs.
        """
        parents = {}
        for role, ids in self.job.follows().items():
            parents[role] = list(ids)
        return parents


def jobs_with_files(plan: Plan) -> list[JobFiles]:
    """List all jobs of a plan that a rule runs.

    Args:
        plan: The plan.

    Returns:
        The jobs with their files, those that others follow from first.
    """
    return [_with_files(job, plan) for job in plan.jobs() if job.rule]


def outputs(
    job: Job,
    plan: Plan,
) -> tuple[str, ...]:
    """Name the files that a job writes.

    Args:
        job: A job that a rule runs.
        plan: The plan that it is of.

    Returns:
        Paths below the working directory.
    """
    if isinstance(job, ExportJob):
        folder = EXPORT_FOLDER
        names = exported_files(plan, job.spec["format"])
    else:
        folder, *names = WRITTEN[job.rule]
    # Only jobs of a study have the latter two.
    wildcards = {
        "id": job.id,
        "study": getattr(job, "study", ""),
        "entry": getattr(job, "entry", ""),
    }
    paths = []
    for name in names:
        # A file of no folder is one of the results themselves.
        pattern = f"{RESULTS}/{folder}/{name}".replace("//", "/")
        paths.append(pattern.format(**wildcards))
    return tuple(paths)


def inputs_of(
    job: Job,
    plan: Plan,
    notes: Path = NOTES,
) -> Inputs:
    """Name the inputs of a job, with the dates that count for it.

    Nothing is made again because the data sets are compared again, so the date of that file does
    not count. But Snakemake does not look at the parameters of a job that comes after one which
    runs, and passes nothing on along a file whose date does not count: a job whose own parameters
    changed would be left as it is, and what reads it would be stale, until the next command. For
    such a job the date counts, so that it runs in this one.

    Args:
        job: The job.
        plan: The plan that it is of.
        notes: Folder of Snakemake.

    Returns:
        Name of an input -> its files.
    """
    inputs = job.inputs(plan)
    if inputs.get("compared") and _was_made_otherwise(job, plan, inputs, notes):
        # As plain strings, these files are no longer marked as Present.
        return {**inputs, "compared": [str(path) for path in inputs["compared"]]}
    return inputs


def _was_made_otherwise(
    job: Job,
    plan: Plan,
    inputs: Inputs,
    notes: Path,
) -> bool:
    """Were the outputs of a job made with other parameters, or from another set of files?"""
    records = [read_record(path, notes) for path in outputs(job, plan)]
    parameters = _parameters(
        job,
        plan,
        job.parameters(plan),
        code_of(job, plan),
    )
    # Records have all inputs sorted, whatever names they have in the rule.
    paths = sorted(in_results(str(path)) for path in _all_paths(inputs))
    for record in records:
        if record is None:
            continue
        # A record that says nothing of them, None, says nothing of a change.
        if record.parameters not in (None, parameters):
            return True
        if record.inputs not in (None, paths):
            return True
    return False


def code_of(
    job: Job,
    plan: Plan,
) -> str:
    """Digest the code that makes what a job writes.

    Args:
        job: The job.
        plan: The plan that it is of.

    Returns:
        The digest; for an artefact that is kept, that of the code that made it. "" for a job
        without a script.
    """
    if isinstance(job, CompareJob):
        return ""
    # The code as it is now, which makes the artefact if it has to be made.
    running = code_digest(*job.code(plan))
    if job.is_kept(plan):
        return digest_if_kept(
            running,
            job.rule,
            job.id,
            outputs(job, plan)[0],
        )
    return digest_if_not_kept(running, job.rule, job.id)


def in_results(path: str) -> str:
    """Name a file as Snakemake does.

    Args:
        path: As a rule names it, perhaps below the placeholder of the results.

    Returns:
        Path below the working directory.
    """
    return path.replace(PLACEHOLDER, RESULTS, 1)


def _with_files(
    job: Job,
    plan: Plan,
) -> JobFiles:
    inputs = []
    undated = set()
    for path in _all_paths(inputs_of(job, plan)):
        file = in_results(str(path))
        inputs.append(file)
        if isinstance(path, Present):
            undated.add(file)
    benchmark = ""
    # Snakemake takes this file for an output when it asks for dates.
    if job.rule in BENCHMARKED:
        benchmark = f"{RESULTS}/benchmarks/{job.id}.tsv"
    spec = job.parameters(plan)
    code = code_of(job, plan)
    return JobFiles(
        job=job,
        inputs=tuple(inputs),
        undated=frozenset(undated),
        outputs=outputs(job, plan),
        benchmark=benchmark,
        spec=spec,
        code=code,
        parameters=_parameters(job, plan, spec, code),
    )


def _all_paths(inputs: Inputs) -> list[str]:
    """The files of all inputs, as rules name them."""
    paths: list[str] = []
    for files in inputs.values():
        if isinstance(files, str):
            paths.append(files)
        else:
            paths += files
    return paths


def _parameters(
    job: Job,
    plan: Plan,
    spec: Spec,
    code: str,
) -> frozenset[str]:
    """All parameters of a job as Snakemake writes and compares them."""
    # Snakemake compares parameters as texts, and their order is of no account.
    return frozenset(map(repr, _parameter_values(job, plan, spec, code)))


def _parameter_values(
    job: Job,
    plan: Plan,
    spec: Spec,
    code: str,
) -> list[object]:
    """The values of the job's parameters, as its rule gives them."""
    if isinstance(job, CompareJob):
        return []
    values: list[object] = [spec, code]
    if isinstance(job, EvaluationJob):
        # Rules of evaluations pass the start to the script as a parameter of its own.
        values.append(list(job.sweep_start))
    if isinstance(job, PreparedDataset):
        # The rule of data sets also passes on how their files are fetched.
        values.append([plan.downloads[download].spec for download in job.fetched])
    return values
