"""What is said and done when Snakemake ends."""

import shutil
import subprocess
import sys
from pathlib import Path

from ..planning.plan import Plan
from ..planning.targets import page_to_read
from ..runtime.escape import one_line
from ..runtime.failures import failed_lines, jobs_left
from ..tables.at_chance import said_in

MOST_PROBLEMS = 20
LONGEST_PROBLEM = 10_000


def refuse(*problems: str) -> None:
    """End Snakemake with a line per problem, without a traceback of its own.

    Args:
        problems: What is wrong.
    """
    for problem in problems[:MOST_PROBLEMS]:
        print(f"error: {one_line(problem, LONGEST_PROBLEM)}", file=sys.stderr)
    if len(problems) > MOST_PROBLEMS:
        print(f"error: and {len(problems) - MOST_PROBLEMS:,} more", file=sys.stderr)
    sys.exit(1)


def failure_text(logs: list[str]) -> str:
    """What to read after a run that failed.

    Args:
        logs: Files in which Snakemake wrote what it did.
    """
    lines = failed_lines(logs) or ["Not finished: interrupted, or see above"]
    return "\n".join(["", *lines, "What is done is kept; the same command goes on."])


def success_text(plan: Plan) -> str:
    """What to read of a study that is finished, and what its main tables say of chance."""
    pages = [Path(page_to_read(plan, study)) for study in plan.studies]
    lines = ["".join(f"\nRead {page} first" for page in pages if page.exists())]
    for page in pages:
        for sentence in said_in(page.with_name("main_table.md")):
            lines.append(f"{page.parent.name}: {one_line(sentence)}")
    return "\n".join(lines)


def cancel_jobs_left(logs: list[str]) -> None:
    """Cancel the jobs of this Snakemake that are still on the cluster.

    It cancels its jobs when it is stopped, but misses those whose state it is asking for in that
    moment.

    Args:
        logs: Files in which Snakemake wrote what it did.
    """
    if shutil.which("scancel"):
        for number in jobs_left(logs):
            subprocess.run(["scancel", number], check=False)
