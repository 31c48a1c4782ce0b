"""What Snakemake says of why jobs run, in the words of this project."""

from typing import TYPE_CHECKING

from snakemake.logging import logger

from ..planning.explain import Explainer, lines
from ..planning.history import Explained, past_run, save_code, save_run
from ..planning.job_files import JobFiles, jobs_with_files
from ..planning.pending import Reason, Reasons
from ..planning.plan import Plan
from ..runtime.code_digest import code_parts
from ..runtime.snakemake_records import is_unfinished, unfinished

if TYPE_CHECKING:
    from snakemake.dag import DAG


def print_changes_in_dry_runs(plan: Plan) -> None:
    """Let ``snakemake -n`` sum up what changed instead of naming its reasons.

    Its own summary points to the reasons of single jobs, which the default profile does not show.
    """
    from snakemake.dag import DAG  # which can be imported only once Snakemake has begun

    original = DAG.print_reasons

    def print_reasons(dag: DAG) -> None:
        jobs = jobs_with_files(plan)
        reasons = reasons_in(dag, jobs)
        others = [job for job in dag.needrun_jobs(exclude_finished=False) if job.output]
        if len(reasons) < len(
            others
        ):  # of another workflow, which uses this one as a module
            original(dag)
        summary = lines(explained(plan, reasons))
        if summary:
            logger.info(
                "\n".join(["What changed:", *(f"    {line}" for line in summary)])
            )

    DAG.print_reasons = print_reasons


def explained(plan: Plan, reasons: Reasons) -> list[Explained]:
    """Why jobs run, compared with the last run of the study."""
    return Explainer(plan, past_run(plan.config["study"])).explain(reasons)


def note_run(plan: Plan, dag: "DAG") -> None:
    """Note what a run that begins does and why, for the questions after it.

    Args:
        plan: The plan of the run.
        dag: Snakemake's jobs.

    Raises:
        StockpotError: The note cannot be written.
    """
    jobs = jobs_with_files(plan)
    save_run(plan, jobs, explained(plan, reasons_in(dag, jobs)))
    for job in {job.code: job for job in jobs}.values():
        if getattr(job.code, "running", job.code) != job.code:
            continue  # it is kept, and its code is no longer here
        save_code(job.code, lambda job=job: code_parts(*job.job.code(plan)))


def reasons_in(dag: "DAG", jobs: list[JobFiles]) -> Reasons:
    """What Snakemake says of those of the jobs that it would run, earlier ones first."""
    by_output = {path: job for job in jobs for path in job.outputs}
    names = unfinished()

    def known(job) -> JobFiles | None:
        return by_output.get(str(job.output[0])) if job.output else None

    found: Reasons = []
    for level in dag.toposorted():
        for job in level:
            if known(job) and dag.needrun(job):
                before = [
                    known(other)
                    for other in dag.dependencies[job]
                    if dag.needrun(other)
                ]
                found.append((known(job), _reason(dag.reason(job), job, before, names)))
    return found


def _reason(reason, job, before: list[JobFiles | None], names: set[str]) -> Reason:
    """Snakemake's reason as one of ours."""
    incomplete = any(is_unfinished(str(path), names) for path in job.output)
    return Reason(
        missing=sorted(map(str, reason.missing_output)),
        newer=sorted(map(str, reason.updated_input)),
        parameters=bool(reason.params_changed),
        inputs=bool(reason.input_changed),
        unfinished=incomplete,
        asked=bool(reason.forced) and not incomplete,
        after=[other for other in before if other],
    )
