"""Say why Snakemake runs jobs, in the words of this project."""

from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

from snakemake.logging import logger

from ..planning.explain import Explainer, summary_lines
from ..planning.history import Explained, past_run, save_code, save_run
from ..planning.job_files import JobFiles, jobs_with_files
from ..planning.pending import Reason, Reasons
from ..planning.plan import Plan
from ..runtime.code_digest import code_parts
from ..runtime.code_records import is_of_present_code
from ..runtime.snakemake_records import is_unfinished, unfinished

if TYPE_CHECKING:
    from snakemake.dag import DAG


def print_changes_in_dry_runs(plan: Plan) -> None:
    """Let ``snakemake -n`` sum up what changed instead of naming its own reasons.

    Snakemake's summary points to the reasons of single jobs, which the default profile does not
    show.

    Args:
        plan: The plan of the run.
    """
    # This module can be imported only once Snakemake has begun.
    from snakemake.dag import DAG

    original = DAG.print_reasons

    def print_reasons(dag: DAG) -> None:
        jobs = jobs_with_files(plan)
        reasons = reasons_in(dag, jobs)
        due_jobs = dag.needrun_jobs(exclude_finished=False)
        due_jobs_with_output = [job for job in due_jobs if job.output]
        # Some jobs are those of another workflow, which uses this one as a module.
        if len(reasons) < len(due_jobs_with_output):
            original(dag)
        explanations = explained(plan, reasons)
        summary = summary_lines(explanations)
        if summary:
            lines = ["What changed:"]
            for line in summary:
                lines.append(f"    {line}")
            logger.info("\n".join(lines))

    DAG.print_reasons = print_reasons


def explained(
    plan: Plan,
    reasons: Reasons,
) -> list[Explained]:
    """Explain why jobs run, compared with the last run of the study.

    Args:
        plan: The plan of the run.
        reasons: Jobs and their reasons.

    Returns:
        An explanation per job.
    """
    last_run = past_run(plan.config["study"])
    explainer = Explainer(plan, last_run)
    return explainer.explain(reasons)


def note_run(
    plan: Plan,
    dag: "DAG",
) -> None:
    """Record what a run that begins does and why, for later questions.

    Args:
        plan: The plan of the run.
        dag: Snakemake's jobs.

    Raises:
        StockpotError: If the record cannot be written.
    """
    jobs = jobs_with_files(plan)
    reasons = reasons_in(dag, jobs)
    explanations = explained(plan, reasons)
    save_run(plan, jobs, explanations)
    # Jobs of one rule share their code, which is saved once.
    jobs_by_code = {job.code: job for job in jobs}
    for job in jobs_by_code.values():
        # The code that made a kept artefact is no longer here.
        if is_of_present_code(job.code):
            save_code(job.code, _parts_reader(plan, job))


def _parts_reader(
    plan: Plan,
    job: JobFiles,
) -> Callable[[], dict[str, str]]:
    """Return a function that lists the code of a job, which is called only if it is not saved."""
    return lambda: code_parts(*job.job.code(plan))


def reasons_in(
    dag: "DAG",
    jobs: list[JobFiles],
) -> Reasons:
    """Collect Snakemake's reasons for those of some jobs that it would run.

    Args:
        dag: Snakemake's jobs.
        jobs: Jobs of the plan.

    Returns:
        Jobs and their reasons; a job comes after those that it depends on.
    """
    by_output = {}
    for planned_job in jobs:
        for path in planned_job.outputs:
            by_output[path] = planned_job
    unfinished_names = unfinished()
    reasons: Reasons = []
    # Snakemake sorts its jobs into levels, each of which depends only on those before it.
    for job in chain.from_iterable(dag.toposorted()):
        planned_job = _planned_job(job, by_output)
        if planned_job is None or not dag.needrun(job):
            continue
        before = []
        for dependency in dag.dependencies[job]:
            if dag.needrun(dependency):
                before.append(_planned_job(dependency, by_output))
        snakemake_reason = dag.reason(job)
        reason = _reason(snakemake_reason, job, before, unfinished_names)
        reasons.append((planned_job, reason))
    return reasons


def _planned_job(
    job: Any,
    by_output: dict[str, JobFiles],
) -> JobFiles | None:
    """Find the planned job for one of Snakemake's; None for one of another workflow."""
    if not job.output:
        return None
    first_output = str(job.output[0])
    return by_output.get(first_output)


def _reason(
    reason: Any,
    job: Any,
    before: list[JobFiles | None],
    unfinished_names: set[str],
) -> Reason:
    """Translate Snakemake's reason for a job.

    Args:
        reason: Snakemake's reason.
        job: Snakemake's job.
        before: Planned jobs that run before it and make its inputs.
        unfinished_names: Notes of files whose jobs began and did not end.

    Returns:
        The reason. A job that did not end is one that Snakemake forces to run; nobody asked for it.
    """
    outputs = map(str, job.output)
    is_incomplete = any(is_unfinished(path, unfinished_names) for path in outputs)
    is_forced = bool(reason.forced)
    missing = map(str, reason.missing_output)
    newer = map(str, reason.updated_input)
    return Reason(
        missing=sorted(missing),
        newer=sorted(newer),
        parameters=bool(reason.params_changed),
        inputs=bool(reason.input_changed),
        unfinished=is_incomplete,
        asked=is_forced and not is_incomplete,
        after=[other for other in before if other],
    )
