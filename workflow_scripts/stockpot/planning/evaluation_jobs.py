"""Jobs that evaluate models, by themselves or along sweeps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .jobs import (
    COMPARED,
    Inputs,
    Job,
    Parents,
    Present,
    Spec,
    classifier_files,
    dataset_files,
    evaluation_file,
    recipe_file,
)
from .resources import Machine, Needs, evaluating

if TYPE_CHECKING:
    from .plan import Plan


@dataclass(frozen=True)
class EvaluationJob(Job):
    """Some models evaluated on all test sets; with a start, the sweep from there to each of them.

    Attributes:
        spec: ``members``, the models with name, kind and id ("end"); the ``alphas`` of a sweep; how
            predictions are made.
        tests: Ids of the data sets.
        sweep_start: Id of the zero-shot model that sweeps begin from; empty if there is no sweep.
    """

    spec: Spec
    tests: tuple[str, ...]
    sweep_start: tuple[str, ...]
    script: ClassVar[str] = "evaluate.py"

    @property
    def rule(self) -> str:
        """Name of the rule that runs the job.

        Returns:
            That of sweeps, or that of models by themselves; both have the same script.
        """
        return "sweep" if self.sweep_start else "evaluate"

    @property
    def models(self) -> list[str]:
        """The models that are evaluated, or that a sweep ends at.

        Returns:
            Ids of the models.
        """
        return [member["end"] for member in self.spec["members"]]

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The spec.
        """
        return self.spec

    def follows(self) -> Parents:
        """The models and the data sets; see ``Job.follows``.

        Returns:
            Role -> ids.
        """
        return {
            "models": tuple(self.models),
            "start": self.sweep_start,
            "tests": self.tests,
        }

    def classifiers(self, plan: "Plan") -> list[str]:
        """The classifiers that its recipes may name.

        Args:
            plan: The plan that the job is of.

        Returns:
            Ids, each once: the start, then those of every model.
        """
        # A sweep reads both of its end models, or the ingredients of one.
        ids = list(self.sweep_start)
        for model in self.models:
            ids += plan.classifiers_of(model)
        return list(dict.fromkeys(ids))

    def shared(self, plan: "Plan") -> list[str]:
        """The evaluations that predict cells of this one: of end models, of ingredients.

        Args:
            plan: The plan that the job is of.

        Returns:
            Ids of the evaluations. The job waits for them, so that nothing is predicted twice.
        """
        # The end models of a sweep are evaluated by themselves, before it.
        if self.sweep_start:
            return plan.evaluations_of([*self.sweep_start, *self.models])
        ingredients = []
        for classifier in self.classifiers(plan):
            if classifier not in self.models:
                ingredients.append(classifier)
        return plan.evaluations_of(ingredients)

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of data sets, classifiers and recipes; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        recipes = [recipe_file(model) for model in self.models if plan.is_recipe(model)]
        return {
            **dataset_files(self.tests),
            **classifier_files(self.classifiers(plan)),
            "recipes": recipes,
            "shared": [evaluation_file(evaluation) for evaluation in self.shared(plan)],
            "compared": [Present(COMPARED)],
        }

    def needs(
        self,
        plan: "Plan",
        machine: Machine,
        threads: int,
    ) -> Needs:
        """Memory and time for all models on all images; see ``Job.needs``.

        Returns:
            Megabytes and minutes.
        """
        # A sweep evaluates a model at each of its alphas.
        models_per_member = max(len(self.spec["alphas"]), 1)
        return evaluating(
            plan.size,
            recipes=len(self.models) * models_per_member,
            images=plan.images_of(self.tests),
            threads=machine.threads,
            gpus=machine.single_gpu,
        )
