"""Say why jobs would run, and why those of the last run did."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..runtime.errors import StockpotError
from .study_name import add_config_arguments

if TYPE_CHECKING:
    from ..planning.history import Explained, PastRun
    from ..planning.jobs import Job

RESULTS = Path("results")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stockpot why``."""
    parser.add_argument(
        "job",
        nargs="?",
        default="",
        metavar="JOB",
        help="only of this run, soup or rule",
    )
    add_config_arguments(parser)


def run(asked: argparse.Namespace) -> None:
    """Print what changed.

    Raises:
        StockpotError: The config is wrong, or has no job of this name.
    """
    # Other commands need none of this, and start sooner without it.
    from ..config.paths import CHECKOUT
    from ..config.read import read_study
    from ..planning.compared import restore_compared
    from ..planning.explain import Explainer
    from ..planning.from_files import plan_study
    from ..planning.history import past_run
    from ..planning.pending import pending

    restore_compared(RESULTS)  # as Snakemake does before it looks
    plan = plan_study(read_study(CHECKOUT, asked.configfile, _settings(asked.config)))
    past = past_run(plan.config["study"])
    now = Explainer(plan, past).explain(pending(plan))
    if asked.job:
        _print_job(asked.job, now, past, plan.jobs())
    else:
        _print_all(now, past)


def _settings(given: list[str]) -> dict:
    """Settings of the command line as Snakemake reads them."""
    if not given:
        return {}
    from snakemake.cli import parse_config

    return parse_config(given)


def _print_all(now: list["Explained"], past: "PastRun | None") -> None:
    from ..planning.explain import lines

    print(_counted(len(now), "would run"))
    _print_indented(lines(now))
    if past:
        print(
            f"\n{_counted(len(past.explained), 'were due')} in the run of {past.started}"
        )
        _print_indented(lines(past.explained))


def _counted(count: int, what: str) -> str:
    number = f"{count:,}" if count else "No"
    return f"{number} {'job' if count == 1 else 'jobs'} {what}"


def _print_indented(texts: list[str]) -> None:
    for text in texts:
        print(f"    {text}")


def _print_job(
    name: str, now: list["Explained"], past: "PastRun | None", jobs: list["Job"]
) -> None:
    from ..planning.explain import job_lines, named
    from ..runtime.suggest import suggestion

    known = {
        text
        for job in jobs
        for text in (job.rule, job.id, job.name.partition(" of ")[0])
    }
    if name not in known:
        raise StockpotError(
            f"no job is called {name!r}; {suggestion(name, known - {''})}"
        )
    entries = named(now, name)
    print(f"{name}: {'would run' if entries else 'nothing would run'}")
    for entry in entries:
        _print_indented(job_lines(now, entry))
    before = named(past.explained, name) if past else []
    if before:
        print(f"\nIn the run of {past.started}:")
    for entry in before:
        _print_indented(job_lines(past.explained, entry))
