"""Why jobs run, in words: what changed for each of them, and what follows from it."""

from collections import Counter, deque
from pathlib import Path

from ..runtime.code_digest import code_parts
from ..runtime.escape import one_line
from ..runtime.snakemake_records import NOTES, Record, read_record
from .changes import (
    Change,
    changes,
    describe_changes,
    describe_code_change,
    enumeration,
)
from .history import HISTORY, Explained, JobKey, PastJob, PastRun, past_code
from .job_files import WRITTEN, JobFiles
from .pending import Reason, Reasons
from .plan import Plan

NEW = "new"
MOST_LINES = 40
RULES = list(WRITTEN)  # in the order of the work
MOST_NAMES = 3

# Last key, old and new value of a change, by which the same change of another job is known.
Cause = tuple[tuple[str, ...], str, str]


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
        """Begin without any job.

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
        # What was said of a job and of all that run before it: names of jobs, and changes. It is
        # not said again of the jobs after it.
        self._names: dict[JobFiles, frozenset[str]] = {}
        self._causes: dict[JobFiles, frozenset[Cause]] = {}
        self._new: set[JobFiles] = set()

    def explain(self, reasons: Reasons) -> list[Explained]:
        """Explain jobs that run.

        Args:
            reasons: The jobs with what Snakemake says of them, earlier ones first.

        Returns:
            Why each of the jobs so far runs.
        """
        for job, reason in reasons:
            self._explain(job, reason)
        return self.explained

    def _explain(
        self,
        job: JobFiles,
        reason: Reason,
    ) -> None:
        # All outputs of a job are written by one call, so the first one's record is enough.
        record = read_record(job.outputs[0], self._notes)
        differences, texts = self._differences(job, reason, record)
        said_names: set[str] = set()
        said_causes: set[Cause] = set()
        for other in reason.after:
            said_names |= self._names[other]
            said_causes |= self._causes[other]
        own_changes = []
        for change in differences:
            if not _was_said(change, said_names, said_causes):
                own_changes.append(change)
        texts = describe_changes(own_changes) + texts
        texts = self._without_implied_newness(job, reason, texts)
        if not texts and not reason.after:
            text = "is made from other inputs" if record else "was not made yet"
            texts = [text]
        # Jobs after this one need not say it again.
        said_names.add(_bare_name(job.job.name))
        said_causes.update(_cause(change) for change in own_changes)
        self._names[job] = frozenset(said_names)
        self._causes[job] = frozenset(said_causes)
        explained = Explained(
            rule=job.job.rule,
            name=job.job.name,
            id=job.job.id,
            words=texts,
            after=[(other.job.rule, other.job.id) for other in reason.after],
        )
        self.explained.append(explained)

    def _without_implied_newness(
        self,
        job: JobFiles,
        reason: Reason,
        texts: list[str],
    ) -> list[str]:
        """The texts without "new", where the job is made from others that are new."""
        if NEW not in texts:
            return texts
        self._new.add(job)
        if self._new.isdisjoint(reason.after):
            return texts
        return [text for text in texts if text != NEW]

    def _differences(
        self,
        job: JobFiles,
        reason: Reason,
        record: Record | None,
    ) -> tuple[list[Change], list[str]]:
        """Values that changed for a job, and what else is to be said."""
        # An earlier answer makes the later questions moot.
        if reason.asked:
            return [], ["asked for on the command line"]
        if reason.unfinished:
            return [], ["was not finished"]
        # Snakemake knows nothing of it: it was not made yet, or elsewhere.
        if record is None:
            return self._since_last_run(job)
        texts = _missing_words(reason)
        differences, parameter_texts = self._changed_parameters(job, reason, record)
        texts += parameter_texts
        if reason.inputs:
            texts += _changed_inputs(
                record.inputs or [],
                job,
                reason.after,
            )
        # What a job before it writes is newer because that job ran, of which is told there.
        written = _outputs_of(reason.after)
        for path in reason.newer:
            if path not in written:
                texts.append(f"{path} is newer")
        return differences, texts

    def _changed_parameters(
        self,
        job: JobFiles,
        reason: Reason,
        record: Record,
    ) -> tuple[list[Change], list[str]]:
        """Parameters that changed since the job was made, and what else is to be said of them.

        This is asked even of a job that would run without it, as it reads what others make anew.
        """
        if record.parameters in (None, job.parameters):
            return [], []
        if record.is_short:
            differences = changes(record.spec, job.spec)
            return differences, self._changed_code(record.code, job)
        # Long parameters would take too long to read, and to compare value by value.
        if reason.after:
            return [], []
        return [], ["its parameters changed"]

    def _since_last_run(self, job: JobFiles) -> tuple[list[Change], list[str]]:
        """Differences of a job that was never made to the one of its name in the last run."""
        past_job = self._past_job(job)
        if past_job is None:
            return [], [NEW]
        # It was planned then, and is the same job still.
        if past_job.id == job.job.id:
            return [], self._words_of_last_run(job)
        # The id is another one, so what it was made from differs as well.
        before = {**past_job.spec, **past_job.follows}
        now = {**job.spec, **job.parents()}
        differences = changes(before, now)
        return differences, self._changed_code(past_job.code, job)

    def _past_job(self, job: JobFiles) -> PastJob | None:
        """The job of this rule and name in the last run."""
        if self._past is None:
            return None
        key = (job.job.rule, job.job.name)
        return self._past.jobs.get(key)

    def _words_of_last_run(self, job: JobFiles) -> list[str]:
        """Why the last run, which did not come to this job, would have made it."""
        if self._past is None:
            return []
        for entry in self._past.explained:
            is_of_rule = entry.rule == job.job.rule
            if is_of_rule and entry.id == job.job.id:
                return entry.words
        return []

    def _changed_code(
        self,
        old: str,
        job: JobFiles,
    ) -> list[str]:
        """Which code changed since a job was made by the code of an older digest."""
        if old == job.code:
            return []
        new_parts = code_parts(*job.job.code(self._plan))
        old_parts = past_code(old, self._history)
        return [describe_code_change(old_parts, new_parts)]


def _bare_name(name: str) -> str:
    """The name of a job without the study that it is of."""
    return name.partition(" of ")[0]


def _outputs_of(jobs: list[JobFiles]) -> set[str]:
    """All files that some jobs write."""
    paths: set[str] = set()
    for job in jobs:
        paths.update(job.outputs)
    return paths


def _was_said(
    change: Change,
    names: set[str],
    causes: set[Cause],
) -> bool:
    """Does this change only say what was said of a job before?"""
    names_earlier_job = not names.isdisjoint(change.path)
    return names_earlier_job or _cause(change) in causes


def _cause(change: Change) -> Cause:
    last_key = change.path[-1:]
    return last_key, repr(change.old), repr(change.new)


def _missing_words(reason: Reason) -> list[str]:
    """Which outputs of a job are not there."""
    if not reason.missing:
        return []
    names = [Path(path).name for path in reason.missing]
    verb = "is" if len(names) == 1 else "are"
    return [f"{enumeration(names)} {verb} missing"]


def _changed_inputs(
    before: list[str],
    job: JobFiles,
    after: list[JobFiles],
) -> list[str]:
    """Files that a job reads now or no longer, unless they come from jobs that run before it."""
    written = _outputs_of(after)
    # The files that jobs before it write are theirs to explain.
    gained = set(job.inputs) - set(before) - written
    texts = [f"+ {path}" for path in sorted(gained)]
    # A file in the place of another one follows from the job that writes it.
    if not written:
        lost = set(before) - set(job.inputs)
        texts += [f"- {path}" for path in sorted(lost)]
    if not texts:
        return []
    return [f"inputs {enumeration(texts)}"]


def summary_lines(explained: list[Explained]) -> list[str]:
    """Sum up why jobs run.

    Args:
        explained: The jobs that run.

    Returns:
        A line for each thing that changed, in the order of the work, and one for what follows.
    """
    in_order = sorted(explained, key=_order_of_work)
    # Jobs of one rule with the same words share a line.
    names_by_words: dict[tuple[str, str], list[str]] = {}
    following: Counter[str] = Counter()
    # Jobs without words only follow from others, and are counted.
    for entry in in_order:
        if entry.words:
            text = "; ".join(entry.words)
            group = (entry.rule, text)
            names_by_words.setdefault(group, []).append(entry.name)
        else:
            following[entry.rule] += 1
    texts = []
    for (rule, text), names in names_by_words.items():
        texts.append(_group_line(rule, names, text))
    # More lines than fit on a screen are not read.
    left_out = len(texts) - MOST_LINES
    if left_out > 0:
        texts = [*texts[:MOST_LINES], f"and {left_out} more changes"]
    if following:
        texts.append(_following_line(following))
    return [one_line(text) for text in texts]


def _order_of_work(entry: Explained) -> tuple[int, str]:
    """Sort jobs by their rules, those of one rule by their names."""
    return _rule_position(entry.rule), entry.name


def _rule_position(rule: str) -> int:
    """The position of a rule in the order of the work; exports come last."""
    return RULES.index(rule) if rule in RULES else len(RULES)


def _group_line(
    rule: str,
    names: list[str],
    text: str,
) -> str:
    """What is said of some jobs of one rule."""
    subject = ", ".join(names)
    if len(names) > MOST_NAMES:
        subject = f"x{len(names)}"
    return f"{rule} {subject}: {text}"


def _following_line(following: Counter[str]) -> str:
    """How many jobs follow from others, of each rule."""
    counted = []
    for rule, job_count in following.items():
        text = rule if job_count == 1 else f"{rule} x{job_count}"
        counted.append(text)
    total = following.total()
    verb = "job follows" if total == 1 else "jobs follow"
    rules_text = ", ".join(counted)
    return f"{total:,} {verb}: {rules_text}"


def jobs_named(
    explained: list[Explained],
    name: str,
) -> list[Explained]:
    """Find the jobs that somebody means by a name.

    Args:
        explained: All jobs that run.
        name: A name of the config, a rule or an id.

    Returns:
        Those of the jobs that it fits.
    """
    jobs = []
    for entry in explained:
        if name in (entry.rule, entry.id, entry.name, _bare_name(entry.name)):
            jobs.append(entry)
    return jobs


def reason_lines(
    explained: list[Explained],
    entry: Explained,
) -> list[str]:
    """Say why one job runs: what changed for it, else for those that it follows from.

    Args:
        explained: All jobs that run.
        entry: One of them.

    Returns:
        A line for each thing that changed.
    """
    subject = f"{entry.rule} {entry.name}"
    if entry.words:
        words_text = "; ".join(entry.words)
        return [one_line(f"{subject}: {words_text}")]
    jobs_behind = _jobs_behind(explained, entry)
    causes = summary_lines(jobs_behind)
    if not causes:
        causes = ["others"]
    return [one_line(f"{subject} follows from {cause}") for cause in causes]


def _jobs_behind(
    explained: list[Explained],
    entry: Explained,
) -> list[Explained]:
    """The nearest jobs before one for which something changed."""
    by_key = {(other.rule, other.id): other for other in explained}
    waiting: deque[JobKey] = deque(entry.after)
    visited: set[JobKey] = set()
    causes: list[Explained] = []
    # Nearest jobs first, each once.
    while waiting:
        key = waiting.popleft()
        if key in visited or key not in by_key:
            continue
        visited.add(key)
        job = by_key[key]
        if job.words:
            causes.append(job)
        else:
            waiting += job.after
    return causes
