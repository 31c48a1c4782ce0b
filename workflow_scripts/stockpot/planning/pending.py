"""Which jobs would run, and what makes them run: the answer of ``snakemake -n``, in a moment.

Snakemake takes seconds to build its graph of some hundred jobs. Here the same questions are put to
the plan, in the same order (``update_needrun`` in snakemake/dag.py):

1. Is a file missing that a target asks for? Is an input newer than the oldest output, and of other
   content? Have parameters or the set of inputs changed since?
2. What such a job needs and what is missing is made as well.
3. What reads a file that is made again is made again.
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path

from ..runtime.snakemake_records import (
    NOTES,
    Record,
    is_unfinished,
    read_record,
    unfinished,
)
from .job_files import JobFiles, in_results, jobs_with_files
from .plan import Plan
from .targets import targets

LARGEST_WITH_CHECKSUM = (
    1_000_000  # bytes; Snakemake compares larger files by date alone
)


@dataclass
class Reason:
    """What makes a job run.

    Attributes:
        missing: Outputs that are not there.
        newer: Inputs that are newer than the outputs.
        parameters: Have its parameters changed?
        inputs: Has the set of its inputs changed?
        unfinished: Did it begin and not end?
        asked: Is it run because the command line says so?
        after: Jobs that run before it and make its inputs anew.
    """

    missing: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)
    parameters: bool = False
    inputs: bool = False
    unfinished: bool = False
    asked: bool = False
    after: list[JobFiles] = field(default_factory=list)

    def __bool__(self) -> bool:
        own = (self.missing, self.newer, self.parameters, self.inputs, self.unfinished)
        return any(own)


Reasons = list[tuple[JobFiles, Reason]]


def pending(plan: Plan, notes: Path = NOTES) -> Reasons:
    """Jobs that would run for everything that a study asks for, and why; earlier ones first.

    Args:
        plan: The plan.
        notes: Folder of Snakemake.
    """
    return pending_of(
        jobs_with_files(plan), [in_results(path) for path in targets(plan)], notes
    )


def pending_of(jobs: list[JobFiles], files: list[str], notes: Path = NOTES) -> Reasons:
    """Jobs that would run for some files, and why.

    Args:
        jobs: All jobs that there are.
        files: What is asked for.
        notes: Folder of Snakemake.
    """
    return _Search(_Graph(jobs, files), notes).run()


class _Graph:
    """The jobs that some files follow from.

    Attributes:
        targets: Those files.
        jobs: All of them, a job after those whose outputs it reads.
        makers: File -> the job that writes it.
        readers: File -> the jobs that read it.
    """

    def __init__(self, jobs: list[JobFiles], files: list[str]):
        self.targets = files
        self.makers: dict[str, JobFiles] = {}
        for job in jobs:
            self.makers |= dict.fromkeys(job.outputs, job)
        self.jobs = self._sorted()
        self.readers: dict[str, list[JobFiles]] = {}
        for job in self.jobs:
            for path in dict.fromkeys(job.inputs):
                self.readers.setdefault(path, []).append(job)

    def _sorted(self) -> list[JobFiles]:
        sorter: TopologicalSorter[JobFiles] = TopologicalSorter()
        waiting = [self.makers[path] for path in self.targets if path in self.makers]
        seen: set[JobFiles] = set()
        while waiting:
            job = waiting.pop()
            if job in seen:
                continue
            seen.add(job)
            needed = self.before(job)
            sorter.add(job, *needed)
            waiting += needed
        return list(sorter.static_order())

    def before(self, job: JobFiles) -> list[JobFiles]:
        """The jobs that write its inputs."""
        makers = [self.makers[path] for path in job.inputs if path in self.makers]
        return list(dict.fromkeys(makers))

    def after(self, job: JobFiles) -> dict[JobFiles, list[str]]:
        """The jobs that read its outputs -> which of them they read."""
        readers: dict[JobFiles, list[str]] = {}
        for path in job.outputs:
            for reader in self.readers.get(path, []):
                readers.setdefault(reader, []).append(path)
        return readers

    def add_all_after(self, job: JobFiles, following: set[JobFiles]) -> None:
        """Add all jobs that follow from its outputs, directly or not, to those that are known."""
        waiting = [job]
        while waiting:
            for reader in self.after(waiting.pop()):
                if reader not in following:
                    following.add(reader)
                    waiting.append(reader)


class _Search:
    """One search for the jobs that would run."""

    def __init__(self, graph: _Graph, notes: Path):
        self.graph = graph
        self.notes = notes
        self.reasons: dict[JobFiles, Reason] = {}
        self._unfinished = unfinished(notes)
        self._dates: dict[str, float | None] = {}

    def run(self) -> Reasons:
        """All jobs that would run, in the order of the graph."""
        waiting = deque(self._with_own_reasons())
        waiting += self._makers_of_missing(self.graph.targets)
        while waiting:
            job = waiting.popleft()
            waiting += self._makers_of_missing(job.inputs)
            for reader, files in self.graph.after(job).items():
                known = reader in self.reasons
                undated = all(
                    path in reader.undated and self._date(path) for path in files
                )
                if undated and not known:
                    continue
                self.reasons.setdefault(reader, Reason()).after.append(job)
                if not known:
                    waiting.append(reader)
        return [
            (job, self.reasons[job]) for job in self.graph.jobs if job in self.reasons
        ]

    def _with_own_reasons(self) -> list[JobFiles]:
        """Jobs that run for a reason of their own; of what follows from them, this is not asked."""
        jobs: list[JobFiles] = []
        following: set[JobFiles] = set()
        for job in self.graph.jobs:
            reason = Reason() if job in following else self._own_reason(job)
            if reason:
                self.reasons[job] = reason
                jobs.append(job)
                self.graph.add_all_after(job, following)
        return jobs

    def _makers_of_missing(self, paths: Iterable[str]) -> list[JobFiles]:
        """Jobs that write what is missing of some files, if the search did not come to them yet."""
        jobs = []
        for path in paths:
            maker = self.graph.makers.get(path)
            if maker is None or self._date(path) is not None:
                continue
            if maker not in self.reasons:
                jobs.append(maker)
            reason = self.reasons.setdefault(maker, Reason())
            if path not in reason.missing:
                reason.missing.append(path)
        return jobs

    def _own_reason(self, job: JobFiles) -> Reason:
        reason = Reason()
        if any(
            is_unfinished(path, self._unfinished)
            for path in job.outputs
            if self._date(path)
        ):
            reason.unfinished = True
            return reason
        records = [read_record(path, self.notes) for path in job.outputs]
        made = self._date_made(job)
        if made is not None:
            reason.newer = [
                path for path in job.inputs if self._is_newer(path, made, job, records)
            ]
        if reason.newer or not all(records):
            return reason
        reason.parameters = any(
            record.parameters not in (None, job.parameters) for record in records
        )
        inputs = sorted(job.inputs)
        reason.inputs = any(record.inputs not in (None, inputs) for record in records)
        return reason

    def _date_made(self, job: JobFiles) -> float | None:
        """Date of the oldest output; of one that has none, of a job that reads them."""
        for other in (job, *self.graph.after(job)):
            files = (
                (*other.outputs, other.benchmark) if other.benchmark else other.outputs
            )
            dates = [date for date in map(self._date, files) if date is not None]
            if dates:
                return min(dates)
        return None

    def _is_newer(
        self, path: str, made: float, job: JobFiles, records: list[Record | None]
    ) -> bool:
        """Was an input written after the outputs, and with other content?"""
        date = self._date(path)
        if path in job.undated or date is None or date <= made:
            return False
        checksums = {
            record.checksums.get(path) if record else None for record in records
        }
        if len(checksums) != 1 or os.stat(path).st_size > LARGEST_WITH_CHECKSUM:
            return True
        return checksums.pop() != _checksum(path)

    def _date(self, path: str) -> float | None:
        """When a file was written; None where there is none."""
        if path not in self._dates:
            try:
                self._dates[path] = os.stat(path).st_mtime
            except OSError:
                self._dates[path] = None
        return self._dates[path]


def _checksum(path: str) -> str:
    with open(path, "rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
