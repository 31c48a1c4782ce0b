"""Jobs of one study: its tables, analyses, figures, pages and exports."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .. import analyses
from ..runtime.code_digest import code_digest
from ..runtime.digest import plain
from .jobs import (
    Inputs,
    Job,
    classifier_files,
    dataset_files,
    evaluation_file,
    plugin_file,
    recipe_file,
    study_file,
)
from .resources import Machine, Needs, evaluating

if TYPE_CHECKING:
    from .plan import Plan

MEASURED = (
    "held-out",
    "corrupted",
    "reference",
    "shift",
)  # parts of the data in the tables


@dataclass(frozen=True)
class StudyPlan:
    """The study of one seed: which jobs are its own.

    Attributes:
        id: Of the study, "<name>/seed<seed>".
        evaluations: Ids of its evaluations and sweeps.
        roles: (data set, the part that it plays), in the order of the tables.
        training: Ids of the sets that some run trains on.
        held_out: Ids of the held-out sets of the study and its tasks.
        tests: Ids of the reference and the shifts.
        sets: Part of the data -> ids of the data sets.
        start: Id of the model that runs start from.
        first: Id of the zero-shot model; another than ``start`` where a probe comes first.
        runs: End-to-end run -> its id.
        soups: Soup -> its id.
        exportable: Model -> its id, of all that may be exported.
        models: Name -> what analyses and pages may know of a model (see model_descriptions).
    """

    id: str
    evaluations: tuple[str, ...]
    roles: tuple[tuple[str, str], ...]
    training: tuple[str, ...]
    held_out: tuple[str, ...]
    tests: tuple[str, ...]
    sets: dict[str, tuple[str, ...]]
    start: str
    first: str
    runs: dict[str, str]
    soups: dict[str, str]
    exportable: dict[str, str]
    models: dict[str, dict]

    def data_sets(self, *parts: str) -> list[str]:
        """Ids of the data sets that play these parts."""
        return [id for part in parts for id in self.sets[part]]

    def evaluation_files(self) -> list[str]:
        """What all its evaluations found."""
        return [evaluation_file(id) for id in self.evaluations]

    def recipe_files(self, plan: "Plan") -> dict[str, str]:
        """Soup -> its recipe, of those that have one."""
        return {
            name: recipe_file(id)
            for name, id in self.soups.items()
            if plan.is_recipe(id)
        }


@dataclass(frozen=True, kw_only=True)
class StudyJob(Job):
    """A job of one study.

    Attributes:
        study: Id of the study; of a summary of all seeds the name.
        entry: The config's name of the analysis, figure or export; "" where there is one a study.
    """

    study: str
    entry: str = ""

    @property
    def name(self) -> str:
        return f"{self.entry} of {self.study}" if self.entry else self.study

    def file(self, *parts: str) -> str:
        """A file of the study's folder."""
        return study_file(self.study, *parts)


@dataclass(frozen=True, kw_only=True)
class OverlapJob(StudyJob):
    """Which images training, held-out and test sets share."""

    script: ClassVar[str] = "overlap.py"

    def inputs(self, plan: "Plan") -> Inputs:
        study = plan.studies[self.study]
        return {
            **dataset_files(study.training, "training_"),
            **dataset_files(study.held_out, "held_out_"),
            **dataset_files(study.tests, "tests_"),
        }


@dataclass(frozen=True, kw_only=True)
class CompareJob(StudyJob):
    """Says, of all studies, that no sets share images that must not be shared."""

    @property
    def rule(self) -> str:
        return "compare"

    def inputs(self, plan: "Plan") -> Inputs:
        return {
            "overlaps": [study_file(study, "overlap.csv") for study in plan.studies]
        }


@dataclass(frozen=True, kw_only=True)
class GeometryJob(StudyJob):
    """Lengths and angles of the updates of the end-to-end runs."""

    script: ClassVar[str] = "geometry.py"

    def inputs(self, plan: "Plan") -> Inputs:
        study = plan.studies[self.study]
        return classifier_files([study.start, *study.runs.values()])


