"""What the last run of each study was planned as, and why each of its jobs ran.

Kept below the results: one file per study, and one for each version of a stage's code, so that
what changed since can be told.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..runtime.atomic_files import atomic
from ..runtime.regular_files import open_regular
from .job_files import JobFiles
from .jobs import Spec
from .plan import Plan

HISTORY = Path("results/history")
CODE = re.compile(r"[0-9a-f]+")

# A rule and the name, or the id, of one of its jobs.
JobKey = tuple[str, str]


@dataclass(frozen=True)
class PastJob:
    """A job of the last run, as far as it can be compared.

    Attributes:
        id: Of the artefact.
        spec: What its script was told.
        follows: Role -> ids of the jobs that it was made from.
        code: Digest of its code.
    """

    id: str
    spec: Spec
    follows: dict[str, list[str]]
    code: str


@dataclass(frozen=True)
class Explained:
    """Why one job runs.

    Attributes:
        rule: Of the job.
        name: What the config calls it.
        id: Of the artefact.
        words: What changed for it; none if it runs only because of others.
        after: Rule and id of the jobs whose outputs it reads and that run before it.
    """

    rule: str
    name: str
    id: str
    words: list[str] = field(default_factory=list)
    after: list[JobKey] = field(default_factory=list)


@dataclass(frozen=True)
class PastRun:
    """The last run of a study.

    Attributes:
        started: Date and time in words.
        jobs: Rule and name -> the job.
        explained: Why each job ran.
    """

    started: str
    jobs: dict[JobKey, PastJob]
    explained: list[Explained]


def past_run(
    study: str,
    folder: Path = HISTORY,
) -> PastRun | None:
    """Read what the last run of a study was.

    Args:
        study: Its name.
        folder: Of the history.

    Returns:
        None where there was none, or it cannot be read.
    """
    content = _read_json(folder / f"{study}.json")
    # The file may be damaged, or of another version of this code.
    try:
        jobs = {}
        for rule, name, job in content["jobs"]:
            jobs[rule, name] = PastJob(**job)
        explained = [_explained_from_json(entry) for entry in content["explained"]]
        return PastRun(content["started"], jobs, explained)
    except (KeyError, TypeError, ValueError):
        return None


def _explained_from_json(entry: dict[str, Any]) -> Explained:
    """Why a job ran, with the pairs that JSON has as lists."""
    # Jobs are looked up by these pairs, which must be hashable.
    after = [(rule, job_id) for rule, job_id in entry["after"]]
    return Explained(**{**entry, "after": after})


def save_run(
    plan: Plan,
    jobs: list[JobFiles],
    explained: list[Explained],
    folder: Path = HISTORY,
) -> None:
    """Note a run that begins.

    Args:
        plan: Its plan.
        jobs: All jobs of the plan.
        explained: Those that will run.
        folder: Of the history.

    Raises:
        OSError: The folder cannot be written.
    """
    # Of all jobs, not only those that run: the next run compares with each of them.
    past_jobs = []
    for job in jobs:
        past_jobs.append([job.job.rule, job.job.name, asdict(_past_job(job))])
    content = {
        "started": time.strftime("%Y-%m-%d %H:%M:%S"),
        "jobs": past_jobs,
        "explained": [asdict(entry) for entry in explained],
    }
    _write_json(folder / f"{plan.config['study']}.json", content)


def _past_job(job: JobFiles) -> PastJob:
    """What the next run is to know of a job of this one."""
    return PastJob(
        id=job.job.id,
        spec=job.spec,
        follows=job.parents(),
        code=job.code,
    )


def past_code(
    code: str,
    folder: Path = HISTORY,
) -> dict[str, str] | None:
    """Read the parts of one version of the code.

    Args:
        code: Digest of the whole.
        folder: Of the history.

    Returns:
        Part of the code -> its digest. None where that was not kept, or cannot be read.
    """
    # The digest comes from a file, and is not taken for a path unless it is one.
    if not CODE.fullmatch(code):
        return None
    parts = _read_json(folder / "code" / f"{code}.json")
    if not isinstance(parts, dict) or not parts:
        return None
    return parts


def save_code(
    code: str,
    parts: Callable[[], dict[str, str]],
    folder: Path = HISTORY,
) -> None:
    """Keep the parts of a version of the code, once.

    Args:
        code: Digest of the whole.
        parts: Gives the part -> its digest. It is called only if they are not kept yet.
        folder: Of the history.

    Raises:
        OSError: The folder cannot be written.
    """
    path = folder / "code" / f"{code}.json"
    # Versions of the code have names by their content, so none changes.
    if code and not path.exists():
        _write_json(path, parts())


def _write_json(
    path: Path,
    content: dict[str, Any],
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A run that is stopped here leaves the note before it.
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(content), "utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    """The content of a file; {} where it is missing or no JSON."""
    try:
        # A pipe or a device of this name would never end.
        with open_regular(path) as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
