"""Why jobs run, in words: what changed for each of them, and what follows from it."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ..runtime.code_digest import code_parts
from ..runtime.escape import one_line
from ..runtime.snakemake_records import NOTES, Record, read_record
from .changes import Change, changes, code_words, enumeration, words
from .history import HISTORY, Explained, PastRun, past_code
from .job_files import WRITTEN, JobFiles
from .pending import Reason, Reasons
from .plan import Plan

NEW = "new"
MOST_LINES = 40
RULES = list(WRITTEN)
MOST_NAMES = 3


class Explainer:
    """Finds the words for jobs that run, one after the other.

    Attributes:
        explained: Those of the jobs so far.
    """

    def __init__(
        self,
        plan: Plan,
        past: PastRun | None,
        notes: Path = NOTES,
        history: Path = HISTORY,
    ):
        """
        Args:
            plan: The plan that the jobs are of.
            past: The last run of the study.
            notes: Folder of Snakemake.
            history: Folder with earlier versions of the code.
        """
        self.explained: list[Explained] = []
        self._plan = plan
        self._past = past
        self._notes = notes
        self._history = history
        self._names: dict[JobFiles, frozenset[str]] = {}
        self._causes: dict[JobFiles, frozenset[tuple]] = {}
        self._new: set[JobFiles] = set()

    def explain(self, reasons: Reasons) -> list[Explained]:
        """Explain jobs that run.

        Args:
            reasons: The jobs with what Snakemake says of them, earlier ones first.
        """
        for job, reason in reasons:
            self._explain(job, reason)
        return self.explained

    def _explain(self, job: JobFiles, reason: Reason) -> None:
        record = read_record(job.outputs[0], self._notes)
        found, lines = self._differences(job, reason, record)
        names = frozenset().union(*(self._names[other] for other in reason.after))
        causes = frozenset().union(*(self._causes[other] for other in reason.after))
        own = [change for change in found if not _follows(change, names, causes)]
        lines = words(own) + lines
        if NEW in lines and any(other in self._new for other in reason.after):
            lines = [line for line in lines if line != NEW]
            self._new.add(job)
        elif NEW in lines:
            self._new.add(job)
        if not lines and not reason.after:
            lines = ["is made from other inputs" if record else "was not made yet"]
        self._names[job] = names | {job.job.name.partition(" of ")[0]}
        self._causes[job] = causes | {_cause(change) for change in own}
        after = [(other.job.rule, other.job.id) for other in reason.after]
        explained = Explained(job.job.rule, job.job.name, job.job.id, lines, after)
        self.explained.append(explained)

    def _differences(
        self, job: JobFiles, reason: Reason, record: Record | None
    ) -> tuple[list[Change], list[str]]:
        """Values that changed for a job, and what else is to be said."""
        if reason.asked:
            return [], ["asked for on the command line"]
        if reason.unfinished:
            return [], ["was not finished"]
        if record is None:
            return self._since_the_last_run(job)
        found, lines = [], []
        if reason.missing:
            missing = [Path(path).name for path in reason.missing]
            lines.append(
                f"{enumeration(missing)} {'is' if len(missing) == 1 else 'are'} missing"
            )
        # Also of a job that would run without it, as it reads what others make anew.
        changed = record.parameters not in (None, job.parameters)
        if changed and not record.is_short:
            lines += [] if reason.after else ["its parameters changed"]
        elif changed:
            found = changes(record.spec, job.spec)
            lines += self._code(record.code, job)
        if reason.inputs:
            lines += _inputs(record.inputs or [], job, reason.after)
        written = {path for other in reason.after for path in other.outputs}
        newer = [path for path in reason.newer if path not in written]
        return found, [*lines, *(f"{path} is newer" for path in newer)]

    def _since_the_last_run(self, job: JobFiles) -> tuple[list[Change], list[str]]:
        """Differences of a job that was never made to the one of its name in the last run."""
        key = job.job.rule, job.job.name
        before = self._past.jobs.get(key) if self._past else None
        if before is None:
            return [], [NEW]
        if before.id == job.job.id:
            return [], self._words_of_the_last_run(job)
        now = {**job.spec, **_follows_of(job)}
        found = changes({**before.spec, **before.follows}, now)
        return found, self._code(before.code, job)

    def _words_of_the_last_run(self, job: JobFiles) -> list[str]:
        """Why the last run, which did not come to this job, would have made it."""
        key = job.job.rule, job.job.id
        entries = self._past.explained if self._past else []
        return next(
            (entry.words for entry in entries if (entry.rule, entry.id) == key), []
        )

    def _code(self, old: str, job: JobFiles) -> list[str]:
        if old == job.code:
            return []
        parts = code_parts(*job.job.code(self._plan))
        return [code_words(past_code(old, self._history), parts)]


def _follows_of(job: JobFiles) -> dict[str, list[str]]:
    return {role: list(ids) for role, ids in job.job.follows().items()}


def _follows(change: Change, names: frozenset[str], causes: frozenset[tuple]) -> bool:
    """Does this change only say what was said of a job before?"""
    return not names.isdisjoint(change.path) or _cause(change) in causes


def _cause(change: Change) -> tuple:
    return change.path[-1:], repr(change.old), repr(change.new)


def _inputs(before: list[str], job: JobFiles, after: list[JobFiles]) -> list[str]:
    """Files that a job reads now or no longer, unless they come from jobs that run before it."""
    written = {path for other in after for path in other.outputs}
    gained = [f"+ {path}" for path in sorted(set(job.inputs) - set(before) - written)]
    lost = [f"- {path}" for path in sorted(set(before) - set(job.inputs))]
    # A file in the place of another one follows from the job that writes it.
    lost = [] if written else lost
    return [f"inputs {enumeration([*gained, *lost])}"] if gained or lost else []


def lines(explained: list[Explained]) -> list[str]:
    """A line for each thing that changed, and one for what follows.

    Args:
        explained: The jobs that run.
    """
    in_order = sorted(explained, key=lambda entry: (_place(entry.rule), entry.name))
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in in_order:
        if entry.words:
            groups.setdefault((entry.rule, "; ".join(entry.words)), []).append(
                entry.name
            )
    told = [_group(rule, names, text) for (rule, text), names in groups.items()]
    if len(told) > MOST_LINES:
        told = [*told[:MOST_LINES], f"and {len(told) - MOST_LINES} more changes"]
    following = Counter(entry.rule for entry in in_order if not entry.words)
    if following:
        counted = [rule if n == 1 else f"{rule} x{n}" for rule, n in following.items()]
        count = following.total()
        verb = "job follows" if count == 1 else "jobs follow"
        told.append(f"{count:,} {verb}: {', '.join(counted)}")
    return [one_line(line) for line in told]


def _place(rule: str) -> int:
    """The place of a rule in the order of the work; exports come last."""
    return RULES.index(rule) if rule in RULES else len(RULES)


def _group(rule: str, names: list[str], text: str) -> str:
    who = ", ".join(names) if len(names) <= MOST_NAMES else f"x{len(names)}"
    return f"{rule} {who}: {text}"


def named(explained: list[Explained], name: str) -> list[Explained]:
    """The jobs that somebody means by a name: that of the config, a rule or an id."""
    return [
        entry for entry in explained if name in (entry.rule, entry.id, *_names(entry))
    ]


def _names(entry: Explained) -> Iterable[str]:
    return entry.name, entry.name.partition(" of ")[0]


def job_lines(explained: list[Explained], entry: Explained) -> list[str]:
    """Why one job runs: what changed for it, else for those that it follows from.

    Args:
        explained: All jobs that run.
        entry: One of them.
    """
    if entry.words:
        return [one_line(f"{entry.rule} {entry.name}: {'; '.join(entry.words)}")]
    by_id = {(other.rule, other.id): other for other in explained}
    waiting, seen = list(entry.after), set()
    causes: list[Explained] = []
    while waiting:
        key = tuple(waiting.pop(0))
        if key in seen or key not in by_id:
            continue
        seen.add(key)
        if by_id[key].words:
            causes.append(by_id[key])
        else:
            waiting += by_id[key].after
    head = f"{entry.rule} {entry.name} follows from"
    return [one_line(f"{head} {line}") for line in lines(causes)] or [
        one_line(f"{head} others")
    ]
