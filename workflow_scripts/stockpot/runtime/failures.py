"""What to read after a run that failed: the errors of its jobs, once each."""

import os
import re
from pathlib import Path

from .escape import one_line
from .regular_files import open_regular

FAILED_JOB = re.compile(r"^ +log: (.+) \(check log file", re.MULTILINE)
SUBMITTED = re.compile(
    r"^(?:Submitted (?:group )?job (\S+) with external jobid '(\d+)'"
    r"|(?:Group j|J)ob (\S+) has been submitted with SLURM jobid (\d+))",
    re.MULTILINE,
)
FINISHED_JOB = re.compile(r"^Finished jobid: (\d+)", re.MULTILINE)
END_BYTES = 64 << 10
LAST_LINES = 12
MOST_CHARACTERS = 10_000  # of a line; a command in it has to stay whole


def failed_lines(snakemake_logs: list[str]) -> list[str]:
    """A line per error of the jobs that failed; of a job without one, the end of its log.

    Args:
        snakemake_logs: Files in which Snakemake wrote what it did.
    """
    lines: list[str] = []
    for log in snakemake_logs:
        for names in FAILED_JOB.findall(_end(Path(log), whole=True)):
            for name in names.split(", "):
                lines += _errors(Path(name))
    return list(dict.fromkeys(lines))


def jobs_left(snakemake_logs: list[str]) -> list[str]:
    """The scheduler's numbers of jobs that were submitted and have not finished.

    Args:
        snakemake_logs: Files in which Snakemake wrote what it did.
    """
    left: dict[str, str] = {}
    finished: set[str] = set()
    for log in snakemake_logs:
        text = _end(Path(log), whole=True)
        for job, number, other_job, other_number in SUBMITTED.findall(text):
            left[job or other_job] = number or other_number
        finished.update(FINISHED_JOB.findall(text))
    return [number for job, number in left.items() if job not in finished]


def _errors(log: Path) -> list[str]:
    lines = [line for line in _end(log).splitlines() if line.strip()]
    said = [one_line(line, MOST_CHARACTERS) for line in lines]
    errors = [line for line in said if line.startswith("error: ")]
    if errors or not said:
        return errors
    return [f"{log} ends with", *said[-LAST_LINES:]]


def _end(log: Path, whole: bool = False) -> str:
    """The end of a log; what cannot be read says nothing."""
    try:
        with open_regular(log) as file:
            if not whole:
                file.seek(max(file.seek(0, os.SEEK_END) - END_BYTES, 0))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