@dataclass(frozen=True, kw_only=True)
class MainTableJob(StudyJob):
    """The tables of a study that figures and people read."""

    script: ClassVar[str] = "main_table.py"

    def parameters(self, plan: "Plan") -> dict:
        study = plan.studies[self.study]
        return plain(
            {
                "roles": study.roles,
                "cloud": plan.cloud,
                "class_notes": plan.class_notes,
                "held_out_note": plan.held_out_note,
                "trained_in_bf16": [
                    name
                    for name, model in study.models.items()
                    if model["settings"].get("precision") == "bf16"
                ],
                **({"kept": kept} if (kept := self._kept(plan)) else {}),
                **plan.config["statistics"],
            }
        )

    def _kept(self, plan: "Plan") -> list[list[str]]:
        """Name, rule, id and present code of what the tables follow from and the config keeps."""
        study = plan.studies[self.study]
        sets = study.data_sets("train", *MEASURED)
        behind = {*study.exportable.values(), *study.evaluations, *sets}
        jobs = [job for job in plan.jobs() if job.id in behind and job.is_kept(plan)]
        return [
            [job.name, job.rule, job.id, code_digest(*job.code(plan))] for job in jobs
        ]

    def inputs(self, plan: "Plan") -> Inputs:
        study = plan.studies[self.study]
        return {
            **({"cloud": plan.cloud["path"]} if plan.cloud else {}),
            **dataset_files(study.data_sets(*MEASURED)),
            "evaluations": study.evaluation_files(),
            "overlap": self.file("overlap.csv"),
        }


@dataclass(frozen=True, kw_only=True)
class SummaryJob(StudyJob):
    """The seeds of a study side by side."""

    script: ClassVar[str] = "summary.py"

    def inputs(self, plan: "Plan") -> Inputs:
        return {
            "findings": [study_file(study, "findings.csv") for study in plan.studies],
            "main_tables": [
                study_file(study, "main_table.md") for study in plan.studies
            ],
        }


@dataclass(frozen=True, kw_only=True)
class OfAnalysis(StudyJob):
    """What an entry of the analyses asks for.

    Attributes:
        analysis: The analysis; an entry of another name says it by its key ``analysis``.
        options: All of its options.
    """

    analysis: str
    options: dict

    def code(self, plan: "Plan") -> tuple[str, ...]:
        return (self.script, plugin_file("analyses", self.analysis))


@dataclass(frozen=True, kw_only=True)
class MixesJob(OfAnalysis):
    """Mixes of runs that one analysis looks at.

    Attributes:
        runs: Ids of the runs that are mixed.
    """

    runs: tuple[str, ...]
    script: ClassVar[str] = "mixes.py"

    @property
    def parts(self) -> list[str]:
        """Parts of the data that the mixes are found or evaluated on."""
        return ["held-out", *analyses.evaluates(self.analysis)]

    def parameters(self, plan: "Plan") -> dict:
        return plain(
            {
                "analysis": self.analysis,
                "options": self.options,
                **plan.prediction_settings(),
                "store_logits": "logits" in analyses.needs(self.analysis),
            }
        )

    def inputs(self, plan: "Plan") -> Inputs:
        study = plan.studies[self.study]
        inputs = {}
        for part in self.parts:
            inputs |= dataset_files(study.data_sets(part), f"{part.replace('-', '_')}_")
        inputs |= classifier_files([study.start, *self.runs])
        shared = plan.evaluations_of(study.runs.values())
        return {**inputs, "shared": [evaluation_file(id) for id in shared]}

    def needs(self, plan: "Plan", machine: Machine, threads: int) -> Needs:
        # Analyses look at some dozens of mixes, of pairs and triples at the most.
        recipes = 30 * (len(self.runs) + 1)
        images = plan.images_of(plan.studies[self.study].data_sets(*self.parts))
        return evaluating(plan.size, recipes, images, machine.threads, machine.gpu)


@dataclass(frozen=True, kw_only=True)
class AnalysisJob(OfAnalysis):
    """A table from stored predictions."""

    script: ClassVar[str] = "analysis.py"

    def parameters(self, plan: "Plan") -> dict:
        study = plan.studies[self.study]
        return plain(
            {
                "analysis": self.analysis,
                "options": self.options,
                "models": study.models,
                "soups": study.soups,
                "confidence": plan.config["statistics"]["confidence"],
            }
        )

    def inputs(self, plan: "Plan") -> Inputs:
        study = plan.studies[self.study]
        return {
            **self._evidence(plan),
            "measurements": self.file("measurements.csv"),
            "evaluations": study.evaluation_files(),
            "cards": dataset_files(study.data_sets(*MEASURED))["data"],
        }

    def _evidence(self, plan: "Plan") -> Inputs:
        """What it reads beside tables and predictions."""
        needs, inputs = analyses.needs(self.analysis), {}
        if analyses.evaluates(self.analysis):
            inputs["mixes"] = self.file("mixes", f"{self.entry}.json")
        if "geometry" in needs:
            inputs["geometry"] = self.file("geometry.csv")
        if "recipes" in needs:
            inputs["recipes"] = list(
                plan.studies[self.study].recipe_files(plan).values()
            )
        return inputs

    def needs(self, plan: "Plan", machine: Machine, threads: int) -> Needs:
        return Needs(8000, 60)


