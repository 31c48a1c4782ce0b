"""Small graphs of jobs and their files, with the notes that Snakemake keeps of them."""

import base64
import hashlib
import json
import os
from pathlib import Path

from stockpot.planning.explain import Explainer
from stockpot.planning.history import (
    PastJob,
    PastRun,
)
from stockpot.planning.job_files import JobFiles
from stockpot.planning.jobs import Job
from stockpot.planning.pending import pending_of

CODE = "0123456789abcdef"


class Step(Job):
    """A job whose rule is told, and that is made from another one."""

    def __init__(self, rule: str, job_id: str, after: tuple[str, ...] = ()):
        object.__setattr__(self, "id", job_id)
        self.__dict__.update(step=rule, before=after)

    @property
    def rule(self) -> str:
        return self.__dict__["step"]

    def follows(self) -> dict[str, tuple[str, ...]]:
        return {"start": self.__dict__["before"]}

    def code(self, plan) -> tuple[str, ...]:
        return ()


def job_step(
    rule, job_id, inputs=(), undated=(), spec=None, code=CODE, after=()
) -> JobFiles:
    """A job that writes one file, out/<job_id>."""
    spec = spec or {"name": job_id.rpartition("-")[0]}
    return JobFiles(
        job=Step(rule, job_id, tuple(after)),
        inputs=tuple(f"out/{path}" for path in (*inputs, *undated)),
        undated=frozenset(f"out/{path}" for path in undated),
        outputs=(f"out/{job_id}",),
        benchmark="",
        spec=spec,
        code=code,
        parameters=frozenset(map(repr, (spec, code))),
    )


def chain(**finetune) -> list[JobFiles]:
    """Data, a run trained on it, its evaluation and a table."""
    run = finetune.pop("id", "base-11111111")
    return [
        job_step("prepare_dataset", "train-00000000"),
        job_step("finetune", run, ["train-00000000"], **finetune),
        job_step("evaluate", "base-22222222", [run]),
        job_step("main_table", "table-33333333", ["base-22222222"]),
    ]


TABLE = ["out/table-33333333"]


def note_file(path: str) -> Path:
    """Where Snakemake keeps its note of a file."""
    name = base64.urlsafe_b64encode(path.encode()).decode()
    return Path(".snakemake/metadata", name)


def make_outputs(jobs: list[JobFiles], date: float = 1000) -> None:
    """Write the outputs of jobs with Snakemake's notes, each a second after the one before."""
    for second, job in enumerate(jobs):
        (path,) = job.outputs
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(path)
        os.utime(path, (date + second, date + second))
        record = {
            "record_format_version": 6,
            "params": sorted(job.parameters),
            "input": sorted(job.inputs),
            "input_checksums": {
                file: f"sha256:{hashlib.sha256(Path(file).read_bytes()).hexdigest()}"
                for file in job.inputs
                if Path(file).exists()
            },
        }
        note_file(path).parent.mkdir(parents=True, exist_ok=True)
        note_file(path).write_text(json.dumps(record))


def run_names(jobs: list[JobFiles], files=None) -> list[str]:
    return [job.job.rule for job, _ in pending_of(jobs, files or TABLE)]


def explain_pending(
    jobs: list[JobFiles], past: PastRun | None = None, history: Path = Path("history")
):
    return Explainer(None, past, history=history).explain(pending_of(jobs, TABLE))


def past_of(jobs: list[JobFiles], explained=()) -> PastRun:
    past = {
        (job.job.rule, job.job.name): PastJob(
            job.job.id, job.spec, {"start": list(job.job.follows()["start"])}, job.code
        )
        for job in jobs
    }
    return PastRun("yesterday", past, list(explained))
