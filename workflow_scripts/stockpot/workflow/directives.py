"""Answer what a rule asks of the plan: for each directive, a function of the wildcards.

In a rule file, ``plan.soup.inputs`` is such a function; ``plan.soup.mem_mb`` and ``plan.soup.spec``
are others. The jobs of the plan have the answers. Nothing is computed in rules/.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from snakemake.io import ancient

from ..planning.job_files import code_of, inputs_of
from ..planning.jobs import Job, Present
from ..planning.plan import Plan
from ..planning.resources import Machine, Needs
from ..runtime.job_parameters import HiddenParameters, UncomparedParameters

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards

NOTHING = "(?!)"  # a regular expression that nothing matches


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
        """Index the jobs of a rule by its wildcards.

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
        if isinstance(jobs, Mapping):
            jobs = list(jobs.values())
        # Constraints name only the jobs of this rule; the functions must know those of all rules.
        self._jobs_of_rule = [job for job in jobs if job.rule == rule]
        self._jobs: dict[tuple[str, ...], Job] = {}
        for job in jobs:
            key = self._key(job, wildcards.values())
            self._jobs[key] = job

    @staticmethod
    def _key(
        values: object,
        attributes: Iterable[str],
    ) -> tuple[str, ...]:
        """Return the values of the wildcards, of a job or of Snakemake's wildcards."""
        key = [getattr(values, attribute) for attribute in attributes]
        return tuple(key)

    def job(self, wildcards: "Wildcards") -> Job:
        """Find the job that some wildcards stand for.

        Args:
            wildcards: Snakemake's wildcards of the rule.

        Returns:
            The job.
        """
        key = self._key(wildcards, self._wildcards)
        return self._jobs[key]

    def names(self, wildcard: str) -> str:
        """Return the constraint of a wildcard.

        Args:
            wildcard: Name of the wildcard.

        Returns:
            A regular expression for all that it may be in this rule.
        """
        attribute = self._wildcards[wildcard]
        values = [getattr(job, attribute) for job in self._jobs_of_rule]
        return alternatives(values)

    def inputs(self, wildcards: "Wildcards") -> dict[str, object]:
        """Return the input files, for ``unpack``.

        Args:
            wildcards: Snakemake's wildcards of the rule.

        Returns:
            Name -> file or files.
        """
        job = self.job(wildcards)
        inputs = inputs_of(job, self._plan)
        return {name: _flagged(files) for name, files in inputs.items()}

    def spec(self, wildcards: "Wildcards") -> dict[str, Any]:
        """Return the specification that the script is given.

        Args:
            wildcards: Snakemake's wildcards of the rule.

        Returns:
            Plain data.
        """
        job = self.job(wildcards)
        parameters = job.parameters(self._plan)
        # Snakemake's report prints parameters without escaping them.
        if job.unshown:
            return HiddenParameters(parameters)
        return parameters

    def code(self, wildcards: "Wildcards") -> str:
        """Return the digest of the code that makes the artefact, or that made one that is kept.

        Args:
            wildcards: Snakemake's wildcards of the rule.

        Returns:
            A digest, see ``runtime.code_records``.
        """
        job = self.job(wildcards)
        return code_of(job, self._plan)

    def threads(self, wildcards: "Wildcards") -> int:
        """Return how many cores the job can use.

        Args:
            wildcards: Snakemake's wildcards of the rule.

        Returns:
            Number of cores.
        """
        job = self.job(wildcards)
        return job.threads(self._plan, self._machine)

    def gpus(self, wildcards: "Wildcards") -> int:
        """Return how many GPUs the job can use.

        Args:
            wildcards: Snakemake's wildcards of the rule.

        Returns:
            Number of GPUs.
        """
        job = self.job(wildcards)
        return job.gpus(self._plan, self._machine)

    def mem_mb(
        self,
        wildcards: "Wildcards",
        attempt: int,
        threads: int,
    ) -> int:
        """Return how much memory an attempt may use.

        Args:
            wildcards: Snakemake's wildcards of the rule.
            attempt: Number of the attempt, from 1.
            threads: Cores that Snakemake gives to the job.

        Returns:
            Megabytes.
        """
        needs = self._needs(wildcards, threads)
        return needs.again(attempt).mb

    def runtime(
        self,
        wildcards: "Wildcards",
        attempt: int,
        threads: int,
    ) -> int:
        """Return how long an attempt may take.

        Args:
            wildcards: Snakemake's wildcards of the rule.
            attempt: Number of the attempt, from 1.
            threads: Cores that Snakemake gives to the job.

        Returns:
            Minutes.
        """
        needs = self._needs(wildcards, threads)
        return needs.again(attempt).minutes

    def _needs(
        self,
        wildcards: "Wildcards",
        threads: int,
    ) -> Needs:
        job = self.job(wildcards)
        return job.needs(self._plan, self._machine, threads)


class PrepareDirectives(Directives):
    """The directives of the rule that prepares data sets."""

    def current_paths(self, wildcards: "Wildcards") -> UncomparedParameters:
        """Return where the files of the data set are; a move is no reason to prepare it again.

        Args:
            wildcards: Snakemake's wildcards of the rule.

        Returns:
            The paths, which Snakemake does not compare.
        """
        job = self.job(wildcards)
        return UncomparedParameters(job.current_paths)

    def downloads(self, wildcards: "Wildcards") -> list[dict[str, Any]]:
        """Return how the files of the data set are fetched.

        Args:
            wildcards: Snakemake's wildcards of the rule.

        Returns:
            A specification per download.
        """
        job = self.job(wildcards)
        downloads = self._plan.downloads
        return [downloads[download_id].spec for download_id in job.fetched]


class EvaluateDirectives(Directives):
    """The directives of the rules that evaluate."""

    def sweep_start(self, wildcards: "Wildcards") -> list[str]:
        """Return the zero-shot model that sweeps begin from.

        Args:
            wildcards: Snakemake's wildcards of the rule.

        Returns:
            Its id; empty without a sweep.
        """
        job = self.job(wildcards)
        return list(job.sweep_start)


class ExportDirectives(Directives):
    """The directives of the rule that exports in one format.

    Attributes:
        outputs: The files that the rule writes. They are named one by one: for a folder as an
            output Snakemake would leave a hidden file of its own in it.
    """

    def __init__(
        self,
        rule: str,
        jobs: list[Job],
        plan: Plan,
        machine: Machine,
        names: list[str],
    ):
        """Index the exports in one format.

        Args:
            rule: Name of the rule.
            jobs: The exports in this format.
            plan: The plan.
            machine: What jobs may use.
            names: Names of the files that the format consists of.
        """
        super().__init__(rule, jobs, plan, machine, study="study", export="entry")
        folder = "<results>/studies/{study}/exports/{export}"
        self.outputs = [f"{folder}/{name}" for name in names]


def alternatives(names: list[str]) -> str:
    """Return a wildcard constraint that allows some names.

    Args:
        names: The names, which have no special characters.

    Returns:
        A regular expression; without names, one that nothing matches.
    """
    if not names:
        return NOTHING
    different_names = dict.fromkeys(names)
    return "|".join(different_names) or NOTHING


def _flagged(files: Any) -> Any:
    """Give files Snakemake's flag if their date and content do not count."""
    if not isinstance(files, str):
        return [_flagged(file) for file in files]
    if isinstance(files, Present):
        return ancient(str(files))
    return files
