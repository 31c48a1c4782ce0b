"""Jobs of a plan as Snakemake sees them: the files that they read and write, their parameters.

Rules name the files that they write as patterns; a test compares them with those here.
"""

from dataclasses import dataclass
from pathlib import Path

from ..runtime.code_digest import code_digest
from ..runtime.made_by import kept, not_kept
from ..runtime.snakemake_records import NOTES, read_record
from .data_jobs import PreparedDataset
from .evaluation_jobs import EvaluationJob
from .jobs import Inputs, Job, Present
from .plan import Plan
from .study_jobs import CompareJob, ExportJob
from .targets import exported_files

PLACEHOLDER = "<results>"
RESULTS = "results"
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
        code: Digest of the code that makes its outputs, "" without one.
        parameters: All of its parameters as Snakemake writes and compares them.
    """

    job: Job
    inputs: tuple[str, ...]
    undated: frozenset[str]
    outputs: tuple[str, ...]
    benchmark: str
    spec: dict
    code: str
    parameters: frozenset[str]


def jobs_with_files(plan: Plan) -> list[JobFiles]:
    """All jobs of a plan that a rule runs."""
    return [_with_files(job, plan) for job in plan.jobs() if job.rule]


def outputs(job: Job, plan: Plan) -> tuple[str, ...]:
    """The files that a job writes.

    Args:
        job: A job that a rule runs.
        plan: The plan that it is of.
    """
    fields = {name: getattr(job, name, "") for name in ("id", "study", "entry")}
    if isinstance(job, ExportJob):
        folder, names = (
            "studies/{study}/exports/{entry}",
            exported_files(plan, job.spec["format"]),
        )
    else:
        folder, *names = WRITTEN[job.rule]
    paths = [f"{RESULTS}/{folder}/{name}".replace("//", "/") for name in names]
    return tuple(path.format(**fields) for path in paths)


def inputs_of(job: Job, plan: Plan, notes: Path = NOTES) -> Inputs:
    """The inputs of a job by name, with the dates that count for it.

    Nothing is made again because the data sets are compared again, so the date of that file does
    not count. But Snakemake does not look at the parameters of a job that comes after one which
    runs, and passes nothing on along a file whose date does not count: a job whose own parameters
    changed would be left as it is, and what reads it would be stale, until the next command. For
    such a job the date counts, so that it runs in this one.

    Args:
        job: The job.
        plan: The plan that it is of.
        notes: Folder of Snakemake.
    """
    inputs = job.inputs(plan)
    if inputs.get("compared") and _was_made_otherwise(job, plan, inputs, notes):
        return {**inputs, "compared": [str(path) for path in inputs["compared"]]}
    return inputs


def _was_made_otherwise(job: Job, plan: Plan, inputs: Inputs, notes: Path) -> bool:
    """Were the outputs of a job made with other parameters, or from another set of files?"""
    records = [read_record(path, notes) for path in outputs(job, plan)]
    parameters = _parameters(job, plan, job.parameters(plan), code_of(job, plan))
    paths = sorted(in_results(str(path)) for path in _every_path(inputs))
    return any(
        record.parameters not in (None, parameters)
        or record.inputs not in (None, paths)
        for record in records
        if record is not None
    )


def code_of(job: Job, plan: Plan) -> str:
    """Digest of the code that makes what a job writes, "" of a job without a script.

    Of an artefact that is kept it is that of the code that made it.

    Args:
        job: The job.
        plan: The plan that it is of.
    """
    if isinstance(job, CompareJob):
        return ""
    running = code_digest(*job.code(plan))
    if job.is_kept(plan):
        return kept(running, job.rule, job.id, outputs(job, plan)[0])
    return not_kept(running, job.rule, job.id)


def in_results(path: str) -> str:
    """A path of a rule as Snakemake calls the file."""
    return path.replace(PLACEHOLDER, RESULTS, 1)


def _with_files(job: Job, plan: Plan) -> JobFiles:
    inputs = _every_path(inputs_of(job, plan))
    spec = job.parameters(plan)
    code = code_of(job, plan)
    return JobFiles(
        job=job,
        inputs=tuple(in_results(str(path)) for path in inputs),
        undated=frozenset(
            in_results(str(path)) for path in inputs if isinstance(path, Present)
        ),
        outputs=outputs(job, plan),
        benchmark=f"{RESULTS}/benchmarks/{job.id}.tsv"
        if job.rule in BENCHMARKED
        else "",
        spec=spec,
        code=code,
        parameters=_parameters(job, plan, spec, code),
    )


def _every_path(inputs: Inputs) -> list[str]:
    paths: list[str] = []
    for files in inputs.values():
        paths += [files] if isinstance(files, str) else files
    return paths


def _parameters(job: Job, plan: Plan, spec: dict, code: str) -> frozenset[str]:
    """All parameters of a job as Snakemake writes and compares them."""
    return frozenset(map(repr, _values(job, plan, spec, code)))


def _values(job: Job, plan: Plan, spec: dict, code: str) -> list[object]:
    """The values of the job's parameters, as its rule gives them."""
    if isinstance(job, CompareJob):
        return []
    values: list[object] = [spec, code]
    if isinstance(job, EvaluationJob):
        values.append(list(job.start))
    if isinstance(job, PreparedDataset):
        values.append([plan.downloads[id].spec for id in job.fetched])
    return values
