"""What every job of a plan has, and the names of the files that jobs read and write.

A job is a frozen dataclass: what one call of a script makes, and all that it follows from. Paths
begin with ``<results>``, which Snakemake replaces by the folder of the results.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from ..runtime.digest import short
from .resources import Machine, Needs

if TYPE_CHECKING:
    from .plan import Plan

# A config that was checked. Its schema is schemas/config.schema.yaml.
Config = dict[str, Any]
# What a script is told: plain data, which JSON can hold.
Spec = dict[str, Any]
# Path given in the config -> where the file is.
Locate = Callable[[str], Path]
# Name of an input -> the file or files that a job reads under it.
Inputs = dict[str, str | Sequence[str]]
# Role -> ids of the jobs that an artefact is made from.
Parents = dict[str, tuple[str, ...]]

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
        """Name of the rule that runs the job.

        Returns:
            The name of the script, unless a kind of job says otherwise. "" where no rule runs it.
        """
        return self.script.removesuffix(".py")

    @property
    def name(self) -> str:
        """What the config calls the artefact.

        Returns:
            The id without its digits.
        """
        return self.id.rpartition("-")[0]

    def parameters(self, plan: "Plan") -> Spec:
        """What the script of the job is told.

        Args:
            plan: The plan that the job is of.

        Returns:
            Plain data. Snakemake runs the job again where it changes.
        """
        return {}

    def follows(self) -> Parents:
        """The jobs of this plan that the artefact is made from.

        Returns:
            Role -> ids of these jobs.
        """
        return {}

    def inputs(self, plan: "Plan") -> Inputs:
        """The files that the job reads.

        Args:
            plan: The plan that the job is of.

        Returns:
            Name of an input -> its files.
        """
        return {}

    def code(self, plan: "Plan") -> tuple[str, ...]:
        """The code that makes the artefact.

        Args:
            plan: The plan that the job is of.

        Returns:
            Files below workflow_scripts/. What they import counts as well.
        """
        return (self.script,)

    def is_kept(self, plan: "Plan") -> bool:
        """Is the artefact taken as it is, even if other code made it?

        Args:
            plan: The plan that the job is of. Its config names the stages that are kept.

        Returns:
            True if the config keeps the rule of the job, or its script.
        """
        stages = {self.rule, self.script.removesuffix(".py")}
        return not stages.isdisjoint(plan.config["keep"])

    def threads(
        self,
        plan: "Plan",
        machine: Machine,
    ) -> int:
        """How many processor cores the job can use.

        Args:
            plan: The plan that the job is of.
            machine: What jobs may use.

        Returns:
            Number of cores.
        """
        return machine.threads

    def gpus(
        self,
        plan: "Plan",
        machine: Machine,
    ) -> int:
        """How many GPUs the job can use.

        Args:
            plan: The plan that the job is of.
            machine: What jobs may use.

        Returns:
            Number of GPUs.
        """
        return machine.single_gpu

    def needs(
        self,
        plan: "Plan",
        machine: Machine,
        threads: int,
    ) -> Needs:
        """Estimate memory and time of the first attempt.

        Args:
            plan: The plan that the job is of.
            machine: What jobs may use.
            threads: Cores that Snakemake gives to the job.

        Returns:
            Megabytes and minutes.

        Raises:
            NotImplementedError: Jobs of this kind run in a moment, and their rule asks for nothing.
        """
        raise NotImplementedError(f"{self.rule} says no needs")


def artefact_id(
    name: str,
    follows_from: object,
) -> str:
    """Name an artefact by all that it follows from.

    Args:
        name: Of the artefact in the config.
        follows_from: Plain data.

    Returns:
        The name, a hyphen and 8 hex digits: the beginning of a digest of the data.
    """
    return f"{name}-{short(follows_from)}"


def plugin_file(
    folder: str,
    name: str,
) -> str:
    """Name the module of a plug-in.

    Args:
        folder: Package of the plug-in, below stockpot/.
        name: Of the plug-in, as in the config.

    Returns:
        The file below workflow_scripts/.
    """
    return f"stockpot/{folder}/{name.replace('-', '_')}.py"


def dataset_files(
    ids: Iterable[str],
    prefix: str = "",
) -> Inputs:
    """Name the files of prepared data sets.

    Args:
        ids: Of the data sets.
        prefix: Begins the names of the inputs.

    Returns:
        ``data``, cards that count by content, and ``arrays``, which only have to be there: a card
        has the digest of the images beside it.
    """
    folders = [f"<results>/datasets/{dataset_id}" for dataset_id in ids]
    cards = [f"{folder}/dataset.json" for folder in folders]
    arrays = [Present(f"{folder}/images.npy") for folder in folders]
    return {
        f"{prefix}data": cards,
        f"{prefix}arrays": arrays,
    }


def classifier_files(
    ids: Iterable[str],
    prefix: str = "",
) -> Inputs:
    """Name the files of classifiers.

    Args:
        ids: Of the classifiers.
        prefix: Begins the names of the inputs.

    Returns:
        ``cards``, which count by content, and ``weights``, which only have to be there: a card has
        the digest of the weights beside it.
    """
    folders = [f"<results>/classifiers/{classifier_id}" for classifier_id in ids]
    cards = [f"{folder}/classifier.json" for folder in folders]
    weights = [Present(f"{folder}/classifier.safetensors") for folder in folders]
    return {
        f"{prefix}cards": cards,
        f"{prefix}weights": weights,
    }


def recipe_file(soup_id: str) -> str:
    """Name the recipe of a soup.

    Args:
        soup_id: Id of the soup.

    Returns:
        Path below the results.
    """
    return f"<results>/recipes/{soup_id}.json"


def evaluation_file(evaluation_id: str) -> str:
    """Name the file that lists the cells of an evaluation.

    Args:
        evaluation_id: Id of the evaluation.

    Returns:
        Path below the results.
    """
    return f"<results>/evaluations/{evaluation_id}.json"


def download_file(download_id: str) -> str:
    """Name the file that says that a download is complete.

    Args:
        download_id: Id of the download.

    Returns:
        Path below the results.
    """
    return f"<results>/downloads/{download_id}.json"


def study_file(study: str, *parts: str) -> str:
    """Name a file in the folder of a study.

    Args:
        study: Id of the study.
        parts: Folders below that of the study, then the name of the file.

    Returns:
        Path below the results.
    """
    return str(PurePosixPath("<results>/studies", study, *parts))
