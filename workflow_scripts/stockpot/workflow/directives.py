"""What a rule asks of the plan: a function of its wildcards for each directive.

In a rule file ``plan.soup.inputs`` is such a function, ``plan.soup.mem_mb`` and ``plan.soup.spec``
others. The jobs of the plan have the answers; nothing is computed in rules/.
"""

from collections.abc import Mapping

from snakemake.io import ancient

from ..planning.job_files import code_of, inputs_of
from ..planning.jobs import Job, Present
from ..planning.plan import Plan
from ..planning.resources import Machine, Needs
from ..runtime.unshown import Unrecorded, Unshown

NOTHING = "(?!)"  # a pattern that nothing matches


class Directives:
    """The directives of one rule.

    Attributes:
        rule: Name of the rule.
    """

    def __init__(
        self,
        rule: str,
        jobs: Mapping[str, Job] | list[Job],
        plan: Plan,
        machine: Machine,
        **wildcards: str,
    ):
        """
        Args:
            rule: Name of the rule.
            jobs: Jobs that the functions are asked about. ``use rule`` passes those of one rule on
                to another, so these may be the jobs of several rules.
            plan: The plan.
            machine: What jobs may use.
            wildcards: Wildcard of the rule -> attribute of a job that it stands for.
        """
        self.rule = rule
        self._plan = plan
        self._machine = machine
        self._wildcards = wildcards
        every = list(jobs.values() if isinstance(jobs, Mapping) else jobs)
        self._own = [job for job in every if job.rule == rule]
        self._jobs = {self._key(job, wildcards.values()): job for job in every}

    @staticmethod
    def _key(found, attributes) -> tuple[str, ...]:
        return tuple(getattr(found, attribute) for attribute in attributes)

    def job(self, wildcards) -> Job:
        """The job that these wildcards stand for."""
        return self._jobs[self._key(wildcards, self._wildcards)]

    def names(self, wildcard: str) -> str:
        """A constraint: what the wildcard may be in this rule."""
        attribute = self._wildcards[wildcard]
        return alternatives([getattr(job, attribute) for job in self._own])

    def inputs(self, wildcards) -> dict[str, object]:
        """Input files by name, for ``unpack``."""
        inputs = inputs_of(self.job(wildcards), self._plan)
        return {name: _flagged(files) for name, files in inputs.items()}

    def spec(self, wildcards) -> dict:
        """What the script is told."""
        job = self.job(wildcards)
        parameters = job.parameters(self._plan)
        return Unshown(parameters) if job.unshown else parameters

    def code(self, wildcards) -> str:
        """Digest of the code that makes the artefact, or that made one that is kept."""
        return code_of(self.job(wildcards), self._plan)

    def threads(self, wildcards) -> int:
        """Cores that the job can use."""
        return self.job(wildcards).threads(self._plan, self._machine)

    def gpus(self, wildcards) -> int:
        """GPUs that the job can use."""
        return self.job(wildcards).gpus(self._plan, self._machine)

    def mem_mb(self, wildcards, attempt: int, threads: int) -> int:
        """Memory of a try, in megabytes."""
        return self._needs(wildcards, threads).again(attempt).mb

    def runtime(self, wildcards, attempt: int, threads: int) -> int:
        """Time of a try, in minutes."""
        return self._needs(wildcards, threads).again(attempt).minutes

    def _needs(self, wildcards, threads: int) -> Needs:
        return self.job(wildcards).needs(self._plan, self._machine, threads)


class PrepareDirectives(Directives):
    """Those of the rule that prepares data sets."""

    def places(self, wildcards) -> Unrecorded:
        """Where the files of the data set are, which is no reason to prepare it again."""
        return Unrecorded(self.job(wildcards).places)

    def downloads(self, wildcards) -> list[dict]:
        """How the files of the data set are fetched."""
        fetched = self.job(wildcards).fetched
        return [self._plan.downloads[id].spec for id in fetched]


class EvaluateDirectives(Directives):
    """Those of the rules that evaluate."""

    def start(self, wildcards) -> list[str]:
        """Ids of the zero-shot model that sweeps begin from; none without a sweep."""
        return list(self.job(wildcards).start)


class ExportDirectives(Directives):
    """Those of the rule that exports in one format.

    Attributes:
        outputs: The files that the rule writes. They are named one by one: for a folder as an
            output Snakemake would leave a hidden file of its own in it.
    """

    def __init__(
        self, rule: str, jobs: list[Job], plan: Plan, machine: Machine, names: list[str]
    ):
        """
        Args:
            rule: Name of the rule.
            jobs: The exports in this format.
            plan: The plan.
            machine: What jobs may use.
            names: Of the files of the format.
        """
        super().__init__(rule, jobs, plan, machine, study="study", export="entry")
        folder = "<results>/studies/{study}/exports/{export}"
        self.outputs = [f"{folder}/{name}" for name in names]


def alternatives(names: list[str]) -> str:
    """A wildcard constraint that allows these names."""
    return "|".join(dict.fromkeys(names)) or NOTHING


def _flagged(files):
    """Files with Snakemake's flag where their date and content do not count."""
    if isinstance(files, str):
        return ancient(str(files)) if isinstance(files, Present) else files
    return [_flagged(file) for file in files]
