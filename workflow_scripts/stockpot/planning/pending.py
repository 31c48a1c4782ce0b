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

# Bytes. Snakemake compares larger files by date only.
LARGEST_WITH_CHECKSUM = 1_000_000


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

    def is_own(self) -> bool:
        """Does the job run for a reason of its own, whatever other jobs do?

        Returns:
            False if it runs, if at all, only after others or because somebody asked for it.
        """
        if self.missing or self.newer:
            return True
        return self.parameters or self.inputs or self.unfinished


# Jobs with the reasons why they run.
Reasons = list[tuple[JobFiles, Reason]]


def pending(
    plan: Plan,
    notes: Path = NOTES,
) -> Reasons:
    """Find the jobs that would run for everything that a study asks for.

    Args:
        plan: The plan.
        notes: Folder of Snakemake.

    Returns:
        The jobs and why they would run; a job after those whose outputs it reads.
    """
    jobs = jobs_with_files(plan)
    files = [in_results(path) for path in targets(plan)]
    return pending_of(jobs, files, notes)


def pending_of(
    jobs: list[JobFiles],
    files: list[str],
    notes: Path = NOTES,
) -> Reasons:
    """Find the jobs that would run for some files.

    Args:
        jobs: All jobs that there are.
        files: What is asked for.
        notes: Folder of Snakemake.

    Returns:
        The jobs and why they would run; a job after those whose outputs it reads.
    """
    graph = _Graph(jobs, files)
    return _Search(graph, notes).run()


class _Graph:
    """The jobs that some files follow from.

    Attributes:
        targets: Those files.
        jobs: All of them, a job after those whose outputs it reads.
        makers: File -> the job that writes it.
        readers: File -> the jobs that read it.
    """

    def __init__(
        self,
        jobs: list[JobFiles],
        files: list[str],
    ):
        self.targets = files
        # Files that no job makes, as data of the user, have no maker.
        self.makers: dict[str, JobFiles] = {}
        for job in jobs:
            self.makers |= dict.fromkeys(job.outputs, job)
        self.jobs = self._sorted()
        self.readers: dict[str, list[JobFiles]] = {}
        for job in self.jobs:
            for path in dict.fromkeys(job.inputs):
                self.readers.setdefault(path, []).append(job)

    def _sorted(self) -> list[JobFiles]:
        """The jobs that the targets follow from, earlier ones first."""
        sorter: TopologicalSorter[JobFiles] = TopologicalSorter()
        waiting = self._makers_of(self.targets)
        visited: set[JobFiles] = set()
        while waiting:
            job = waiting.pop()
            if job in visited:
                continue
            visited.add(job)
            # The sorter takes each job with those that have to come before it.
            makers = self.jobs_before(job)
            sorter.add(job, *makers)
            waiting += makers
        return list(sorter.static_order())

    def jobs_before(self, job: JobFiles) -> list[JobFiles]:
        """The jobs that write its inputs."""
        makers = self._makers_of(job.inputs)
        # Without duplicates, in the same order.
        return list(dict.fromkeys(makers))

    def _makers_of(self, paths: Iterable[str]) -> list[JobFiles]:
        """The jobs that write some files; a job that writes several is there several times."""
        return [self.makers[path] for path in paths if path in self.makers]

    def jobs_after(self, job: JobFiles) -> dict[JobFiles, list[str]]:
        """The jobs that read its outputs -> which of them they read."""
        readers: dict[JobFiles, list[str]] = {}
        for path in job.outputs:
            for reader in self.readers.get(path, []):
                readers.setdefault(reader, []).append(path)
        return readers

    def add_all_after(
        self,
        job: JobFiles,
        following: set[JobFiles],
    ) -> None:
        """Add all jobs that follow from its outputs, directly or not, to those that are known."""
        waiting = [job]
        while waiting:
            # The order is of no account: all of them are found.
            for reader in self.jobs_after(waiting.pop()):
                if reader not in following:
                    following.add(reader)
                    waiting.append(reader)


