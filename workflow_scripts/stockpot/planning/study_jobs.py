"""Jobs of one study: its tables, analyses, figures, pages and exports."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from .. import analyses
from ..runtime.code_digest import code_digest
from ..runtime.digest import plain
from .jobs import (
    Inputs,
    Job,
    Parents,
    Spec,
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

# Roles of the data sets in the tables.
MEASURED = ("held-out", "corrupted", "reference", "shift")
SAMPLE_COLUMNS = 12  # images of each data set in the figure of samples
# Analyses look at some dozens of mixes for each run: pairs, and triples at the most.
MIXES_PER_RUN = 30
ANALYSIS_NEEDS = Needs(mb=8000, minutes=60)


@dataclass(frozen=True)
class StudyPlan:
    """The study of one seed: which jobs are its own.

    Attributes:
        id: Of the study, "<name>/seed<seed>".
        evaluations: Ids of its evaluations and sweeps.
        roles: (data set, the role that it has), in the order of the tables.
        training: Ids of the sets that some run trains on.
        held_out: Ids of the held-out sets of the study and its tasks.
        tests: Ids of the reference and the shifts.
        sets: Role -> ids of the data sets.
        initial: Id of the model that runs start from.
        zero_shot: Id of the zero-shot model; another than ``initial`` where a probe comes first.
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
    initial: str
    zero_shot: str
    runs: dict[str, str]
    soups: dict[str, str]
    exportable: dict[str, str]
    models: dict[str, dict[str, Any]]

    def data_sets(self, *roles: str) -> list[str]:
        """List the data sets that have some roles.

        Args:
            roles: "train", or those of the tables.

        Returns:
            Ids of the data sets, in the order of the roles.
        """
        ids: list[str] = []
        for role in roles:
            ids += self.sets[role]
        return ids

    def evaluation_files(self) -> list[str]:
        """Name the files of all its evaluations.

        Returns:
            Paths below the placeholder of the results.
        """
        return [evaluation_file(evaluation) for evaluation in self.evaluations]

    def recipe_files(self, plan: "Plan") -> dict[str, str]:
        """Name the recipes of its soups.

        Args:
            plan: The plan that the study is of.

        Returns:
            Soup -> its recipe, of those that have one.
        """
        files = {}
        for name, soup in self.soups.items():
            if plan.is_recipe(soup):
                files[name] = recipe_file(soup)
        return files


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
        """What the config calls the artefact.

        Returns:
            The entry with its study, or the study where there is no entry.
        """
        return f"{self.entry} of {self.study}" if self.entry else self.study

    def file(self, *parts: str) -> str:
        """Name a file of the study's folder.

        Args:
            parts: Folders below that of the study, then the name of the file.

        Returns:
            Path below the placeholder of the results.
        """
        return study_file(self.study, *parts)

    def study_plan(self, plan: "Plan") -> StudyPlan:
        """Look up the study that the job is of.

        Args:
            plan: The plan that the job is of.

        Returns:
            The study of one seed.
        """
        return plan.studies[self.study]


@dataclass(frozen=True, kw_only=True)
class OverlapJob(StudyJob):
    """Which images training, held-out and test sets share."""

    script: ClassVar[str] = "overlap.py"

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of the data sets; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        study = self.study_plan(plan)
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
        """Name of the rule that runs the job.

        Returns:
            One without a script.
        """
        return "compare"

    def inputs(self, plan: "Plan") -> Inputs:
        """What images the sets of each study share; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        overlaps = [study_file(study, "overlap.csv") for study in plan.studies]
        return {"overlaps": overlaps}


@dataclass(frozen=True, kw_only=True)
class GeometryJob(StudyJob):
    """Lengths and angles of the updates of the end-to-end runs."""

    script: ClassVar[str] = "geometry.py"

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of the initial weights and of the runs; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        study = self.study_plan(plan)
        # An update is what a run changed of the initial weights.
        return classifier_files([study.initial, *study.runs.values()])


@dataclass(frozen=True, kw_only=True)
class MainTableJob(StudyJob):
    """The tables of a study that figures and people read."""

    script: ClassVar[str] = "main_table.py"

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            Roles, published models, notes and the options of the statistics.
        """
        trained_in_bf16 = []
        for name, model in self.study_plan(plan).models.items():
            # Tables say which runs were trained in bfloat16, at a lower precision.
            if model["settings"].get("precision") == "bf16":
                trained_in_bf16.append(name)
        parameters = {
            "roles": self.study_plan(plan).roles,
            "published_models": plan.published_models,
            "class_notes": plan.class_notes,
            "held_out_note": plan.held_out_note,
            "trained_in_bf16": trained_in_bf16,
        }
        kept = self._kept_jobs(plan)
        if kept:
            # Without the key where nothing is kept, which is the rule.
            parameters["kept"] = kept
        return plain({**parameters, **plan.config["statistics"]})

    def _kept_jobs(self, plan: "Plan") -> list[list[str]]:
        """Name, rule, id and present code of what the tables follow from and the config keeps."""
        study = self.study_plan(plan)
        ids = {
            *study.exportable.values(),
            *study.evaluations,
            *study.data_sets("train", *MEASURED),
        }
        kept = []
        for job in plan.jobs():
            # Readers of the tables are told that other code made these artefacts.
            if job.id in ids and job.is_kept(plan):
                present_code = code_digest(*job.code(plan))
                kept.append([job.name, job.rule, job.id, present_code])
        return kept

    def inputs(self, plan: "Plan") -> Inputs:
        """The evaluations, and what is known of data sets and published models.

        Returns:
            Name of an input -> its files; see ``Job.inputs``.
        """
        study = self.study_plan(plan)
        inputs: Inputs = {}
        if plan.published_models:
            inputs["published_models"] = plan.published_models["path"]
        inputs |= dataset_files(study.data_sets(*MEASURED))
        inputs["evaluations"] = study.evaluation_files()
        inputs["overlap"] = self.file("overlap.csv")
        return inputs


