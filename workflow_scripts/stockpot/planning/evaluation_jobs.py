"""Jobs that evaluate models, by themselves or along sweeps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .jobs import (
    COMPARED,
    Inputs,
    Job,
    Present,
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
        start: Id of the zero-shot model that sweeps begin from, if these are sweeps.
    """

    spec: dict
    tests: tuple[str, ...]
    start: tuple[str, ...]
    script: ClassVar[str] = "evaluate.py"

    @property
    def rule(self) -> str:
        return "sweep" if self.start else "evaluate"

    @property
    def models(self) -> list[str]:
        """Ids of the models that are evaluated, or that a sweep ends at."""
        return [member["end"] for member in self.spec["members"]]

    def parameters(self, plan: "Plan") -> dict:
        return self.spec

    def follows(self) -> dict[str, tuple[str, ...]]:
        return {"models": tuple(self.models), "start": self.start, "tests": self.tests}

    def classifiers(self, plan: "Plan") -> list[str]:
        """Ids of all classifiers that its recipes may name."""
        ids = list(self.start)
        for model in self.models:
            ids += plan.classifiers_of(model)
        return list(dict.fromkeys(ids))

    def shared(self, plan: "Plan") -> list[str]:
        """Evaluations that have cells of this one: of a sweep's ends, of a soup's ingredients."""
        if self.start:
            return plan.evaluations_of([*self.start, *self.models])
        others = [id for id in self.classifiers(plan) if id not in self.models]
        return plan.evaluations_of(others)

    def inputs(self, plan: "Plan") -> Inputs:
        return {
            **dataset_files(self.tests),
            **classifier_files(self.classifiers(plan)),
            "recipes": [recipe_file(id) for id in self.models if plan.is_recipe(id)],
            "shared": [evaluation_file(id) for id in self.shared(plan)],
            "compared": [Present(COMPARED)],
        }

    def needs(self, plan: "Plan", machine: Machine, threads: int) -> Needs:
        recipes = len(self.models) * max(len(self.spec["alphas"]), 1)
        images = plan.images_of(self.tests)
        return evaluating(plan.size, recipes, images, machine.threads, machine.gpu)
