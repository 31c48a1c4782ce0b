"""Jobs that fetch data sets and prepare them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ..datasets import sources
from .jobs import Inputs, Job, classifier_files, dataset_files, plugin_file
from .resources import Machine, Needs, preparing

if TYPE_CHECKING:
    from .plan import Plan

DECODING_THREADS = 16  # decoding takes as many as there are


@dataclass(frozen=True)
class DownloadJob(Job):
    """The archives of a published data set, which are fetched and unpacked."""

    spec: dict
    script: ClassVar[str] = "fetch_dataset.py"

    def parameters(self, plan: "Plan") -> dict:
        return self.spec


@dataclass(frozen=True)
class DatasetJob(Job):
    """A data set as models see it.

    Attributes:
        spec: The entry of the config with its defaults, and what the source knows of its files.
    """

    spec: dict

    @property
    def name(self) -> str:
        return self.spec["name"]

    @property
    def origin(self) -> str:
        """Id of the data set whose images it has."""
        return self.id

    def parameters(self, plan: "Plan") -> dict:
        return self.spec


@dataclass(frozen=True)
class PreparedDataset(DatasetJob):
    """Decoded or rendered from its source, after the downloads ``fetched``.

    Attributes:
        fetched: Ids of the downloads.
        places: Where its files are; ``spec`` says where they were when they were first used.
        named: What the config said then, which is part of the id.
    """

    fetched: tuple[str, ...] = ()
    places: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    script: ClassVar[str] = "prepare_dataset.py"

    def follows(self) -> dict[str, tuple[str, ...]]:
        return {"downloads": self.fetched}

    def inputs(self, plan: "Plan") -> Inputs:
        return {"fetched": [f"<results>/downloads/{id}.json" for id in self.fetched]}

    def code(self, plan: "Plan") -> tuple[str, ...]:
        return (self.script, plugin_file("datasets/sources", self.spec["source"]))

    def threads(self, plan: "Plan", machine: Machine) -> int:
        return DECODING_THREADS if sources.encoded(self.spec["source"]) else 1

    def needs(self, plan: "Plan", machine: Machine, threads: int) -> Needs:
        return preparing(plan.images_of([self.id]), threads)


@dataclass(frozen=True)
class FilteredDataset(DatasetJob):
    """The images of the set ``pool`` that the model ``adversary`` gets wrong."""

    pool: str
    adversary: str
    script: ClassVar[str] = "filter_dataset.py"

    @property
    def origin(self) -> str:
        return self.pool

    def follows(self) -> dict[str, tuple[str, ...]]:
        return {"pool": (self.pool,), "adversary": (self.adversary,)}

    def inputs(self, plan: "Plan") -> Inputs:
        return dataset_files([self.pool]) | classifier_files([self.adversary])


@dataclass(frozen=True)
class CorruptedDataset(DatasetJob):
    """The images of the set ``of``, corrupted."""

    of: str
    script: ClassVar[str] = "corrupt_dataset.py"

    @property
    def origin(self) -> str:
        return self.of

    def follows(self) -> dict[str, tuple[str, ...]]:
        return {"of": (self.of,)}

    def inputs(self, plan: "Plan") -> Inputs:
        return dataset_files([self.of])
