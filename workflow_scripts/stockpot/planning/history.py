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

from ..runtime.atomic_files import atomic
from ..runtime.regular_files import open_regular
from .job_files import JobFiles
from .plan import Plan

HISTORY = Path("results/history")
CODE = re.compile(r"[0-9a-f]+")


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
    spec: dict
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
    after: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class PastRun:
    """The last run of a study.

    Attributes:
        started: Date and time in words.
        jobs: Rule and name -> the job.
        explained: Why each job ran.
    """

    started: str
    jobs: dict[tuple[str, str], PastJob]
    explained: list[Explained]


def past_run(study: str, folder: Path = HISTORY) -> PastRun | None:
    """The last run of a study.

    Args:
        study: Its name.
        folder: Of the history.

    Returns:
        None where there was none, or it cannot be read.
    """
    content = _read(folder / f"{study}.json")
    try:
        jobs = {(rule, name): PastJob(**job) for rule, name, job in content["jobs"]}
        explained = [
            Explained(**{**entry, "after": [(rule, id) for rule, id in entry["after"]]})
            for entry in content["explained"]
        ]
        return PastRun(content["started"], jobs, explained)
    except (KeyError, TypeError, ValueError):
        return None


def save_run(
    plan: Plan, jobs: list[JobFiles], explained: list[Explained], folder: Path = HISTORY
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
    content = {
        "started": time.strftime("%Y-%m-%d %H:%M:%S"),
        "jobs": [[job.job.rule, job.job.name, asdict(_past(job))] for job in jobs],
        "explained": [asdict(entry) for entry in explained],
    }
    _write(folder / f"{plan.config['study']}.json", content)


def _past(job: JobFiles) -> PastJob:
    follows = {role: list(ids) for role, ids in job.job.follows().items()}
    return PastJob(job.job.id, job.spec, follows, job.code)


def past_code(code: str, folder: Path = HISTORY) -> dict[str, str] | None:
    """Part of the code -> its digest, of one version; None where that was not kept.

    Args:
        code: Digest of the whole.
        folder: Of the history.
    """
    found = _read(folder / "code" / f"{code}.json") if CODE.fullmatch(code) else {}
    return found if isinstance(found, dict) and found else None


def save_code(
    code: str, parts: Callable[[], dict[str, str]], folder: Path = HISTORY
) -> None:
    """Keep the parts of a version of the code, once.

    Args:
        code: Digest of the whole.
        parts: Gives the part -> its digest.
        folder: Of the history.

    Raises:
        OSError: The folder cannot be written.
    """
    path = folder / "code" / f"{code}.json"
    if code and not path.exists():
        _write(path, parts())


def _write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(content), "utf-8")


def _read(path: Path) -> dict:
    try:
        with open_regular(path) as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