@dataclass(frozen=True, kw_only=True)
class SummaryJob(StudyJob):
    """The seeds of a study side by side."""

    script: ClassVar[str] = "summary.py"

    def inputs(self, plan: "Plan") -> Inputs:
        """The tables of all seeds; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        findings = [study_file(study, "findings.csv") for study in plan.studies]
        main_tables = [study_file(study, "main_table.md") for study in plan.studies]
        return {"findings": findings, "main_tables": main_tables}


@dataclass(frozen=True, kw_only=True)
class AnalysisEntryJob(StudyJob):
    """What an entry of the analyses asks for.

    Attributes:
        analysis: The analysis; an entry of another name says it by its key ``analysis``.
        options: All of its options.
    """

    analysis: str
    options: dict[str, Any]

    def code(self, plan: "Plan") -> tuple[str, ...]:
        """The script and the analysis; see ``Job.code``.

        Returns:
            Files below workflow_scripts/.
        """
        return (self.script, plugin_file("analyses", self.analysis))


@dataclass(frozen=True, kw_only=True)
class MixesJob(AnalysisEntryJob):
    """Mixes of runs that one analysis looks at.

    Attributes:
        runs: Ids of the runs that are mixed.
    """

    runs: tuple[str, ...]
    script: ClassVar[str] = "mixes.py"

    @property
    def roles(self) -> list[str]:
        """The roles of the data sets that the mixes are found or evaluated on.

        Returns:
            The held-out set's, then those that the analysis declares.
        """
        return ["held-out", *analyses.evaluates(self.analysis)]

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The analysis, its options, and how predictions are made.
        """
        return plain(
            {
                "analysis": self.analysis,
                "options": self.options,
                **plan.prediction_settings(),
                "store_logits": "logits" in analyses.needs(self.analysis),
            }
        )

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of data sets, models and evaluations; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        study = self.study_plan(plan)
        inputs: Inputs = {}
        for role in self.roles:
            # Snakemake takes names of inputs for names in Python, which have no hyphens.
            prefix = f"{role.replace('-', '_')}_"
            inputs |= dataset_files(study.data_sets(role), prefix)
        inputs |= classifier_files([study.initial, *self.runs])
        # Cells of the runs themselves are predicted by their evaluations.
        shared = plan.evaluations_of(study.runs.values())
        inputs["shared"] = [evaluation_file(evaluation) for evaluation in shared]
        return inputs

    def needs(
        self,
        plan: "Plan",
        machine: Machine,
        threads: int,
    ) -> Needs:
        """Memory and time for all mixes on all images; see ``Job.needs``.

        Returns:
            Megabytes and minutes.
        """
        datasets = self.study_plan(plan).data_sets(*self.roles)
        return evaluating(
            plan.size,
            recipes=MIXES_PER_RUN * (len(self.runs) + 1),
            images=plan.images_of(datasets),
            threads=machine.threads,
            gpus=machine.single_gpu,
        )


