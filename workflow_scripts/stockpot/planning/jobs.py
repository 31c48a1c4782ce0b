"""What every job of a plan has, and the names of the files that jobs read and write.

A job is a frozen dataclass: what one call of a script makes, and all that it follows from. Paths
begin with ``<results>``, which Snakemake replaces by the folder of the results.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, ClassVar

from ..runtime.digest import short
from .resources import Machine, Needs

if TYPE_CHECKING:
    from .plan import Plan

Inputs = dict[str, str | list[str]]
# Says that no two data sets share images that must not be shared.
COMPARED = "<results>/compared"


class Present(str):
    """A file that has to be there, while its date and content do not count."""

    __slots__ = ()


@dataclass(frozen=True)
class Job:
    """A job of the plan.

    To compare two plans: jobs of one ``rule`` and ``name`` are the same job, and they make the same
    artefact if their ``id`` is the same too. What differs is in ``parameters``, ``follows`` or
    ``code``.

    Attributes:
        id: Of the artefact: a readable name and 8 hex digits of all that it follows from, or, for
            what belongs to a study, the study's id and a name.
        script: File of the script, below workflow_scripts/.
        unshown: Are the parameters kept out of Snakemake's report, as class names are in them?
    """

    id: str
    script: ClassVar[str] = ""
    unshown: ClassVar[bool] = False

    @property
    def rule(self) -> str:
        """Name of the rule that runs the job; that of its script unless a kind says otherwise."""
        return self.script.removesuffix(".py")

    @property
    def name(self) -> str:
        """What the config calls it."""
        return self.id.rpartition("-")[0]

    def parameters(self, plan: "Plan") -> dict:
        """What its script is told, as plain data."""
        return {}

    def follows(self) -> dict[str, tuple[str, ...]]:
        """Role -> ids of the jobs of this plan that the artefact is made from."""
        return {}

    def inputs(self, plan: "Plan") -> Inputs:
        """Name -> the files that it reads."""
        return {}

    def code(self, plan: "Plan") -> tuple[str, ...]:
        """Files below workflow_scripts/ whose code, with what they import, makes the artefact."""
        return (self.script,)

    def is_kept(self, plan: "Plan") -> bool:
        """Is what other code made taken as it is? The config names such stages."""
        stages = {self.rule, self.script.removesuffix(".py")}
        return not stages.isdisjoint(plan.config["keep"])

    def threads(self, plan: "Plan", machine: Machine) -> int:
        """Processor cores that it can use."""
        return machine.threads

    def gpus(self, plan: "Plan", machine: Machine) -> int:
        """GPUs that it can use."""
        return machine.gpu

    def needs(self, plan: "Plan", machine: Machine, threads: int) -> Needs:
        """Memory and time of the first attempt.

        Args:
            plan: The plan that the job is of.
            machine: What jobs may use.
            threads: Cores that Snakemake gives to the job.
        """
        raise NotImplementedError(f"{self.rule} says no needs")


def artefact_id(name: str, follows_from) -> str:
    """A readable name and 8 hex digits of what the artefact follows from.

    Args:
        name: Of the artefact in the config.
        follows_from: Plain data.
    """
    return f"{name}-{short(follows_from)}"


def plugin_file(folder: str, name: str) -> str:
    """The module of a plug-in, below workflow_scripts/."""
    return f"stockpot/{folder}/{name.replace('-', '_')}.py"


def dataset_files(ids: Iterable[str], prefix: str = "") -> Inputs:
    """Data sets: their cards count by content, the arrays beside them only by being there."""
    ids = list(ids)
    return {
        f"{prefix}data": [f"<results>/datasets/{id}/dataset.json" for id in ids],
        f"{prefix}arrays": [
            Present(f"<results>/datasets/{id}/images.npy") for id in ids
        ],
    }


def classifier_files(ids: Iterable[str], prefix: str = "") -> Inputs:
    """Classifiers: their cards, which have the digests of the weights, count by content."""
    folders = [f"<results>/classifiers/{id}" for id in ids]
    return {
        f"{prefix}cards": [f"{folder}/classifier.json" for folder in folders],
        f"{prefix}weights": [
            Present(f"{folder}/classifier.safetensors") for folder in folders
        ],
    }


def recipe_file(id: str) -> str:
    """The recipe of a soup."""
    return f"<results>/recipes/{id}.json"


def evaluation_file(id: str) -> str:
    """The cells that an evaluation found."""
    return f"<results>/evaluations/{id}.json"


def study_file(study: str, *parts: str) -> str:
    """A file of a study's own folder."""
    return str(PurePosixPath("<results>/studies", study, *parts))
