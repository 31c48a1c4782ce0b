"""Say why jobs would run, and why those of the last run did."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..runtime.errors import StockpotError
from .study_name import add_config_arguments

if TYPE_CHECKING:
    from ..planning.history import Explained, PastRun
    from ..planning.jobs import Job

# Most imports are within functions: other commands need none of this, and start sooner without it.

RESULTS = Path("results")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stockpot why``.

    Args:
        parser: The parser of this sub-command.
    """
    parser.add_argument(
        "job",
        nargs="?",
        default="",
        metavar="JOB",
        help="only of this run, soup or rule",
    )
    add_config_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Print what changed.

    Args:
        options: Parsed options of this sub-command.

    Raises:
        StockpotError: If the config is wrong, or has no job of this name.
    """
    from ..config.paths import CHECKOUT
    from ..config.read import read_study
    from ..planning.comparison_marker import restore_compared
    from ..planning.explain import Explainer
    from ..planning.from_files import plan_study
    from ..planning.history import past_run
    from ..planning.pending import pending

    # Snakemake does the same before it looks at the results.
    restore_compared(RESULTS)
    settings = _parse_settings(options.config)
    plan = plan_study(read_study(CHECKOUT, options.configfile, settings))
    last_run = past_run(plan.config["study"])
    due_jobs = Explainer(plan, last_run).explain(pending(plan))
    if options.job:
        _print_job(options.job, due_jobs, last_run, plan.jobs())
    else:
        _print_all(due_jobs, last_run)


def _parse_settings(settings: list[str]) -> dict[str, Any]:
    """Parse settings of the command line as Snakemake does."""
    if not settings:
        return {}
    from snakemake.cli import parse_config

    return parse_config(settings)


def _print_all(
    due_jobs: list["Explained"],
    last_run: "PastRun | None",
) -> None:
    """Print why all jobs would run, and why those of the last run did."""
    from ..planning.explain import summary_lines

    print(_count_text(len(due_jobs), "would run"))
    _print_indented(summary_lines(due_jobs))
    if last_run:
        count_text = _count_text(len(last_run.explained), "were due")
        print(f"\n{count_text} in the run of {last_run.started}")
        _print_indented(summary_lines(last_run.explained))


def _count_text(
    count: int,
    what: str,
) -> str:
    number = f"{count:,}" if count else "No"
    noun = "job" if count == 1 else "jobs"
    return f"{number} {noun} {what}"


def _print_indented(texts: list[str]) -> None:
    for text in texts:
        print(f"    {text}")


def _print_job(
    name: str,
    due_jobs: list["Explained"],
    last_run: "PastRun | None",
    jobs: list["Job"],
) -> None:
    """Print why the jobs of one name would run, and why those of the last run did.

    Args:
        name: Name of a rule or of an artefact, or the id of an artefact.
        due_jobs: Jobs that would run.
        last_run: The last run of the study.
        jobs: All jobs of the plan.

    Raises:
        StockpotError: If no job has this name.
    """
    from ..planning.explain import jobs_named, reason_lines

    _check_job_name(name, jobs)
    entries = jobs_named(due_jobs, name)
    print(f"{name}: {'would run' if entries else 'nothing would run'}")
    for entry in entries:
        _print_indented(reason_lines(due_jobs, entry))
    if last_run is None:
        return
    past_entries = jobs_named(last_run.explained, name)
    if past_entries:
        print(f"\nIn the run of {last_run.started}:")
    for entry in past_entries:
        _print_indented(reason_lines(last_run.explained, entry))


def _check_job_name(
    name: str,
    jobs: list["Job"],
) -> None:
    """Raise StockpotError if no job has this name."""
    from ..runtime.suggest import suggestion

    known_names: set[str] = set()
    for job in jobs:
        # Names of jobs of a study are such as "figure alpha of objects".
        short_name = job.name.partition(" of ")[0]
        known_names.update((job.rule, job.id, short_name))
    if name not in known_names:
        raise StockpotError(
            f"no job is called {name!r}; {suggestion(name, known_names - {''})}"
        )
