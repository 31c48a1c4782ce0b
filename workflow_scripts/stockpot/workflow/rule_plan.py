"""The one object that rule files use: ``plan``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..models import formats
from ..planning.jobs import Job
from ..planning.known_locations import remember_locations
from ..planning.plan import Plan
from ..planning.resources import Machine
from ..planning.saved_plan import save_plan
from ..planning.study_jobs import export_rule
from ..planning.targets import exported_files, targets
from ..runtime.errors import StockpotError
from .directives import (
    Directives,
    EvaluateDirectives,
    ExportDirectives,
    PrepareDirectives,
)
from .end_of_run import cancel_jobs_left, failure_text, refuse, success_text
from .why import note_run


class RulePlan:
    """The plan as the rules see it: an attribute per rule, each with a function per directive.

    Attributes:
        threads: Cores of a job that computes with a model.
        gpu: GPUs of such a job, 0 or 1.
    """

    def __init__(
        self,
        workflow: Any,
        plan: Plan,
        machine: Machine,
        file: Path,
        as_written: dict[str, Any],
    ):
        """Make the directives of all rules.

        Args:
            workflow: Snakemake's workflow.
            plan: All jobs.
            machine: What jobs may use.
            file: Where the plan is saved.
            as_written: The config as its files give it.
        """
        self._workflow = workflow
        self._plan = plan
        self._machine = machine
        self._file = file
        self._as_written = as_written
        self.threads = machine.threads
        self.gpu = machine.single_gpu
        # An attribute has the name of its rule.
        self._add_data_rules()
        self._add_model_rules()
        self._add_study_rules()

    @property
    def results(self) -> list[str]:
        """Files that ``rule all`` asks for."""
        return targets(self._plan)

    def save(self) -> None:
        """Write the plan for the jobs that run on other nodes, and why each of them runs."""
        try:
            save_plan(self._plan, self._file, self._as_written)
            note_run(self._plan, self._workflow.dag)
            remember_locations(self._plan)
        except (StockpotError, OSError) as error:
            # Nothing has begun yet, so this is the time to stop.
            refuse(f"{self._file}: cannot be written ({error})")

    def finish(self) -> None:
        """Print what to read after a study is finished."""
        print(success_text(self._plan))

    def fail(self, logs: list[str]) -> None:
        """Print what went wrong, and cancel the jobs that are left on a cluster.

        Args:
            logs: Files in which Snakemake wrote what it did.
        """
        print(failure_text(logs))
        # Jobs on a cluster run Snakemake, too; only the first one may cancel others.
        if self._workflow.is_main_process and self._workflow.non_local_exec:
            cancel_jobs_left(logs)

    def _directives(
        self,
        rule: str,
        jobs: Mapping[str, Job] | list[Job],
        kind: type[Directives] = Directives,
        **wildcards: str,
    ) -> Directives:
        return kind(rule, jobs, self._plan, self._machine, **wildcards)

    def _add_data_rules(self) -> None:
        downloads = self._plan.downloads
        datasets = self._plan.datasets
        self.fetch_dataset = self._directives("fetch_dataset", downloads, download="id")
        self.prepare_dataset = self._directives(
            "prepare_dataset", datasets, PrepareDirectives, dataset="id"
        )
        self.filter_dataset = self._directives("filter_dataset", datasets, dataset="id")
        self.corrupt_dataset = self._directives(
            "corrupt_dataset", datasets, dataset="id"
        )

    def _add_model_rules(self) -> None:
        plan = self._plan
        self.pretrain = self._directives("pretrain", [plan.model], model="id")
        self.import_model = self._directives("import_model", [plan.model], model="id")
        self.zero_shot = self._directives("zero_shot", plan.zero_shots, zero_shot="id")
        self.adopt_checkpoint = self._directives(
            "adopt_checkpoint", plan.checkpoints, checkpoint="id"
        )
        self.finetune = self._directives("finetune", plan.runs, run="id")
        self.finetune_with_averages = self._directives(
            "finetune_with_averages", plan.runs, run="id"
        )
        self.soup = self._directives("soup", plan.soups, soup="id")
        self.merge = self._directives("merge", plan.soups, soup="id")
        self.evaluate = self._directives(
            "evaluate", plan.evaluations, EvaluateDirectives, evaluation="id"
        )
        self.sweep = self._directives(
            "sweep", plan.evaluations, EvaluateDirectives, evaluation="id"
        )

    def _add_study_rules(self) -> None:
        self.overlap = self._study_directives("overlap", study="study")
        self.compare = self._study_directives("compare")
        self.geometry = self._study_directives("geometry", study="study")
        self.main_table = self._study_directives("main_table", study="study")
        self.summary = self._study_directives("summary", name="study")
        self.mixes = self._study_directives("mixes", study="study", analysis="entry")
        self.analysis = self._study_directives(
            "analysis", study="study", analysis="entry"
        )
        self.figure = self._study_directives("figure", study="study", figure="entry")
        self.samples = self._study_directives("samples", study="study")
        self.page = self._study_directives("page", study="study", analysis="entry")
        self.overview = self._study_directives("overview", study="study")
        self.explore = self._study_directives("explore", study="study")
        self.exports = [self._export_directives(form) for form in formats.names()]

    def _study_directives(
        self,
        rule: str,
        **wildcards: str,
    ) -> Directives:
        """Make the directives of a rule whose jobs belong to a study."""
        return self._directives(rule, self._jobs_of(rule), **wildcards)

    def _export_directives(self, form: str) -> ExportDirectives:
        """Make the directives of the rule that exports in one format."""
        rule = export_rule(form)
        file_names = exported_files(self._plan, form)
        return ExportDirectives(
            rule,
            self._jobs_of(rule),
            self._plan,
            self._machine,
            file_names,
        )

    def _jobs_of(self, rule: str) -> list[Job]:
        return [job for job in self._plan.study_jobs if job.rule == rule]