@dataclass(frozen=True, kw_only=True)
class FigureJob(StudyJob):
    """A figure.

    Attributes:
        figure: Module of the figure.
        analysis: Entry of the analyses that it draws; "" where it draws the main tables.
        options: All of its options.
        caption: How to read it.
    """

    figure: str
    analysis: str
    options: dict
    caption: str
    script: ClassVar[str] = "figure.py"
    unshown: ClassVar[bool] = True

    def parameters(self, plan: "Plan") -> dict:
        return plain(
            {"figure": self.figure, "options": self.options, "caption": self.caption}
        )

    def inputs(self, plan: "Plan") -> Inputs:
        if self.analysis:
            return {
                "table": self.file("analyses", f"{self.analysis}.csv"),
                "measurements": self.file("measurements.csv"),
            }
        tables = {"measurements": "measurements", "fits": "fits", "rho": "robustness"}
        return {name: self.file(f"{table}.csv") for name, table in tables.items()}

    def code(self, plan: "Plan") -> tuple[str, ...]:
        return (self.script, plugin_file("figures", self.figure))


@dataclass(frozen=True, kw_only=True)
class SamplesJob(StudyJob):
    """What the data sets look like."""

    script: ClassVar[str] = "samples.py"
    unshown: ClassVar[bool] = True

    def parameters(self, plan: "Plan") -> dict:
        # A model without a text side has no prompts, and so no texts.
        first = plan.zero_shots[plan.studies[self.study].first]
        return {"columns": 12, "texts": first.spec.get("texts", {})}

    def inputs(self, plan: "Plan") -> Inputs:
        return dataset_files(plan.studies[self.study].tests)


@dataclass(frozen=True, kw_only=True)
class PageJob(StudyJob):
    """A page: texts under their heads, and figures with their captions.

    Attributes:
        title: Of the page.
        heads: What stands above each text.
        texts: Markdown files, below the study's folder.
        figures: Names of the figures.
    """

    title: str
    heads: tuple[str, ...]
    texts: tuple[str, ...]
    figures: tuple[str, ...]
    script: ClassVar[str] = "page.py"
    unshown: ClassVar[bool] = True

    def parameters(self, plan: "Plan") -> dict:
        captions = [plan.figures[self.study, name].caption for name in self.figures]
        return {"title": self.title, "captions": captions, "heads": list(self.heads)}

    def inputs(self, plan: "Plan") -> Inputs:
        return {
            "texts": [self.file(text) for text in self.texts],
            "figures": [self.file("figures", f"{name}.png") for name in self.figures],
        }


@dataclass(frozen=True, kw_only=True)
class OverviewJob(PageJob):
    """The page to read first."""

    @property
    def rule(self) -> str:
        return "overview"


@dataclass(frozen=True, kw_only=True)
class ExploreJob(StudyJob):
    """The interactive scatter of a study."""

    script: ClassVar[str] = "explore.py"
    unshown: ClassVar[bool] = True

    def parameters(self, plan: "Plan") -> dict:
        study = plan.studies[self.study]
        axis = plan.config["statistics"]["axis"]
        return plain({"models": study.models, "soups": study.soups, "axis": axis})

    def inputs(self, plan: "Plan") -> Inputs:
        tables = ("measurements", "fits", "robustness")
        recipes = plan.studies[self.study].recipe_files(plan).values()
        return {name: self.file(f"{name}.csv") for name in tables} | {
            "recipes": list(recipes)
        }


def export_rule(form: str) -> str:
    """Name of the rule that exports in a format; formats have other files, so each has a rule."""
    return f"export_{form.replace('-', '_')}"


@dataclass(frozen=True, kw_only=True)
class ExportJob(StudyJob):
    """A model written for use elsewhere.

    Attributes:
        spec: The entry of the config with its name and alpha.
        model: Id of the model.
    """

    spec: dict
    model: str
    script: ClassVar[str] = "export.py"

    @property
    def rule(self) -> str:
        return export_rule(self.spec["format"])

    def parameters(self, plan: "Plan") -> dict:
        return self.spec

    def follows(self) -> dict[str, tuple[str, ...]]:
        return {"model": (self.model,)}

    def inputs(self, plan: "Plan") -> Inputs:
        # The zero-shot model and all that the exported one is made of, itself the last.
        classifiers = [plan.studies[self.study].start, *plan.classifiers_of(self.model)]
        clip = {f"clip_{name}": file for name, file in plan.model.outputs().items()}
        recipes = [recipe_file(self.model)] if plan.is_recipe(self.model) else []
        return {
            **classifier_files(dict.fromkeys(classifiers)),
            **clip,
            "recipe": recipes,
        }

    def code(self, plan: "Plan") -> tuple[str, ...]:
        return (self.script, plugin_file("models/formats", self.spec["format"]))
