"""The one object that rule files use."""

from pathlib import Path

from ..models import formats
from ..planning.known_places import remember
from ..planning.plan import Plan
from ..planning.resources import Machine
from ..planning.saved_plan import save
from ..planning.study_jobs import export_rule
from ..planning.targets import exported_files, targets
from ..runtime.errors import StockpotError
from .directives import (
    Directives,
    EvaluateDirectives,
    ExportDirectives,
    PrepareDirectives,
)
from .ending import cancel_jobs_left, failure_text, refuse, success_text
from .why import note_run


class RulePlan:
    """The plan as the rules see it: an attribute per rule, each with a function per directive.

    Attributes:
        threads: Cores of a job that computes with a model.
        gpu: GPUs of such a job, 0 or 1.
        results: Files that ``rule all`` asks for.
    """

    def __init__(
        self, workflow, plan: Plan, machine: Machine, file: Path, as_written: dict
    ):
        """
        Args:
            workflow: Snakemake's.
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
        self.gpu = machine.gpu
        self._add_data_rules()
        self._add_model_rules()
        self._add_study_rules()

    @property
    def results(self) -> list[str]:
        return targets(self._plan)

    def save(self) -> None:
        """Write the plan for the jobs that run on other nodes, and why each of them runs."""
        try:
            save(self._plan, self._file, self._as_written)
            note_run(self._plan, self._workflow.dag)
            remember(self._plan)
        except (StockpotError, OSError) as error:
            refuse(f"{self._file}: cannot be written ({error})")

    def finish(self) -> None:
        """Say what to read of a study that is finished."""
        print(success_text(self._plan))

    def fail(self, logs: list[str]) -> None:
        """Say what went wrong, and cancel the jobs that are left on a cluster.

        Args:
            logs: Files in which Snakemake wrote what it did.
        """
        print(failure_text(logs))
        if self._workflow.is_main_process and self._workflow.non_local_exec:
            cancel_jobs_left(logs)

    def _directives(
        self, rule: str, jobs, kind=Directives, **wildcards: str
    ) -> Directives:
        return kind(rule, jobs, self._plan, self._machine, **wildcards)

    def _add_data_rules(self) -> None:
        plan = self._plan
        self.fetch_dataset = self._directives(
            "fetch_dataset", plan.downloads, download="id"
        )
        self.prepare_dataset = self._directives(
            "prepare_dataset", plan.datasets, PrepareDirectives, dataset="id"
        )
        self.filter_dataset = self._directives(
            "filter_dataset", plan.datasets, dataset="id"
        )
        self.corrupt_dataset = self._directives(
            "corrupt_dataset", plan.datasets, dataset="id"
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
        self.overlap = self._of_study("overlap", study="study")
        self.compare = self._of_study("compare")
        self.geometry = self._of_study("geometry", study="study")
        self.main_table = self._of_study("main_table", study="study")
        self.summary = self._of_study("summary", name="study")
        self.mixes = self._of_study("mixes", study="study", analysis="entry")
        self.analysis = self._of_study("analysis", study="study", analysis="entry")
        self.figure = self._of_study("figure", study="study", figure="entry")
        self.samples = self._of_study("samples", study="study")
        self.page = self._of_study("page", study="study", analysis="entry")
        self.overview = self._of_study("overview", study="study")
        self.explore = self._of_study("explore", study="study")
        self.exports = [self._export(form) for form in formats.names()]

    def _export(self, form: str) -> ExportDirectives:
        """The rule of one format."""
        rule = export_rule(form)
        jobs = [job for job in self._plan.study_jobs if job.rule == rule]
        names = exported_files(self._plan, form)
        return ExportDirectives(rule, jobs, self._plan, self._machine, names)

    def _of_study(self, rule: str, **wildcards: str) -> Directives:
        jobs = [job for job in self._plan.study_jobs if job.rule == rule]
        return self._directives(rule, jobs, **wildcards)
