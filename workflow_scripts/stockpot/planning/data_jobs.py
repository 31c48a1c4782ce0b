"""Jobs that fetch data sets and prepare them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ..datasets import sources
from .jobs import (
    Inputs,
    Job,
    Parents,
    Spec,
    classifier_files,
    dataset_files,
    download_file,
    plugin_file,
)
from .resources import Machine, Needs, preparing

if TYPE_CHECKING:
    from .plan import Plan

DECODING_THREADS = 16  # decoding takes as many as there are


@dataclass(frozen=True)
class DownloadJob(Job):
    """The archives of a published data set, which are fetched and unpacked.

    Attributes:
        spec: Folder for the files (path), the archives, and the mirror that they are fetched from.
    """

    spec: Spec
    script: ClassVar[str] = "fetch_dataset.py"

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The spec.
        """
        return self.spec


@dataclass(frozen=True)
class DatasetJob(Job):
    """A data set as models see it.

    Attributes:
        spec: The entry of the config with its defaults, and what the source knows of its files.
    """

    spec: Spec

    @property
    def name(self) -> str:
        """What the config calls the data set.

        Returns:
            The key of its entry below ``datasets``.
        """
        return self.spec["name"]

    @property
    def origin(self) -> str:
        """The data set whose images it has.

        Returns:
            Its own id, unless it is made of another data set.
        """
        return self.id

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The spec.
        """
        return self.spec


@dataclass(frozen=True)
class PreparedDataset(DatasetJob):
    """Decoded or rendered from its source, after the downloads ``fetched``.

    Attributes:
        fetched: Ids of the downloads.
        current_paths: Keys of ``spec`` -> where these files are now. ``spec`` says where they were
            when they were first used.
        first_paths: Keys of ``spec`` -> what the config said then, which is part of the id.
    """

    fetched: tuple[str, ...] = ()
    current_paths: dict[str, str] = field(default_factory=dict)
    first_paths: dict[str, str] = field(default_factory=dict)
    script: ClassVar[str] = "prepare_dataset.py"

    def follows(self) -> Parents:
        """The downloads; see ``Job.follows``.

        Returns:
            Role -> ids.
        """
        return {"downloads": self.fetched}

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of the downloads; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        return {"fetched": [download_file(download) for download in self.fetched]}

    def code(self, plan: "Plan") -> tuple[str, ...]:
        """The script and the source; see ``Job.code``.

        Returns:
            Files below workflow_scripts/.
        """
        # Each source is a module of its own, so a changed one prepares only its own sets again.
        source_file = plugin_file("datasets/sources", self.spec["source"])
        return (self.script, source_file)

    def threads(
        self,
        plan: "Plan",
        machine: Machine,
    ) -> int:
        """How many cores the job can use; see ``Job.threads``.

        Returns:
            Many where images are decoded, one where they are computed.
        """
        # Decoding is spread over threads; drawing images is not.
        if sources.has_encoded_images(self.spec["source"]):
            return DECODING_THREADS
        return 1

    def needs(
        self,
        plan: "Plan",
        machine: Machine,
        threads: int,
    ) -> Needs:
        """Memory and time for all images; see ``Job.needs``.

        Returns:
            Megabytes and minutes.
        """
        return preparing(plan.images_of([self.id]), threads)


@dataclass(frozen=True)
class FilteredDataset(DatasetJob):
    """The images of the set ``pool`` that the model ``adversary`` gets wrong.

    Attributes:
        pool: Id of the data set that images are taken from.
        adversary: Id of the run whose mistakes are taken.
    """

    pool: str
    adversary: str
    script: ClassVar[str] = "filter_dataset.py"

    @property
    def origin(self) -> str:
        """The data set whose images it has.

        Returns:
            Id of the pool.
        """
        return self.pool

    def follows(self) -> Parents:
        """The pool and the adversary; see ``Job.follows``.

        Returns:
            Role -> ids.
        """
        return {
            "pool": (self.pool,),
            "adversary": (self.adversary,),
        }

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of the pool and of the adversary; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        return dataset_files([self.pool]) | classifier_files([self.adversary])


@dataclass(frozen=True)
class CorruptedDataset(DatasetJob):
    """The images of the set ``dataset``, corrupted.

    Attributes:
        dataset: Id of the data set that is corrupted.
    """

    dataset: str
    script: ClassVar[str] = "corrupt_dataset.py"

    @property
    def origin(self) -> str:
        """The data set whose images it has.

        Returns:
            Id of the set that is corrupted.
        """
        return self.dataset

    def follows(self) -> Parents:
        """The set that is corrupted; see ``Job.follows``.

        Returns:
            Role -> ids.
        """
        return {"dataset": (self.dataset,)}

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of the set that is corrupted; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        return dataset_files([self.dataset])
