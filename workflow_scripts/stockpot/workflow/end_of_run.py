"""What Stockpot prints and does when Snakemake ends."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from ..planning.plan import Plan
from ..planning.targets import page_to_read
from ..runtime.escape import one_line
from ..runtime.failures import failed_lines, jobs_left
from ..tables.guessing import guessing_sentences

MOST_PROBLEMS = 20
LONGEST_PROBLEM = 10_000  # characters


def refuse(*problems: str) -> NoReturn:
    """End Snakemake with a line per problem, without a traceback of its own.

    Args:
        problems: What is wrong.

    Raises:
        SystemExit: Always.
    """
    for problem in problems[:MOST_PROBLEMS]:
        shown_problem = one_line(problem, LONGEST_PROBLEM)
        print(f"error: {shown_problem}", file=sys.stderr)
    hidden_count = len(problems) - MOST_PROBLEMS
    if hidden_count > 0:
        print(f"error: and {hidden_count:,} more", file=sys.stderr)
    sys.exit(1)


def failure_text(logs: list[str]) -> str:
    """Write what to read after a run that failed.

    Args:
        logs: Files in which Snakemake wrote what it did.

    Returns:
        Several lines.
    """
    lines = failed_lines(logs)
    if not lines:
        lines = ["Not finished: interrupted, or see above"]
    return "\n".join(["", *lines, "What is done is kept; the same command goes on."])


def success_text(plan: Plan) -> str:
    """Write what to read after a study is finished.

    Args:
        plan: The plan of all studies.

    Returns:
        A line per page that is there, and what the main tables say about models at chance.
    """
    pages = [Path(page_to_read(plan, study)) for study in plan.studies]
    pages_text = ""
    for page in pages:
        if page.exists():
            pages_text += f"\nRead {page} first"
    lines = [pages_text]
    for page in pages:
        study = page.parent.name
        main_table = page.with_name("main_table.md")
        for sentence in guessing_sentences(main_table):
            lines.append(f"{study}: {one_line(sentence)}")
    return "\n".join(lines)


def cancel_jobs_left(logs: list[str]) -> None:
    """Cancel the jobs of this Snakemake that are still on the cluster.

    Snakemake cancels its jobs when it is stopped, but it misses those whose state it is asking for
    in that moment.

    Args:
        logs: Files in which Snakemake wrote what it did.
    """
    if shutil.which("scancel") is None:
        return
    for number in jobs_left(logs):
        subprocess.run(["scancel", number], check=False)