class _Search:
    """One search for the jobs that would run.

    Attributes:
        graph: The jobs.
        notes: Folder of Snakemake.
        reasons: The jobs that would run, as far as they are found.
    """

    def __init__(
        self,
        graph: _Graph,
        notes: Path,
    ):
        self.graph = graph
        self.notes = notes
        self.reasons: dict[JobFiles, Reason] = {}
        self._unfinished = unfinished(notes)
        # Many jobs read the same files; each is looked at once.
        self._dates: dict[str, float | None] = {}

    def run(self) -> Reasons:
        """All jobs that would run, in the order of the graph."""
        waiting = deque(self._with_own_reasons())
        waiting += self._makers_of_missing(self.graph.targets)
        # A job that runs brings others with it: before it what makes its missing inputs, after it
        # what reads its outputs. Each of them is put into the queue when it is found first.
        while waiting:
            job = waiting.popleft()
            waiting += self._makers_of_missing(job.inputs)
            waiting += self._readers_of(job)
        pending_jobs = []
        for job in self.graph.jobs:
            if job in self.reasons:
                pending_jobs.append((job, self.reasons[job]))
        return pending_jobs

    def _with_own_reasons(self) -> list[JobFiles]:
        """Jobs that run for a reason of their own; of what follows from them, this is not asked."""
        jobs: list[JobFiles] = []
        following: set[JobFiles] = set()
        for job in self.graph.jobs:
            if job in following:
                continue
            reason = self._own_reason(job)
            if reason.is_own():
                self.reasons[job] = reason
                jobs.append(job)
                self.graph.add_all_after(job, following)
        return jobs

    def _makers_of_missing(self, paths: Iterable[str]) -> list[JobFiles]:
        """Jobs that write what is missing of some files, if the search did not come to them yet."""
        jobs = []
        for path in paths:
            maker = self.graph.makers.get(path)
            # Files of others, and those that are there, ask for nothing.
            if maker is None or self._date(path) is not None:
                continue
            if maker not in self.reasons:
                jobs.append(maker)
            reason = self.reasons.setdefault(maker, Reason())
            if path not in reason.missing:
                reason.missing.append(path)
        return jobs

    def _readers_of(self, job: JobFiles) -> list[JobFiles]:
        """Jobs that run because this one does, if the search did not come to them yet."""
        jobs = []
        for reader, files in self.graph.jobs_after(job).items():
            # A job that runs anyway still notes what runs before it.
            is_known = reader in self.reasons
            # As long as the files are there, this job runs only if their dates count for it.
            if not is_known and not self._is_dated(reader, files):
                continue
            reason = self.reasons.setdefault(reader, Reason())
            reason.after.append(job)
            if not is_known:
                jobs.append(reader)
        return jobs

    def _is_dated(
        self,
        reader: JobFiles,
        files: list[str],
    ) -> bool:
        """Is one of these files missing, or does its date count for the job that reads it?"""
        for path in files:
            counts = path not in reader.undated
            if counts or not self._date(path):
                return True
        return False

    def _own_reason(self, job: JobFiles) -> Reason:
        """Why this job runs, whatever others do; the questions are asked in Snakemake's order."""
        reason = Reason()
        if self._was_interrupted(job):
            reason.unfinished = True
            return reason
        # Files that were made elsewhere, or before this workflow, have no records.
        records = [read_record(path, self.notes) for path in job.outputs]
        made = self._date_made(job)
        if made is not None:
            for path in job.inputs:
                if self._is_newer(path, made, job, records):
                    reason.newer.append(path)
        # What is not known of a file is no reason to make it again.
        known_records = [record for record in records if record is not None]
        if reason.newer or len(known_records) < len(records):
            return reason
        inputs = sorted(job.inputs)
        for record in known_records:
            if record.parameters not in (None, job.parameters):
                reason.parameters = True
            if record.inputs not in (None, inputs):
                reason.inputs = True
        return reason

    def _was_interrupted(self, job: JobFiles) -> bool:
        """Is an output there whose job did not end?"""
        for path in job.outputs:
            if self._date(path) and is_unfinished(path, self._unfinished):
                return True
        return False

    def _date_made(self, job: JobFiles) -> float | None:
        """Date of the oldest output; of one that has none, of a job that reads them."""
        # Snakemake lets an output that was deleted be as old as what was made of it.
        for other in (job, *self.graph.jobs_after(job)):
            files = list(other.outputs)
            if other.benchmark:
                files.append(other.benchmark)
            dates = [self._date(path) for path in files]
            known_dates = [date for date in dates if date is not None]
            if known_dates:
                return min(known_dates)
        return None

    def _is_newer(
        self,
        path: str,
        made: float,
        job: JobFiles,
        records: list[Record | None],
    ) -> bool:
        """Was an input written after the outputs, and with other content?"""
        date = self._date(path)
        # An input that is missing has a maker, whose reason it is.
        if path in job.undated or date is None or date <= made:
            return False
        checksums = set()
        for record in records:
            checksum = record.checksums.get(path) if record else None
            checksums.add(checksum)
        # Where the records of two outputs disagree, the date decides.
        if len(checksums) != 1:
            return True
        # So it does for large files, of which Snakemake keeps no checksum.
        if os.stat(path).st_size > LARGEST_WITH_CHECKSUM:
            return True
        return checksums.pop() != _checksum(path)

    def _date(self, path: str) -> float | None:
        """When a file was written, in seconds since 1970; None where there is none."""
        if path not in self._dates:
            try:
                self._dates[path] = os.stat(path).st_mtime
            except OSError:
                self._dates[path] = None
        return self._dates[path]


def _checksum(path: str) -> str:
    """The digest of a file as Snakemake writes it."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return f"sha256:{digest.hexdigest()}"
