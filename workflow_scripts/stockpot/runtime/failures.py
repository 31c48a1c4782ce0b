"""Collect what to read after a run that failed: the errors of its jobs, each once."""

import os
import re
from pathlib import Path

from .escape import one_line
from .regular_files import open_regular

# Lines of Snakemake's log: the logs of a failed job; a job that was submitted to a cluster, with
# its name and the number that the scheduler gave it (in two forms); a job that has finished.
FAILED_JOB = re.compile(r"^ +log: (.+) \(check log file", re.MULTILINE)
SUBMITTED = re.compile(
    r"^(?:Submitted (?:group )?job (\S+) with external jobid '(\d+)'"
    r"|(?:Group j|J)ob (\S+) has been submitted with SLURM jobid (\d+))",
    re.MULTILINE,
)
FINISHED_JOB = re.compile(r"^Finished jobid: (\d+)", re.MULTILINE)
END_BYTES = 64 << 10  # how much of the log of a job is read
LAST_LINES = 12  # lines shown of a log without an error
MOST_CHARACTERS = 10_000  # of a line; a command in it has to stay whole


def failed_lines(snakemake_logs: list[str]) -> list[str]:
    """Collect the errors of the jobs that failed.

    Args:
        snakemake_logs: Files in which Snakemake wrote what it did.

    Returns:
        A line per error. For a job without an error, the end of its log.
    """
    lines: list[str] = []
    for snakemake_log in snakemake_logs:
        for file_names in FAILED_JOB.findall(_read(Path(snakemake_log))):
            for file_name in file_names.split(", "):
                lines += _errors(Path(file_name))
    # Without duplicates, in the same order.
    return list(dict.fromkeys(lines))


def jobs_left(snakemake_logs: list[str]) -> list[str]:
    """List the jobs that were submitted to a cluster and have not finished.

    Args:
        snakemake_logs: Files in which Snakemake wrote what it did.

    Returns:
        The numbers that the scheduler gave them.
    """
    scheduler_numbers: dict[str, str] = {}
    finished: set[str] = set()
    for snakemake_log in snakemake_logs:
        text = _read(Path(snakemake_log))
        for job, number, slurm_job, slurm_number in SUBMITTED.findall(text):
            scheduler_numbers[job or slurm_job] = number or slurm_number
        finished.update(FINISHED_JOB.findall(text))
    return [number for job, number in scheduler_numbers.items() if job not in finished]


def _errors(log_file: Path) -> list[str]:
    """Return the errors in the log of a job, or else its last lines."""
    text = _read(log_file, END_BYTES)
    lines = []
    for line in text.splitlines():
        if line.strip():
            lines.append(one_line(line, MOST_CHARACTERS))
    errors = [line for line in lines if line.startswith("error: ")]
    if errors or not lines:
        return errors
    return [f"{log_file} ends with", *lines[-LAST_LINES:]]


def _read(
    log_file: Path,
    last_bytes: int | None = None,
) -> str:
    """Read a log or its end; empty if it cannot be read."""
    try:
        with open_regular(log_file) as file:
            if last_bytes is not None:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - last_bytes, 0))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