@dataclass(frozen=True, kw_only=True)
class AnalysisJob(AnalysisEntryJob):
    """A table from stored predictions."""

    script: ClassVar[str] = "analysis.py"

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The analysis, its options, and what is known of the models.
        """
        study = self.study_plan(plan)
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
        """The main tables, the evaluations, and what the analysis declares; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        study = self.study_plan(plan)
        measured = dataset_files(study.data_sets(*MEASURED))
        return {
            **self._declared_inputs(study, plan),
            "measurements": self.file("measurements.csv"),
            "evaluations": study.evaluation_files(),
            "cards": measured["data"],
        }

    def _declared_inputs(
        self,
        study: StudyPlan,
        plan: "Plan",
    ) -> Inputs:
        """What the analysis declares to read beside tables and predictions."""
        inputs: Inputs = {}
        # An analysis says in its declaration what it reads.
        needs = analyses.needs(self.analysis)
        if analyses.evaluates(self.analysis):
            inputs["mixes"] = self.file("mixes", f"{self.entry}.json")
        if "geometry" in needs:
            inputs["geometry"] = self.file("geometry.csv")
        if "recipes" in needs:
            inputs["recipes"] = list(study.recipe_files(plan).values())
        return inputs

    def needs(
        self,
        plan: "Plan",
        machine: Machine,
        threads: int,
    ) -> Needs:
        """Memory and time, the same for all analyses; see ``Job.needs``.

        Returns:
            Megabytes and minutes.
        """
        return ANALYSIS_NEEDS


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
    options: dict[str, Any]
    caption: str
    script: ClassVar[str] = "figure.py"
    unshown: ClassVar[bool] = True

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The figure, its options and its caption.
        """
        return plain(
            {
                "figure": self.figure,
                "options": self.options,
                "caption": self.caption,
            }
        )

    def inputs(self, plan: "Plan") -> Inputs:
        """The tables that it draws; see ``Job.inputs``.

        Returns:
            Name of an input -> its file.
        """
        measurements = self.file("measurements.csv")
        # Figures of an analysis draw its table, all others the main tables.
        if self.analysis:
            return {
                "table": self.file("analyses", f"{self.analysis}.csv"),
                "measurements": measurements,
            }
        return {
            "measurements": measurements,
            "fits": self.file("fits.csv"),
            "robustness": self.file("robustness.csv"),
        }

    def code(self, plan: "Plan") -> tuple[str, ...]:
        """The script and the figure; see ``Job.code``.

        Returns:
            Files below workflow_scripts/.
        """
        return (self.script, plugin_file("figures", self.figure))


@dataclass(frozen=True, kw_only=True)
class SamplesJob(StudyJob):
    """What the data sets look like."""

    script: ClassVar[str] = "samples.py"
    unshown: ClassVar[bool] = True

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The number of columns, and texts of classes.
        """
        zero_shot = plan.zero_shots[self.study_plan(plan).zero_shot]
        # A model without a text side has no prompts, and so no texts.
        texts = zero_shot.spec.get("texts", {})
        return {"columns": SAMPLE_COLUMNS, "texts": texts}

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of the test sets; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        return dataset_files(self.study_plan(plan).tests)


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

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The title, what stands above the texts, and the captions of the figures.
        """
        # A caption is made once, with the figure.
        captions = [plan.figures[self.study, name].caption for name in self.figures]
        return {
            "title": self.title,
            "captions": captions,
            "heads": list(self.heads),
        }

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of texts and figures; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        return {
            "texts": [self.file(text) for text in self.texts],
            "figures": [self.file("figures", f"{name}.png") for name in self.figures],
        }


@dataclass(frozen=True, kw_only=True)
class OverviewJob(PageJob):
    """The page to read first."""

    @property
    def rule(self) -> str:
        """Name of the rule that runs the job.

        Returns:
            Another one than that of other pages, which has the same script.
        """
        return "overview"


@dataclass(frozen=True, kw_only=True)
class ExploreJob(StudyJob):
    """The interactive scatter of a study."""

    script: ClassVar[str] = "explore.py"
    unshown: ClassVar[bool] = True

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            What is known of the models, and the axis of accuracies.
        """
        study = self.study_plan(plan)
        return plain(
            {
                "models": study.models,
                "soups": study.soups,
                "axis": plan.config["statistics"]["axis"],
            }
        )

    def inputs(self, plan: "Plan") -> Inputs:
        """The main tables and the recipes; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        # The page shows what each soup is made of.
        recipes = self.study_plan(plan).recipe_files(plan)
        return {
            "measurements": self.file("measurements.csv"),
            "fits": self.file("fits.csv"),
            "robustness": self.file("robustness.csv"),
            "recipes": list(recipes.values()),
        }


def export_rule(form: str) -> str:
    """Name the rule that exports in a format; formats have other files, so each has a rule.

    Args:
        form: Name of the format.

    Returns:
        Name of the rule.
    """
    return f"export_{form.replace('-', '_')}"


@dataclass(frozen=True, kw_only=True)
class ExportJob(StudyJob):
    """A model written for use elsewhere.

    Attributes:
        spec: The entry of the config with its name and alpha.
        model: Id of the model.
    """

    spec: Spec
    model: str
    script: ClassVar[str] = "export.py"

    @property
    def rule(self) -> str:
        """Name of the rule that runs the job.

        Returns:
            That of its format.
        """
        return export_rule(self.spec["format"])

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The spec.
        """
        return self.spec

    def follows(self) -> Parents:
        """The model; see ``Job.follows``.

        Returns:
            Role -> ids.
        """
        return {"model": (self.model,)}

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of all that the model is made of; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        # The zero-shot model and all that the exported one is made of, itself the last.
        initial = self.study_plan(plan).initial
        classifiers = dict.fromkeys([initial, *plan.classifiers_of(self.model)])
        inputs = classifier_files(classifiers)
        # Formats that hold a whole model take its text side from the pretrained one.
        for name, file in plan.model.outputs().items():
            inputs[f"clip_{name}"] = file
        inputs["recipe"] = []
        if plan.is_recipe(self.model):
            inputs["recipe"] = [recipe_file(self.model)]
        return inputs

    def code(self, plan: "Plan") -> tuple[str, ...]:
        """The script and the format; see ``Job.code``.

        Returns:
            Files below workflow_scripts/.
        """
        return (self.script, plugin_file("models/formats", self.spec["format"]))
